"""What a step of one rule costs in steps of another: measured, for it depends on shapes as much as on operations."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from evaluators.optimizers.rungs import Run
from evaluators.optimizers.tuning import Trainer
from sandbox.update_rules.rule import UpdateRule

FEW, MORE = 10, 50
"""Two numbers of steps: their difference is free of what a run costs at its start and end."""

N_MEMBERS = 8
FEWEST, MOST, WORTH_SECONDS = 2, 15, 1.5
"""What is over at once is measured often: a busy machine only ever adds."""

RATE = 1e-4
LEAST_SECONDS = 1e-6


class Timed(Trainer, Protocol):
    """What trains, and tells the seconds (`train(...).seconds`) of the processor or, on a card, of the clock."""


def step_costs(rule: UpdateRule, like: UpdateRule, runs: Sequence[Run], trainer: Timed) -> dict[str, float]:
    """By task: seconds of a step with the rule over those with another. The least of a few measurements each."""
    found = {}
    for run in runs:
        mine, theirs = _seconds([rule, like], run, trainer)
        found[run.task] = mine / theirs
    return found


def _seconds(rules: Sequence[UpdateRule], run: Run, trainer: Timed) -> list[float]:
    """Of a step with each rule; measured in turns, so that a busy spell meets all of them."""
    least: dict[tuple[int, int], float] = {}
    spent, n_rounds = 0.0, 0
    while n_rounds < FEWEST or (spent < WORTH_SECONDS and n_rounds < MOST):
        for place, rule in enumerate(rules):
            for n_steps in (FEW, MORE):
                seconds = _once(rule, replace(run, n_steps=n_steps), trainer)
                spent += seconds
                least[place, n_steps] = min(least.get((place, n_steps), seconds), seconds)
        n_rounds += 1
    return [max(least[place, MORE] - least[place, FEW], LEAST_SECONDS) for place in range(len(rules))]


def _once(rule: UpdateRule, run: Run, trainer: Timed) -> float:
    return float(trainer.train([rule], run, [[RATE]], tuple(range(N_MEMBERS))).seconds)
