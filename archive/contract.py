"""The archive's contract: what is offered, what comes back, and what can be asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from archive.candidate import Candidate

Descriptor = Sequence[float | str] | Mapping[str, float | str]
"""The point that places a candidate: one value per axis, in the order of the axes or by their names."""

Values = tuple[float | str, ...]
"""A descriptor as it is kept: in the order of the axes, numbers as floats, categories as names."""


class AddStatus(StrEnum):
    """What became of an offer."""

    REJECTED = "rejected"  # its cell is held by others that are as good or better
    IMPROVED = "improved"  # kept in a cell that held others
    NEW = "new"  # the first in its cell
    OUT_OF_RANGE = "out_of_range"  # an axis with out_of_range = "reject" refused it


STATUS_OF_CODE: tuple[AddStatus, ...] = tuple(AddStatus)
"""Batches carry statuses as small integers: the position in this tuple."""


class AddResult(NamedTuple):
    """What became of one offer (a named tuple: one is made every time, and a frozen dataclass takes twice as long).

    `delta` is the score minus the best score its cell held before, or minus the archive's `qd_offset` where the cell
    was empty: positive exactly when a filled cell has a new best. `cell` is -1 and `delta` 0.0 when out of range.
    `displaced_ids` are the candidates that had to go, best first.
    """

    status: AddStatus
    cell: int
    delta: float
    displaced_ids: tuple[int, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether the candidate is in the archive now."""
        return self.status is AddStatus.NEW or self.status is AddStatus.IMPROVED

    @property
    def displaced_id(self) -> int | None:
        """The best of the displaced, None if nobody had to go."""
        return self.displaced_ids[0] if self.displaced_ids else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddManyResult:
    """What became of a batch, row by row; `statuses` are positions in `STATUS_OF_CODE`, `cells` -1 if out of range.

    Statuses and deltas say what each row would have met alone, against the archive as it was before the batch: two
    rows that open the same cell are both NEW, though only the better is held afterwards.
    """

    statuses: NDArray[np.int8]
    cells: NDArray[np.int64]
    deltas: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.statuses)

    def status(self, row: int) -> AddStatus:
        """The status of one row."""
        return STATUS_OF_CODE[int(self.statuses[row])]


class Elite(NamedTuple):
    """A candidate that is held: `rank` is its place within its cell, 0 the best."""

    candidate: Candidate
    score: float
    descriptor: Values
    cell: int
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveStats:
    """How full and how good an archive is.

    `n_elites` counts everyone held, `n_occupied` the cells that hold anyone. `coverage` is n_occupied / n_cells, in
    [0, 1]. `qd_score` sums over occupied cells the best score minus the archive's offset, from scratch each time.
    `n_clipped` and `n_rejected_range` count offers whose descriptor lay outside the axes.
    """

    n_elites: int
    n_occupied: int
    n_cells: int
    coverage: float
    qd_score: float
    best_score: float | None
    n_clipped: int
    n_rejected_range: int


class Archive(Protocol):
    """Keeps the best candidates of every kind; a pure fold over the offers: same offers in order, same archive."""

    @property
    def n_cells(self) -> int:
        """How many cells there are, filled or not."""

    @property
    def qd_offset(self) -> float:
        """What an empty cell counts as in the QD score: the least score worth having."""

    def add(self, candidate: Candidate, *, score: float, descriptor: Descriptor) -> AddResult:
        """Offer a candidate to its cell; see `AddResult`. Ties keep the older one.

        Raises:
            ArchiveError: score or descriptor is not finite, or does not fit the axes. The archive is unchanged.
        """

    def add_many(
        self,
        candidates: Sequence[Candidate],
        scores: Sequence[float] | NDArray[np.float64],
        descriptors: Sequence[Descriptor] | NDArray[np.float64],
    ) -> AddManyResult:
        """Offer a batch: afterwards the archive is the same as after offering its rows one by one, in order.

        Raises:
            ArchiveError: as `add`, for any row. The archive is unchanged, also by the rows that were right.
        """

    def occupied(self) -> NDArray[np.int64]:
        """The cells that hold anyone, ascending. Read only."""

    def best_scores(self) -> NDArray[np.float64]:
        """The best score of every cell, -inf where nobody is held. Read only."""

    def elites_in(self, cell: int) -> list[Elite]:
        """Who is held in a cell, best first; empty if nobody."""

    def elites(self) -> list[Elite]:
        """Everyone held, by cell, then by rank."""

    def top(self, n: int) -> list[Elite]:
        """The `n` best by score; among equals the smaller id, then the lower cell."""

    @property
    def best(self) -> Elite | None:
        """The first of `top`, None while the archive is empty."""

    def stats(self) -> ArchiveStats:
        """How full and how good it is."""

    def fresh(self) -> Self:
        """An empty archive of the same shape (axes, centroids, cell rule)."""

    def shape(self) -> Mapping[str, Any]:
        """All that decides where an offer lands and who is kept, as JSON data; `build_archive` reads it back."""

    def hash(self) -> str:
        """SHA-256, in hex, of shape and content. Equal content gives an equal hash, whatever order it came in."""
