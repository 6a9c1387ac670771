"""Fronts within a cell: several candidates of which none is beaten in everything by another.

Crowding distance after Deb, Pratap, Agarwal and Meyarivan, "A fast and elitist multiobjective genetic algorithm:
NSGA-II" (2002), https://doi.org/10.1109/4235.996017. A front in every cell of a MAP-Elites grid after Pierrot,
Richard, Beguir and Cully, "Multi-objective quality diversity optimization" (2022), https://arxiv.org/abs/2202.03057.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite

from archive.candidate import Candidate
from archive.errors import ArchiveError
from archive.space import Codes


class Direction(StrEnum):
    """Which way a metric is better."""

    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric that a Pareto cell trades against the score."""

    metric: str
    direction: Direction

    def __str__(self) -> str:
        return f"{self.direction}:{self.metric}"

    @classmethod
    def parse(cls, text: str) -> "Objective":
        """Read "min:operations" or "max:accuracy".

        Raises:
            ArchiveError: the direction or the name is missing.
        """
        direction, _, metric = text.partition(":")
        if direction not in tuple(Direction) or not metric:
            raise ArchiveError(f'expected "min:NAME" or "max:NAME" (NAME of a metric), got {text!r}')
        return cls(metric, Direction(direction))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """A candidate in a cell of several. `goods` is all that counts, higher is better, the score first."""

    candidate: Candidate
    score: float
    codes: Codes
    goods: tuple[float, ...]

    @property
    def key(self) -> tuple[float, int, str]:
        """The order within a cell: best score first, then smaller id. It does not depend on who came first."""
        return (-self.score, self.candidate.id, self.candidate.fingerprint)


def goods_of(candidate: Candidate, score: float, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """The score and the objectives, all turned so that higher is better.

    Raises:
        ArchiveError: a metric is missing or not finite.
    """
    goods = [score]
    for objective in objectives:
        value = candidate.metrics.get(objective.metric)
        if value is None or not isfinite(value):
            has = ", ".join(candidate.metrics) or "none"
            raise ArchiveError(
                f"a Pareto cell needs the finite metric {objective.metric!r}, got {value!r} "
                f"(metrics of candidate {candidate.id}: {has}): check [archive].metrics"
            )
        goods.append(float(value) if objective.direction is Direction.MAX else -float(value))
    return tuple(goods)


def front_after(held: list[Held], new: Held, *, keep: int) -> list[Held] | None:
    """The front after an offer, best score first; None if the offer does not change it."""
    twin = next((other for other in held if other.candidate.fingerprint == new.candidate.fingerprint), None)
    if twin is not None and new.score <= twin.score:
        return None
    others = [other for other in held if other is not twin]
    if any(_covers(other.goods, new.goods) for other in others):
        return None
    front = [other for other in others if not _covers(new.goods, other.goods)]
    front = sorted([*front, new], key=lambda other: other.key)
    if len(front) <= keep:
        return front
    crowded = _most_crowded(front)
    return None if crowded is new else [other for other in front if other is not crowded]


def _covers(left: tuple[float, ...], right: tuple[float, ...]) -> bool:
    return all(mine >= theirs for mine, theirs in zip(left, right, strict=True))


def _most_crowded(front: list[Held]) -> Held:
    """Whose neighbours are nearest, never the first; among equals the last in the order of the cell."""
    distances = dict.fromkeys(range(len(front)), 0.0)
    for axis in range(len(front[0].goods)):
        order = sorted(range(len(front)), key=lambda place: (front[place].goods[axis], place))
        low, high = front[order[0]].goods[axis], front[order[-1]].goods[axis]
        distances[order[0]] = distances[order[-1]] = inf
        if high - low <= 0.0:
            continue
        for before, place, after in zip(order, order[1:], order[2:], strict=False):
            distances[place] += (front[after].goods[axis] - front[before].goods[axis]) / (high - low)
    return front[min(range(1, len(front)), key=lambda place: (distances[place], -place))]
