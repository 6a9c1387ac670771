"""Cell rules: who may stay in a cell. `BestCell` keeps one, `TopCell` several, `ParetoCell` a front."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

from archive.candidate import Candidate
from archive.errors import ArchiveError
from archive.pareto import Held, Objective, front_after, goods_of
from archive.shelves import BestShelf, ListShelf, Shelf
from archive.space import Codes


class CellRule(Protocol):
    """Describes who may stay in a cell."""

    def shelf(self, n_cells: int, n_axes: int, *, qd_offset: float) -> Shelf:
        """Empty cells under this rule."""

    def to_mapping(self) -> dict[str, Any]:
        """The rule as JSON data."""


@dataclass(frozen=True, slots=True)
class BestCell:
    """One elite a cell: the highest score, ties keep the older."""

    def shelf(self, n_cells: int, n_axes: int, *, qd_offset: float) -> Shelf:
        """Empty cells under this rule."""
        return BestShelf(n_cells, n_axes, qd_offset)

    def to_mapping(self) -> dict[str, Any]:
        """The rule as JSON data."""
        return {"cell": "best"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TopCell:
    """The `keep` best of distinct fingerprints; of equal fingerprints the better. A tie with the last is rejected.

    Scores closer together than `apart` count as the same discovery: of these, too, only the better is kept. Without it
    rewritings of one program can fill a cell, and the search loses its stepping stones.
    """

    keep: int = 4
    apart: float = 0.0

    def __post_init__(self) -> None:
        """Check that anyone can be kept."""
        if self.keep < 1:
            raise ArchiveError(f"a cell must keep at least 1, got keep={self.keep}")
        if not 0.0 <= self.apart < inf:
            raise ArchiveError(f"scores must be a finite distance apart, 0 or more, got apart={self.apart}")

    def shelf(self, n_cells: int, n_axes: int, *, qd_offset: float) -> Shelf:  # noqa: ARG002 codes are kept a row
        """Empty cells under this rule."""
        return ListShelf(n_cells, self, qd_offset)

    def after(self, held: list[Held], new: Held) -> list[Held] | None:
        """The cell after an offer, None if it stays as it is."""
        if len(held) >= self.keep and new.score <= held[-1].score:
            return None
        same = [other for other in held if self._is_same(other, new)]
        if any(new.score <= other.score for other in same):
            return None
        kept = [other for other in held if all(other is not each for each in same)]
        kept.insert(bisect_left(kept, new.key, key=lambda other: other.key), new)
        return kept[: self.keep]

    def held(self, candidate: Candidate, score: float, codes: Codes) -> Held:
        """Only the score counts."""
        return Held(candidate=candidate, score=score, codes=codes, goods=(score,))

    def _is_same(self, one: Held, other: Held) -> bool:
        same_text = one.candidate.fingerprint == other.candidate.fingerprint
        return same_text or abs(one.score - other.score) < self.apart

    def to_mapping(self) -> dict[str, Any]:
        """The rule as JSON data."""
        return {"cell": "top", "keep": self.keep} | ({"apart": self.apart} if self.apart else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoCell:
    """A front: those no other in the cell beats in the score and every objective at once, at most `keep` of them.

    The score always counts. When the front is full, the candidate in its most crowded place goes (crowding distance,
    see `archive.pareto`), never the best by score. Who is equal in everything to one held is rejected.
    """

    objectives: Sequence[Objective]
    keep: int = 8

    def __post_init__(self) -> None:
        """Check that there is something to trade against the score."""
        object.__setattr__(self, "objectives", tuple(self.objectives))
        if self.keep < 1 or not self.objectives:
            raise ArchiveError(f"a Pareto cell needs objectives and keep >= 1, got keep={self.keep}, {self.objectives}")

    def shelf(self, n_cells: int, n_axes: int, *, qd_offset: float) -> Shelf:  # noqa: ARG002 codes are kept a row
        """Empty cells under this rule."""
        return ListShelf(n_cells, self, qd_offset)

    def after(self, held: list[Held], new: Held) -> list[Held] | None:
        """The cell after an offer, None if it stays as it is."""
        return front_after(held, new, keep=self.keep)

    def held(self, candidate: Candidate, score: float, codes: Codes) -> Held:
        """The score and the objectives count.

        Raises:
            ArchiveError: an objective is not among the candidate's metrics, or not finite.
        """
        goods = goods_of(candidate, score, self.objectives)
        return Held(candidate=candidate, score=score, codes=codes, goods=goods)

    def to_mapping(self) -> dict[str, Any]:
        """The rule as JSON data."""
        return {"cell": "pareto", "keep": self.keep, "metrics": [str(objective) for objective in self.objectives]}
