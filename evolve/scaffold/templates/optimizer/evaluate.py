"""The judge of an update rule. It owns the tasks: the rule sees a parameter and its gradient, never data or loss.

Each task is trained from several starts at each of five learning rates. What counts is the best rate of the rule
against the best rate of Adam, so that a rule wins nothing by having its rate tuned.
"""

import ast
import statistics
import sys
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import tasks

LEARNING_RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
MOST = 1.0  # decades: no task decides alone, whether a rule solves it or diverges on it
MAX_STATE = 6
MAX_SIZE = 100
LARGEST = 1e6  # a parameter that gets there has diverged


class WrongAnswerError(Exception):
    """The rule returned something that cannot be used; the text says what."""


def evaluate(candidate):
    """Decades below tuned Adam on the tasks of the search."""
    try:
        return judged(candidate, tasks.training(rng_seed=1))
    except WrongAnswerError as wrong:
        return {"failure": str(wrong)}


def verify(candidate):
    """The same on other tasks, of other shapes and sizes, that the search never saw: measured, not proved."""
    try:
        answer = judged(candidate, tasks.held_out(rng_seed=2))
    except WrongAnswerError as wrong:
        return {"verdict": "refuted", "detail": str(wrong)}
    told = ", ".join(f"{name} {value:+.2f}" for name, value in answer["metrics"].items() if name != "learning_rate")
    return {
        "verdict": "unverified" if answer["score"] > 0 else "refuted",
        "value": answer["score"],
        "detail": f"decades below tuned Adam on held-out tasks (measured): {told}",
    }


def judged(candidate, runs):
    """Train every task at every learning rate side by side: one call of the candidate for each step."""
    jobs = [(task, rate) for task in runs for rate in LEARNING_RATES]
    candidate.call("begin", [len(task.start) for task, _ in jobs], [rate for _, rate in jobs])
    losses, n_arrays = trained(jobs, lambda *arguments: candidate.call("advance", *arguments))
    adam_losses = losses_of_adam(runs)
    gains, rates = {}, []
    for name in dict.fromkeys(task.name for task in runs):
        own, rate = best_mean(jobs, losses, name)
        baseline, _ = best_mean(jobs, adam_losses, name)
        gains[name] = float(np.clip(baseline - own, -MOST, MOST))
        rates.append(rate)
    return {
        "score": float(np.mean(list(gains.values()))),
        "descriptor": {"state_arrays": n_arrays, "operations": operations_of(candidate.files)},
        # An exported optimizer has this learning rate unless it is told otherwise.
        "metrics": {**gains, "learning_rate": statistics.median_low(rates)},
    }


@cache
def losses_of_adam(runs):
    """The baseline's losses on the same jobs; computed once."""
    jobs = [(task, rate) for task in runs for rate in LEARNING_RATES]
    return trained(jobs, Adam(jobs).advance)[0]


def trained(jobs, advance):
    """Log10 of each job's final loss (inf where it diverged), and how many arrays the first job remembers."""
    parameters = np.concatenate([task.start for task, _ in jobs])
    ends = np.cumsum([len(task.start) for task, _ in jobs])[:-1]
    n_arrays = 0.0
    for step in range(1, tasks.N_STEPS + 1):
        own = np.split(parameters, ends)
        gradients = [task.gradient(parameter, step) for (task, _), parameter in zip(jobs, own, strict=True)]
        change, state = checked(advance(parameters, np.concatenate(gradients), step), parameters)
        n_arrays = max(n_arrays, sum(isinstance(value, np.ndarray) for value in state.values()))
        parameters = np.clip(parameters + change, -LARGEST, LARGEST)
    finals = [
        np.log10(max(task.loss(parameter), 1e-12)) if np.abs(parameter).max() < LARGEST else np.inf
        for (task, _), parameter in zip(jobs, np.split(parameters, ends), strict=True)
    ]
    return finals, n_arrays


def checked(answer, parameters):
    """What the rule returned, if it has the right form: a change for each parameter, and a state."""
    if not isinstance(answer, list) or len(answer) != 2:
        raise WrongAnswerError("advance() must return a list of two: all changes, and the first run's state")
    change, state = answer
    if not isinstance(change, np.ndarray) or change.dtype.kind != "f" or change.shape != parameters.shape:
        raise WrongAnswerError("update() must return a change of the parameter's shape")
    if not isinstance(state, dict) or len(state) > MAX_STATE:
        raise WrongAnswerError(f"update() must return a dict of at most {MAX_STATE} entries as its state")
    if any(isinstance(value, np.ndarray) and value.size > MAX_SIZE for value in state.values()):
        raise WrongAnswerError("a state holds numbers and arrays of the parameter's shape, nothing else")
    return change, state


def best_mean(jobs, losses, name):
    """The mean over a task's starts of log10 loss, at the learning rate where that is lowest, and that rate."""
    means = [
        float(
            np.mean(
                [loss for (task, rate), loss in zip(jobs, losses, strict=True) if (task.name, rate) == (name, each)]
            )
        )
        for each in LEARNING_RATES
    ]
    best = int(np.argmin(means))
    return min(means[best], 12.0), LEARNING_RATES[best]


class Adam:
    """The baseline, with the form of the candidates' `advance`."""

    def __init__(self, jobs):
        self.rates = np.concatenate([np.full(len(task.start), rate) for task, rate in jobs])
        self.mean = self.square = np.zeros(len(self.rates))

    def advance(self, parameters, gradients, step):
        del parameters
        self.mean = 0.9 * self.mean + 0.1 * gradients
        self.square = 0.999 * self.square + 0.001 * gradients**2
        change = self.mean / (1 - 0.9**step) / (np.sqrt(self.square / (1 - 0.999**step)) + 1e-8)
        return [-self.rates * change, {}]


def operations_of(files):
    """Calls, arithmetic and comparisons in the rule: its text is read here, never run."""
    rule = files["seed.py"].split("# EVOLVE-BLOCK-START")[1].split("# EVOLVE-BLOCK-END")[0]
    counted = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.BoolOp, ast.IfExp)
    return sum(isinstance(node, counted) for node in ast.walk(ast.parse(rule)))
