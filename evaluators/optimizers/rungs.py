"""What one measurement of an update rule trains: proxies at horizons, seeds, learning rates.

A rung is a step of a ladder from cheap to dear. Every rung tunes the learning rate inside itself; the last ones confirm
the tuned rate on seeds that the tuning never saw, so that a lucky choice does not enter the score.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from evaluators.errors import EvaluatorError
from evaluators.optimizers.task import Suite
from evaluators.optimizers.tasks import TASKS, tasks_of

FIRST_TUNING_SEED = 0
FIRST_CONFIRMATION_SEED = 1000
FIRST_VALIDATION_SEED = 2000
FIRST_TEST_SEED = 3000


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Run:
    """One proxy task at one horizon; other batch sizes and widths than the task's own are for tests of robustness."""

    task: str
    n_steps: int
    batch_size: int | None = None
    width: float | None = None

    @property
    def setting(self) -> str:
        """The task with its batch size and width: all but the horizon, as text."""
        parts = [self.task]
        if self.batch_size is not None:
            parts.append(f"batch={self.batch_size}")
        if self.width is not None:
            parts.append(f"width={self.width:g}")
        return ",".join(parts)

    @property
    def name(self) -> str:
        """The run as text, for keys and tables; the same in every process."""
        return f"{self.setting},steps={self.n_steps}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """How an update rule is measured.

    Per run, `n_learning_rates` rates with `ratio` between neighbours are tried around a predicted optimum on the tuning
    seeds; while the best lies at an edge the grid grows, at most `max_extensions` times. The score is then taken on the
    confirmation seeds, or on the tuning seeds where there are none. One task's value lies in [floor, cap] (log2).
    """

    name: str
    runs: tuple[Run, ...]
    tuning_seeds: tuple[int, ...]
    confirmation_seeds: tuple[int, ...] = ()
    n_learning_rates: int = 5
    ratio: float = 2.4
    max_extensions: int = 2
    floor: float = -1.5
    cap: float = 0.7

    def __post_init__(self) -> None:
        """Refuse what cannot be measured."""
        if not self.runs or not self.tuning_seeds or self.n_learning_rates < 1 or self.ratio <= 1.0:
            raise EvaluatorError(
                f"rung {self.name!r} has {len(self.runs)} runs, {len(self.tuning_seeds)} tuning seeds, "
                f"{self.n_learning_rates} learning rates with ratio {self.ratio}: expected at least one of each and a "
                f"ratio above 1"
            )
        if shared := set(self.tuning_seeds) & set(self.confirmation_seeds):
            raise EvaluatorError(f"seeds {sorted(shared)} of rung {self.name!r} both tune and confirm: keep them apart")

    @property
    def scoring_seeds(self) -> tuple[int, ...]:
        """The seeds that the score is taken on."""
        return self.confirmation_seeds or self.tuning_seeds


def horizon_steps(n_steps: int, factor: float) -> int:
    """A horizon of `factor` times `n_steps`, on the half octaves that reference curves are made of."""
    if not factor > 0:
        raise EvaluatorError(f"a horizon factor is {factor}, expected a positive number such as 0.5, 1 or 4")
    return max(8, round(n_steps * math.exp2(round(2.0 * math.log2(factor)) / 2.0)))


def first_seed_of(suite: str) -> int:
    """Where the confirmation seeds of a suite begin: no two suites share one, but search and noise."""
    return {"validation": FIRST_VALIDATION_SEED, "test": FIRST_TEST_SEED}.get(suite, FIRST_CONFIRMATION_SEED)


def consecutive(first: int, n: int) -> tuple[int, ...]:
    """The `n` seeds from `first` on."""
    return tuple(range(first, first + n))


def rung_of(  # noqa: PLR0913 keywords, all with a default
    name: str,
    runs: Sequence[Run],
    *,
    n_tuning_seeds: int = 2,
    n_confirmation_seeds: int = 0,
    n_learning_rates: int = 5,
    first_seed: int = FIRST_CONFIRMATION_SEED,
    cap: float = 0.7,
) -> Rung:
    """A rung whose seeds are the first ones of their kind: rungs with more seeds then contain those with fewer."""
    return Rung(
        name=name,
        runs=tuple(runs),
        tuning_seeds=consecutive(FIRST_TUNING_SEED, n_tuning_seeds),
        confirmation_seeds=consecutive(first_seed, n_confirmation_seeds),
        n_learning_rates=n_learning_rates,
        cap=cap,
    )


JUDGED_PARTS: Final[Mapping[str, float]] = MappingProxyType({"digits_aug": 0.5, "deep_ae": 0.7, "resmlp": 0.7})
"""Parts of their horizon at which the judge runs dear tasks; all others run at their own."""

_FEW = (("quad_rot", 0.5), ("lin_ae", 1.0), ("deep_ae", 0.35))
_MORE = (*_FEW, ("char_mlp", 0.5), ("resmlp", 0.35))

SEARCH_PARTS: Final = (("glance", _FEW, 1), ("look", _MORE, 2))
"""The first rungs of the search: tasks with their part of the horizon, and the number of tuning seeds."""


def run_of(task: str, *, horizon: float = 1.0, batch_size: int | None = None, width: float | None = None) -> Run:
    """A run of a task at a part or multiple of its own horizon.

    Raises:
        EvaluatorError: there is no such task.
    """
    if task not in TASKS:
        raise EvaluatorError(f"there is no proxy task {task!r}: expected one of {', '.join(TASKS)}")
    n_steps = horizon_steps(TASKS[task].n_steps, horizon)
    return Run(task=task, n_steps=n_steps, batch_size=batch_size, width=width)


def search_rungs() -> tuple[Rung, ...]:
    """The ladder of the search, cheapest first.

    The last rung is the judge's and confirms on fresh seeds; the one before it is the same without confirmation, so
    that its training is all of use to the judge.
    """
    looks = [
        rung_of(name, [run_of(task, horizon=part) for task, part in parts if task in TASKS], n_tuning_seeds=n_seeds)
        for name, parts, n_seeds in SEARCH_PARTS
    ]
    judge = judge_rung()
    return (*looks, replace(judge, name="stay", confirmation_seeds=()), judge)


def judge_rung(
    tasks: Sequence[str] | None = None,
    *,
    n_tuning_seeds: int = 2,
    n_confirmation_seeds: int = 6,
    n_learning_rates: int = 5,
    horizon: float = 1.0,
    name: str = "judge",
) -> Rung:
    """What a candidate's score comes from: by default the search suite, with six confirmation seeds."""
    names = list(tasks) if tasks else [task.name for task in tasks_of("search")]
    return rung_of(
        name,
        [run_of(task, horizon=horizon * JUDGED_PARTS.get(task, 1.0)) for task in names],
        n_tuning_seeds=n_tuning_seeds,
        n_confirmation_seeds=n_confirmation_seeds,
        n_learning_rates=n_learning_rates,
    )


def quick_rung(tasks: Sequence[str] | None = None, *, horizon: float = 1.0) -> Rung:
    """A glance at a rule, a tenth as dear as the judge's rung: its three cheapest runs, on one seed."""
    judge = judge_rung(tasks, n_tuning_seeds=1, n_confirmation_seeds=0, horizon=horizon, name="quick")
    cheapest = sorted(judge.runs, key=lambda run: TASKS[run.task].cost * run.n_steps)[:3]
    return replace(judge, runs=tuple(run for run in judge.runs if run in cheapest))


def suite_rung(
    suite: Suite,
    *,
    n_tuning_seeds: int = 4,
    n_confirmation_seeds: int = 12,
    n_learning_rates: int = 7,
    horizon: float = 1.0,
    cap: float = 2.0,
) -> Rung:
    """The tasks of a suite, on confirmation seeds that no other suite uses; values up to a factor of four count."""
    return rung_of(
        suite,
        [run_of(task.name, horizon=horizon) for task in tasks_of(suite)],
        n_tuning_seeds=n_tuning_seeds,
        n_confirmation_seeds=n_confirmation_seeds,
        n_learning_rates=n_learning_rates,
        first_seed=first_seed_of(suite),
        cap=cap,
    )
