"""One rule against another on many runs: paired by seed, corrected for having looked at many tasks.

A speed-up is one of steps to a target: how many times as many steps the other rule would need for the same loss, both
read from AdamW*'s curve over horizons. In time it is divided by what a step costs more.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluators.optimizers.reference_curve import Curve
from evaluators.optimizers.rungs import Run
from evaluators.optimizers.statistics import holm, paired
from evaluators.optimizers.weighing import Weighed

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """Two rules on one run.

    `log_ratio` is the mean log of the ratio of losses, below 0 if the first is better; `octaves` the log2 of its
    speed-up in steps, None where no curve is known, and `cost` what one of its steps costs in steps of the other.
    `corrected` is the p-value after Holm over all runs of the contest.
    """

    run: Run
    log_ratio: float
    standard_error: float
    p_value: float
    n_seeds: int
    octaves: float | None
    cost: float = 1.0
    corrected: float = 1.0

    @property
    def verdict(self) -> str:
        """Won, lost or even, after the correction."""
        if self.corrected >= SIGNIFICANT:
            return "even"
        return "won" if self.log_ratio < 0.0 else "lost"

    @property
    def octaves_of_time(self) -> float | None:
        """The log2 of the speed-up in time."""
        return None if self.octaves is None else self.octaves - math.log2(self.cost)

    def to_json(self) -> dict[str, Any]:
        """As plain data, with speed-ups as factors."""
        return {
            "task": self.run.task,
            "steps": self.run.n_steps,
            "batch_size": self.run.batch_size,
            "width": self.run.width,
            "loss_ratio": math.exp(self.log_ratio),
            "standard_error": self.standard_error,
            "p_value": self.p_value,
            "corrected_p_value": self.corrected,
            "seeds": self.n_seeds,
            "speed_up": None if self.octaves is None else 2.0**self.octaves,
            "speed_up_in_time": None if self.octaves_of_time is None else 2.0**self.octaves_of_time,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """A rule against an opponent on all runs of a suite."""

    opponent: str
    duels: tuple[Duel, ...]

    @property
    def speed_up(self) -> float | None:
        """The geometric mean over the runs of the speed-up in steps."""
        return _geometric([duel.octaves for duel in self.duels])

    @property
    def speed_up_in_time(self) -> float | None:
        """The same in time."""
        return _geometric([duel.octaves_of_time for duel in self.duels])

    @property
    def p_value(self) -> float | None:
        """How likely such speed-ups are where on the whole there is none: a t-test with the tasks as the sample."""
        octaves = [duel.octaves for duel in self.duels if duel.octaves is not None]
        return paired(octaves).p_value if octaves and len(octaves) == len(self.duels) else None

    def count(self, verdict: str) -> int:
        """How many runs ended so."""
        return sum(duel.verdict == verdict for duel in self.duels)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "opponent": self.opponent,
            "speed_up": self.speed_up,
            "speed_up_in_time": self.speed_up_in_time,
            "p_value_over_tasks": self.p_value,
            **{verdict: self.count(verdict) for verdict in ("won", "lost", "even")},
            "tasks": [duel.to_json() for duel in self.duels],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A rule in a contest: how it did on each run, and what its steps cost there in steps of AdamW*."""

    weighed: Mapping[Run, Weighed]
    cost: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """AdamW* on one run, and its curve over horizons where that is known."""

    weighed: Weighed
    curve: Curve | None

    def octaves(self, other: Weighed, n_steps: int) -> float | None:
        """The log2 of the speed-up of a rule over AdamW*, read from the curve; paired by seed."""
        if self.curve is None:
            return None
        return self.curve.speed_up(paired(_log_ratios(other, self.weighed)).mean, n_steps)


def contest(opponent: str, mine: Side, theirs: Side, yardsticks: Mapping[Run, Yardstick]) -> Contest:
    """A rule against an opponent on all runs that both were weighed on."""
    runs = [run for run in mine.weighed if run in theirs.weighed]
    duels = [_duel(run, mine, theirs, yardsticks.get(run)) for run in runs]
    corrected = holm([duel.p_value for duel in duels])
    return Contest(
        opponent=opponent,
        duels=tuple(replace(duel, corrected=each) for duel, each in zip(duels, corrected, strict=True)),
    )


def _duel(run: Run, mine: Side, theirs: Side, yardstick: Yardstick | None) -> Duel:
    own, other = mine.weighed[run], theirs.weighed[run]
    ratios = paired(_log_ratios(own, other))
    places = None if yardstick is None else [yardstick.octaves(each, run.n_steps) for each in (own, other)]
    octaves = None if places is None or places[0] is None or places[1] is None else places[0] - places[1]
    return Duel(
        run=run,
        log_ratio=ratios.mean,
        standard_error=ratios.standard_error,
        p_value=ratios.p_value,
        n_seeds=ratios.n,
        octaves=octaves,
        cost=mine.cost.get(run.task, 1.0) / theirs.cost.get(run.task, 1.0),
    )


def _log_ratios(own: Weighed, other: Weighed) -> list[float]:
    """Log ratios of losses on the seeds that both had.

    Raises:
        ValueError: they share none.
    """
    seeds = [seed for seed in own.outcomes if seed in other.outcomes]
    if not seeds:
        raise ValueError(f"seeds {list(own.outcomes)} and {list(other.outcomes)} share none: nothing can be paired")
    return [a - b for a, b in zip(own.log_losses(seeds), other.log_losses(seeds), strict=True)]


def _geometric(octaves: Sequence[float | None]) -> float | None:
    known = [each for each in octaves if each is not None]
    return float(2.0 ** (math.fsum(known) / len(known))) if known and len(known) == len(octaves) else None
