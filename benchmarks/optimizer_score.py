"""How far the score of an update rule can be trusted, and what it costs.

    python -m benchmarks.optimizer_score noise --repeats 8    # the same rules again on seeds that nobody saw
    python -m benchmarks.optimizer_score sanity               # rules that must be at the bottom
    python -m benchmarks.optimizer_score cost                 # CPU-seconds per rule and rung

Scores are in octaves over tuned AdamW (log2 of the speed-up), seconds are of the processor, not of the clock.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evaluators.optimizers.references import References
from evaluators.optimizers.rungs import consecutive, judge_rung, quick_rung, search_rungs
from evaluators.optimizers.scoring import Scored, score_rules
from evaluators.optimizers.scoring_trainer import ProxyTrainer
from sandbox.update_rules.rule import UpdateRule, read_rule
from sandbox.update_rules.zoo import zoo_rule

FIRST_FRESH_SEED = 10_000
BOTTOM = {
    "stands still": "def update(g):\n    return 0.0 * g\n",
    "climbs": "def update(g):\n    return -g\n",
    "not a number": "def update(g):\n    a = square(square(exp(50.0 + square(g))))\n    return a - a + g\n",
    "wipes the weights": "def update(w, g):\n    return w + 1e-9 * g\n",
    "wipes them slowly": "def update(w, g, t):\n    return w / t + g\n",
    "keeps their signs": "def update(w, g):\n    return sign(g) * abs(w)\n",
    "grows them": "def update(w, g):\n    return 0.01 * g - w\n",
    "forgets g": "def update(w, t):\n    return w * t\n",
}
EIGHT = ("adam", "momentum", "rmsprop", "signum", "nadamw", "lion", "adabelief", "yogi")
NOISY = ("nadamw", "signum", "muon")


def noise(references: References, n_repeats: int) -> None:
    """Score AdamW* and rules of the zoo again and again, tuned and confirmed on fresh seeds each time."""
    trainer, judge = ProxyTrainer(), judge_rung()
    rules = [references.rule, *(zoo_rule(name) for name in NOISY)]
    found: list[list[Scored]] = []
    for repeat in range(n_repeats):
        first = FIRST_FRESH_SEED + 100 * repeat
        rung = replace(judge, tuning_seeds=consecutive(first, 2), confirmation_seeds=consecutive(first + 10, 6))
        found.append(score_rules(rules, rung, references=references, trainer=trainer))
    for place, name in enumerate(("AdamW*", *NOISY)):
        _print_spread(name, [each[place] for each in found])


def _print_spread(name: str, found: Sequence[Scored]) -> None:
    scores = [each.score for each in found if each.score is not None]
    claimed = float(np.mean([each.standard_error for each in found if each.score is not None]))
    values = {task: [each.per_task[task] for each in found] for task in found[0].per_task}
    tasks = {task: f"{np.mean(each):+.2f} ({np.std(each, ddof=1):.2f})" for task, each in values.items()}
    print(
        f"{name}: mean {np.mean(scores):+.4f}, sd {np.std(scores, ddof=1):.4f}, from {min(scores):+.4f} to "
        f"{max(scores):+.4f}, standard error claimed {claimed:.4f}; tasks, mean (sd): {tasks}",
        flush=True,
    )


def sanity(references: References) -> None:
    """Score rules that must be at the bottom."""
    rules = [read_rule(text) for text in BOTTOM.values()]
    for name, scored in zip(BOTTOM, score_rules(rules, judge_rung(), references=references), strict=True):
        print(f"{name}: {scored.score} {scored.detail} {dict(scored.per_task)}", flush=True)


def cost(references: References) -> None:
    """Measure rules one at a time, and eight together."""
    together = [zoo_rule(name) for name in EIGHT]
    groups: dict[str, list[UpdateRule]] = {"adam": [zoo_rule("adam")], "muon": [zoo_rule("muon")], "eight": together}
    trainer = ProxyTrainer()
    for rung in (quick_rung(), *search_rungs()):
        score_rules(groups["adam"], rung, references=references, trainer=trainer)
        for name, rules in groups.items():
            start = time.process_time()
            found = score_rules(rules, rung, references=references, trainer=trainer)
            seconds = (time.process_time() - start) / len(rules)
            n_trained = sum(each.n_trained for each in found) / len(rules)
            print(f"{rung.name}, {name}: {seconds:.3f} CPU-s a rule, {n_trained:.1f} runs a rule", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("noise", "sanity", "cost"))
    parser.add_argument("--repeats", type=int, default=8)
    options = parser.parse_args()
    references = References.shipped()
    if options.what == "noise":
        noise(references, options.repeats)
    elif options.what == "sanity":
        sanity(references)
    else:
        cost(references)


if __name__ == "__main__":
    main()
