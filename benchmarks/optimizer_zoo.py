"""Ranks the whole zoo of published update rules, every learning rate tuned with the same budget, over proxy tasks.

    python -m benchmarks.optimizer_zoo                               # every task: hours of one core
    python -m benchmarks.optimizer_zoo --suite search                # minutes
    python -m benchmarks.optimizer_zoo --tasks lin_ae mod_add --rule found.py

Rules have the constants of their papers; those with a star were tuned on the search suite (AdamW* and the baselines of
`evolve validate`). Rules given by `--rule` take part, so their place among all can be read. Per task rules are ranked
by the mean log loss on seeds that the tuning never saw; the speed-up in steps over AdamW* is read from its curve over
horizons, where that is measured. With `--ledger` an interrupted ranking goes on where it was.
"""

import argparse
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluators.optimizers.baselines import ADAMW, SHIPPED, Baselines
from evaluators.optimizers.contest import Yardstick
from evaluators.optimizers.ledger import Ledger
from evaluators.optimizers.references import MissingReferenceError, References
from evaluators.optimizers.rungs import Run, Rung, first_seed_of, run_of, rung_of
from evaluators.optimizers.scoring_trainer import ProxyTrainer
from evaluators.optimizers.statistics import ranks
from evaluators.optimizers.task import Suite
from evaluators.optimizers.tasks import TASKS, tasks_of
from evaluators.optimizers.tuning import Bench
from evaluators.optimizers.weighing import Weighed, weigh
from sandbox.update_rules.rule import UpdateRule, read_rule
from sandbox.update_rules.zoo import ZOO, zoo_rule

SUITES: tuple[Suite, ...] = ("search", "validation", "test", "noise")


def contestants(references: References, files: Sequence[Path]) -> dict[str, UpdateRule]:
    """All rules by name: the zoo, the tuned baselines, those of files."""
    tuned = {} if not SHIPPED.exists() else {name: each.rule for name, each in Baselines.shipped().baselines.items()}
    found = {path.stem: read_rule(path.read_text(encoding="utf-8")) for path in files}
    return {name: zoo_rule(name) for name in ZOO} | tuned | {ADAMW: references.rule} | found


def rung_for(run: Run, suite: Suite, *, n_seeds: int) -> Rung:
    """Five learning rates on two seeds, then `n_seeds` others."""
    return rung_of("zoo", [run], n_tuning_seeds=2, n_confirmation_seeds=n_seeds, first_seed=first_seed_of(suite))


def octaves_of(run: Run, weighed: Mapping[str, Weighed], references: References, bench: Bench) -> dict[str, float]:
    """The log2 of every rule's speed-up over AdamW*; empty where its curve is not measured."""
    try:
        curve = references.of(run, bench.trainer.task(run).content_hash).curve
    except MissingReferenceError:
        return {}
    yardstick = Yardstick(weighed=weighed[ADAMW], curve=curve)
    places = {name: yardstick.octaves(each, run.n_steps) for name, each in weighed.items()}
    return {name: place for name, place in places.items() if place is not None}


def mean_log_loss(weighed: Weighed) -> float:
    """What a rule is ranked by."""
    return statistics.fmean(weighed.log_losses(list(weighed.outcomes)))


def ranked(weighed: Mapping[str, Weighed]) -> dict[str, float]:
    """Ranks from 1, the least loss first."""
    return dict(zip(weighed, ranks([-mean_log_loss(each) for each in weighed.values()]), strict=True))


def tell(
    tasks: Sequence[str],
    places: Mapping[str, Mapping[str, float]],
    octaves: Mapping[str, Mapping[str, float]],
    failures: Mapping[str, Mapping[str, float]],
) -> None:
    """The table: median rank, mean speed-up, and the speed-up on every task, or the rank where there is no curve."""
    names = sorted(places[tasks[0]], key=lambda name: (_median(name, places), -_mean(name, octaves)))
    print("\n| rule | median rank | steps, geo mean | diverged | " + " | ".join(tasks) + " |")
    print("|---|---|---|---|" + "---|" * len(tasks))
    for name in names:
        mean = _mean(name, octaves)
        told = "-" if math.isinf(mean) else f"x{2.0**mean:.2f}"
        cells = [
            f"{2.0 ** octaves[task][name]:.2f}" if octaves[task] else f"#{places[task][name]:.0f}" for task in tasks
        ]
        gone = 100.0 * statistics.fmean(failures[task][name] for task in tasks)
        print(f"| {name} | {_median(name, places):g} | {told} | {gone:.0f} % | " + " | ".join(cells) + " |")


def _median(name: str, places: Mapping[str, Mapping[str, float]]) -> float:
    return statistics.median(each[name] for each in places.values())


def _mean(name: str, octaves: Mapping[str, Mapping[str, float]]) -> float:
    known = [each[name] for each in octaves.values() if each]
    return statistics.fmean(known) if known else -math.inf


def main() -> None:
    """Train, rank, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", action="append", choices=SUITES, help="default: search, validation and test")
    parser.add_argument("--tasks", nargs="*", default=[], choices=list(TASKS), help="instead of suites")
    parser.add_argument("--rule", type=Path, action="append", default=[], help="a file with one more rule")
    parser.add_argument("--seeds", type=int, default=6, help="seeds that rules are ranked on")
    parser.add_argument("--ledger", type=Path, help="a file of JSON lines that keeps what was trained")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    references = References.shipped(options.device)
    rules = contestants(references, options.rule)
    bench = Bench(ProxyTrainer(device=options.device), Ledger(options.ledger))
    suites: Sequence[Suite] = options.suite or SUITES[:3]
    tasks = options.tasks or [task.name for suite in suites for task in tasks_of(suite)]
    tasks.sort(key=lambda task: TASKS[task].cost * TASKS[task].n_steps)
    places, octaves, failures = {}, {}, {}
    for task in tasks:
        start, run = time.process_time(), run_of(task)
        rung = rung_for(run, TASKS[task].suite, n_seeds=options.seeds)
        found = weigh(list(rules.values()), run, rung, bench=bench, references=references)
        weighed = dict(zip(rules, found, strict=True))
        places[task] = ranked(weighed)
        octaves[task] = octaves_of(run, weighed, references, bench)
        failures[task] = {name: each.failure_rate for name, each in weighed.items()}
        best = ", ".join(sorted(places[task], key=lambda name: places[task][name])[:5])
        print(f"{task}: {len(rules)} rules in {time.process_time() - start:.0f} CPU-s; best: {best}", flush=True)
    tell(tasks, places, octaves, failures)


if __name__ == "__main__":
    main()
