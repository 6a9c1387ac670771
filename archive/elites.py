"""The archives: a grid of cells, or cells around centroids, with what they keep."""

from collections.abc import Mapping, Sequence
from math import inf, isfinite
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from archive.axes import MAX_CELLS, Axis
from archive.candidate import Candidate
from archive.cells import BestCell, CellRule
from archive.centroids import CentroidSpace, scales_of, spread_centroids
from archive.contract import (
    STATUS_OF_CODE,
    AddManyResult,
    AddResult,
    AddStatus,
    ArchiveStats,
    Descriptor,
    Elite,
)
from archive.digest import digest_of
from archive.errors import ArchiveError
from archive.shelves import Batch
from archive.space import GridSpace, Space, n_clipped

_OUT_OF_RANGE = AddResult(AddStatus.OUT_OF_RANGE, -1, 0.0)
_OUT_OF_RANGE_CODE = STATUS_OF_CODE.index(AddStatus.OUT_OF_RANGE)


class _CellArchive:
    """What both archives are: a space that says where, a shelf that says who. See `archive.contract.Archive`."""

    def __init__(self, space: Space, rule: CellRule, qd_offset: float, kind: Mapping[str, Any]) -> None:
        if not isfinite(qd_offset):
            raise ArchiveError(f"qd_offset must be finite, got {qd_offset!r}")
        self._space = space
        self._codes_of = space.reader.codes_of
        self._place_of = space.place_of
        self._kind = kind
        self._rule = rule
        self._shelf = rule.shelf(space.n_cells, len(space.axes), qd_offset=qd_offset)
        self._offset = float(qd_offset)
        self._n_clipped = 0
        self._n_refused = 0
        self._occupied: NDArray[np.int64] | None = None

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, in the order of descriptors."""
        return self._space.axes

    @property
    def n_cells(self) -> int:
        """How many cells there are, filled or not."""
        return self._space.n_cells

    @property
    def qd_offset(self) -> float:
        """What an empty cell counts as in the QD score."""
        return self._offset

    def add(self, candidate: Candidate, *, score: float, descriptor: Descriptor) -> AddResult:
        """Offer a candidate to its cell. Ties keep the older one, so replaying a run gives the same archive.

        Raises:
            ArchiveError: score or descriptor is not finite, or does not fit the axes. The archive is unchanged.
        """
        try:
            score = float(score) + 0.0
        except OverflowError:  # a whole number that no float can hold
            score = inf
        if not isfinite(score):
            raise ArchiveError(f"score of candidate {candidate.id} must be finite, got {score!r}")
        codes = self._codes_of(descriptor)
        cell, is_clipped = self._place_of(codes)
        if cell < 0:
            self._n_refused += 1
            return _OUT_OF_RANGE
        result = self._shelf.offer(cell, candidate, score, codes)
        if is_clipped:
            self._n_clipped += 1
        if result.status is AddStatus.NEW:
            self._occupied = None
        return result

    def add_many(
        self,
        candidates: Sequence[Candidate],
        scores: Sequence[float] | NDArray[np.float64],
        descriptors: Sequence[Descriptor] | NDArray[np.float64],
    ) -> AddManyResult:
        """Offer a batch: the archive is the same afterwards as after offering its rows one by one, in order.

        Statuses and deltas are against the archive as it was before the batch (`AddManyResult`). An array of numbers
        (rows, axes) for `descriptors` is the fast way.

        Raises:
            ArchiveError: lengths differ, or any row is wrong (see `add`). The archive is unchanged.
        """
        try:
            numbers = np.array(scores, dtype=np.float64) + 0.0
        except OverflowError as error:
            raise ArchiveError(f"every score must be finite: {error}") from error
        if numbers.shape != (len(candidates),) or len(descriptors) != len(candidates):
            raise ArchiveError(
                f"got {len(candidates)} candidates, {numbers.shape} scores, {len(descriptors)} descriptors: "
                "expected one score and one descriptor a candidate"
            )
        if not np.isfinite(numbers).all():
            row = int(np.flatnonzero(~np.isfinite(numbers))[0])
            raise ArchiveError(f"score of row {row} must be finite, got {float(numbers[row])!r}")
        codes = self._space.reader.codes_of_many(descriptors)
        cells = self._space.cells_of(codes)
        before = self._shelf.best_scores[cells]
        with np.errstate(over="ignore"):  # scores as far apart as floats reach, as `add` has it
            deltas = numbers - np.where(before == -np.inf, self._offset, before)
        batch = Batch(cells=cells, candidates=candidates, scores=numbers, codes=codes, before=before)
        statuses = self._shelf.offer_many(batch)
        refused = cells < 0
        if refused.any():
            statuses[refused], deltas[refused] = _OUT_OF_RANGE_CODE, 0.0
            self._n_refused += int(np.count_nonzero(refused))
            codes = codes[~refused]
        self._n_clipped += n_clipped(self.axes, codes)
        self._occupied = None
        return AddManyResult(statuses=statuses, cells=cells, deltas=deltas)

    def cell_of(self, descriptor: Descriptor) -> int:
        """The cell of a descriptor, -1 if an axis refuses it."""
        return self._place_of(self._codes_of(descriptor))[0]

    def occupied(self) -> NDArray[np.int64]:
        """The cells that hold anyone, ascending. Read only."""
        if self._occupied is None:
            self._occupied = np.flatnonzero(self._shelf.best_scores > -np.inf)
            self._occupied.setflags(write=False)
        return self._occupied

    def best_scores(self) -> NDArray[np.float64]:
        """The best score of every cell, -inf where nobody is held. Read only."""
        view = self._shelf.best_scores.view()
        view.setflags(write=False)
        return view

    def elites_in(self, cell: int) -> list[Elite]:
        """Who is held in a cell, best first; empty if nobody."""
        held = enumerate(self._shelf.held_in(cell))
        values_of = self._space.reader.values_of
        return [Elite(candidate, score, values_of(codes), cell, rank) for rank, (candidate, score, codes) in held]

    def elites(self) -> list[Elite]:
        """Everyone held, by cell, then by rank."""
        return [elite for cell in self.occupied().tolist() for elite in self.elites_in(cell)]

    def top(self, n: int) -> list[Elite]:
        """The `n` best by score; among equals the smaller id, then the lower cell."""
        if n < 1:
            return []
        cells = self.occupied()
        if len(cells) > n:
            bests = self._shelf.best_scores[cells]
            cells = cells[bests >= np.partition(bests, -n)[-n]]
        near = [elite for cell in cells.tolist() for elite in self.elites_in(cell)]
        return sorted(near, key=lambda elite: (-elite.score, elite.candidate.id, elite.cell))[:n]

    @property
    def best(self) -> Elite | None:
        """The best by score; the older among equals. None while the archive is empty."""
        top = self.top(1)
        return top[0] if top else None

    def stats(self) -> ArchiveStats:
        """How full and how good the archive is."""
        bests = self._shelf.best_scores[self.occupied()]
        with np.errstate(over="ignore"):
            qd_score = float((bests - self._offset).sum())
        return ArchiveStats(
            n_elites=self._shelf.n_held,
            n_occupied=len(bests),
            n_cells=self.n_cells,
            coverage=len(bests) / self.n_cells,
            qd_score=qd_score,
            best_score=float(bests.max()) if len(bests) else None,
            n_clipped=self._n_clipped,
            n_rejected_range=self._n_refused,
        )

    def shape(self) -> dict[str, Any]:
        """All that decides where an offer lands and who is kept, as JSON data; `build_archive` reads it back."""
        axes = [axis.to_mapping() for axis in self.axes]
        return {**self._kind, **self._rule.to_mapping(), "qd_offset": self._offset, "axes": axes}

    def hash(self) -> str:
        """SHA-256, in hex, of shape and content. Equal content gives an equal hash, whatever order it came in."""
        return digest_of(self.shape(), self.elites())


class GridArchive(_CellArchive):
    """One cell for every combination of positions on the axes (MAP-Elites).

    Mouret and Clune, "Illuminating search spaces by mapping elites" (2015), https://arxiv.org/abs/1504.04909.
    """

    def __init__(self, axes: Sequence[Axis], *, cell: CellRule | None = None, qd_offset: float = 0.0) -> None:
        super().__init__(GridSpace(axes), cell or BestCell(), qd_offset, {"kind": "grid"})

    def fresh(self) -> Self:
        """An empty archive of the same shape."""
        return type(self)(self.axes, cell=self._rule, qd_offset=self._offset)


class CVTArchive(_CellArchive):
    """One cell around every centroid (CVT-MAP-Elites), for many axes or uneven ones.

    `centroids` lie in the unit cube, each axis scaled so that low is 0 and high is 1. Given as a number, they are
    spread by `rng_seed`; store what `centroids` gives, and a run can be repeated whatever the library.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        *,
        centroids: int | Sequence[Sequence[float]] | NDArray[np.float64],
        rng_seed: int = 0,
        cell: CellRule | None = None,
        qd_offset: float = 0.0,
    ) -> None:
        if isinstance(centroids, int):
            if not 0 < centroids <= MAX_CELLS:
                raise ArchiveError(f"got {centroids:,} centroids, expected 1 to {MAX_CELLS:,}")
            centroids = spread_centroids(centroids, len(scales_of(axes)), rng_seed=rng_seed)
        self._centroid_space = CentroidSpace(axes, np.asarray(centroids, dtype=np.float64))
        kind = {"kind": "cvt", "centroids": self.centroids.tolist()}
        super().__init__(self._centroid_space, cell or BestCell(), qd_offset, kind)

    @property
    def centroids(self) -> NDArray[np.float64]:
        """The centroids in the unit cube, one row a cell. Read only."""
        return self._centroid_space.centroids

    def fresh(self) -> Self:
        """An empty archive of the same shape."""
        return type(self)(self.axes, centroids=self.centroids, cell=self._rule, qd_offset=self._offset)
