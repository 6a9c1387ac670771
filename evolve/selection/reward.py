"""What an iteration earned where operators cost very different amounts: by how much its children improved."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log
from sys import float_info

KEPT = 0.1
"""Credit of a child that was kept but is no better than where it came from: a program of a new kind."""

IMPROVED = 0.4
"""What an improvement adds at most; one of the usual size adds half of it."""

RECORD = 0.45
"""What a new best of the run adds."""

FADE = 0.98


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A kept child: by how much it is better than its best parent and than what its cell held; None if not known."""

    improvement: float | None
    is_best: bool


class ImprovementReward:
    """Rewards in [0, 1) that need no scale of scores: an improvement counts by the usual size of improvements.

    The usual size is the fading geometric mean of all before, for improvements shrink by orders of magnitude in a run.
    """

    def __init__(self) -> None:
        self._weight = 0.0
        self._log_sum = 0.0

    def of(self, gains: Iterable[Gain]) -> float:
        """The reward of one iteration's kept children; remembers the sizes of their improvements."""
        missed = 1.0
        for gain in gains:
            missed *= 1.0 - self._credit(gain)
        return 1.0 - missed

    def _credit(self, gain: Gain) -> float:
        credit = KEPT + RECORD * gain.is_best
        if gain.improvement is not None and gain.improvement > 0.0:
            size = log(min(gain.improvement, float_info.max))  # two scores may lie further apart than floats reach
            usual = self._log_sum / self._weight if self._weight else size
            credit += IMPROVED / (1.0 + exp(min(usual - size, 700.0)))
            self._weight = FADE * self._weight + 1.0
            self._log_sum = FADE * self._log_sum + size
        return credit
