"""Measures the reference data of optimizer scores: which constants suit AdamW best, and its loss over horizons.

    python -m benchmarks.optimizer_references --choose      # AdamW's constants, on the search suite
    python -m benchmarks.optimizer_references               # what is missing, for every suite
    python -m benchmarks.optimizer_references --suite test

Without `--out` the data of the package are extended. Prints what each task cost in CPU-seconds.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluators.optimizers.ledger import torch_version
from evaluators.optimizers.references import SHIPPED, References
from evaluators.optimizers.references_measuring import THOROUGH, Effort, measured, missing
from evaluators.optimizers.rungs import Run, first_seed_of, judge_rung, search_rungs, suite_rung
from evaluators.optimizers.scoring import best_of
from evaluators.optimizers.scoring_trainer import ProxyTrainer
from evaluators.optimizers.task import Suite
from evaluators.optimizers.tasks import TASKS, tasks_of
from sandbox.update_rules.zoo import zoo_rule, zoo_text

BETA1 = (0.5, 0.65, 0.8, 0.9)
BETA2 = (0.9, 0.95, 0.99, 0.999)
DEAR_SECONDS = 0.25
"""CPU-seconds of one training run from which on a task is dear."""

SUITES: tuple[Suite, ...] = ("search", "validation", "test", "noise")


def runs_of(suite: Suite) -> list[Run]:
    """The runs that scores of a suite need, cheapest task first."""
    if suite == "search":
        return list(dict.fromkeys(run for rung in search_rungs() for run in rung.runs))
    halves = suite_rung(suite, horizon=0.5).runs if suite == "noise" else ()
    return [*halves, *suite_rung(suite).runs]


def extended(references: References, suite: Suite, tasks: Sequence[str], *, out: Path) -> References:
    """Reference data with all runs of a suite; written after every run."""
    trainer = ProxyTrainer()
    for run in missing([each for each in runs_of(suite) if not tasks or each.task in tasks], references, trainer):
        start = time.process_time()
        key, horizons = measured(
            run, references, trainer, effort=effort_for(run, suite), first_seed=first_seed_of(suite)
        )
        references = references.with_settings({key: horizons})
        references.save(out)
        here = horizons[run.n_steps]
        print(
            f"{suite} {run.name}: log loss {here.log_loss:.4f}, rate 2^{here.index / 8}, default AdamW "
            f"{here.default}, {time.process_time() - start:.1f} CPU-s",
            flush=True,
        )
    return references


def effort_for(run: Run, suite: Suite) -> Effort:
    """How closely a run is measured: the search suite thoroughly, dear tasks on fewer seeds."""
    if suite == "search":
        return THOROUGH
    is_dear = TASKS[run.task].cost * run.n_steps > DEAR_SECONDS
    return Effort(n_tuned_on=2, n_tuning_seeds=2, n_seeds=8) if is_dear else Effort()


def chosen(out: Path) -> References:
    """New reference data with the constants that do best on the search suite; measured against default AdamW first."""
    default = zoo_text("adam")
    start = References(text=default, default_text=default, torch=torch_version(), settings={})
    trainer, rung = ProxyTrainer(), judge_rung()
    for run in rung.runs:
        key, horizons = measured(run, start, trainer, effort=Effort(n_seeds=6), first_seed=first_seed_of("search"))
        start = start.with_settings({key: horizons})
    pairs = [(beta1, beta2) for beta1 in BETA1 for beta2 in BETA2]
    rules = [zoo_rule("adam", beta1=beta1, beta2=beta2) for beta1, beta2 in pairs]
    best, found = best_of(rules, rung, references=start, trainer=trainer)
    trials = [
        {"beta1": beta1, "beta2": beta2, "octaves_over_default": round(each.score or 0.0, 3)}
        for (beta1, beta2), each in zip(pairs, found, strict=True)
    ]
    for trial, each in zip(trials, found, strict=True):
        print(trial, round(each.standard_error, 3), {k: round(v, 2) for k, v in each.per_task.items()}, flush=True)
    beta1, beta2 = pairs[next(place for place, each in enumerate(found) if each is best)]
    references = replace(start, text=zoo_text("adam", beta1=beta1, beta2=beta2), settings={}, trials=trials)
    references.save(out)
    return references


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--choose", action="store_true", help="choose AdamW's constants anew; forgets all other data")
    parser.add_argument("--suite", action="append", choices=SUITES, help="default: all")
    parser.add_argument("--task", action="append", default=[], help="only this task; default: all of the suite")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    references = chosen(options.out) if options.choose else References.load(options.out)
    if options.choose:
        print(references.text)
        return
    for suite in options.suite or SUITES:
        if tasks_of(suite):
            references = extended(references, suite, options.task, out=options.out)


if __name__ == "__main__":
    main()
