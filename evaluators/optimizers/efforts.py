"""How much a validation trains: quick, normal, thorough; a larger effort adds to a smaller one."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluators.optimizers.rungs import Run, Rung, judge_rung, run_of, suite_rung
from evaluators.optimizers.task import Suite
from evaluators.optimizers.tasks import TASKS, tasks_of

LONGER = 4.0
"""Factor of the longer horizon: at short ones rules with quick averages win that lose later."""

N_LONGER = 4
"""How many of the cheapest test tasks are trained for longer."""

RESIZED_TASKS = ("picture", "mod_add")
"""The cheapest test tasks that have hidden layers, and so another layout at another width: zipf_linear has none."""

LADDER = ((1, 2, 5), (2, 6, 5), (4, 12, 5))
TABLE = ((1, 4, 5), (2, 8, 5), (4, 12, 7))
"""Tuning seeds, confirmation seeds, learning rates: of the rungs that choose, and of the table by effort."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is trained. Seeds and learning rates of a smaller effort are among those of a larger one.

    `ladder` chooses, `test` is the table, `search` what the finalists come from; `longer` and `resized` are what the
    chosen rule is tried on besides, with `n_robust_seeds` each.
    """

    name: str
    n_finalists: int
    ladder: tuple[Rung, ...]
    test: Rung
    search: Rung
    longer: tuple[Run, ...]
    resized: tuple[Run, ...]
    n_robust_seeds: int


def efforts() -> Mapping[str, Effort]:
    """The efforts by name, smallest first."""
    sizes = (("quick", 3, 1, 3), ("normal", 9, 2, 4), ("thorough", 27, 3, 8))
    return {
        name: Effort(
            name=name,
            n_finalists=n_finalists,
            ladder=tuple(_rung("validation", *seeds) for seeds in LADDER[:n_rungs]),
            test=_rung("test", *TABLE[n_rungs - 1]),
            search=judge_rung(),
            longer=longer_runs(),
            resized=resized_runs(),
            n_robust_seeds=n_robust_seeds,
        )
        for name, n_finalists, n_rungs, n_robust_seeds in sizes
    }


def _rung(suite: Suite, n_tuning_seeds: int, n_confirmation_seeds: int, n_learning_rates: int) -> Rung:
    return suite_rung(
        suite,
        n_tuning_seeds=n_tuning_seeds,
        n_confirmation_seeds=n_confirmation_seeds,
        n_learning_rates=n_learning_rates,
    )


def cheapest_test_tasks(n: int) -> list[str]:
    """The test tasks on which a run takes the least time."""
    return [task.name for task in sorted(tasks_of("test"), key=lambda task: task.cost * task.n_steps)[:n]]


def longer_runs() -> tuple[Run, ...]:
    """Runs of four times the horizon."""
    return tuple(run_of(task, horizon=LONGER) for task in cheapest_test_tasks(N_LONGER))


def resized_runs() -> tuple[Run, ...]:
    """Runs with half and twice the width, and with half and twice the batch."""
    found = []
    for task in RESIZED_TASKS:
        batch = TASKS[task].batch_size
        found += [run_of(task, width=width) for width in (0.5, 2.0)]
        found += [run_of(task, batch_size=size) for size in (max(1, batch // 2), 2 * batch)]
    return tuple(found)
