"""Shelves: the content of all cells of one archive."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archive.candidate import Candidate
from archive.contract import STATUS_OF_CODE, AddResult, AddStatus
from archive.pareto import Held
from archive.space import Codes

_IMPROVED = STATUS_OF_CODE.index(AddStatus.IMPROVED)
_NEW = STATUS_OF_CODE.index(AddStatus.NEW)
_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows offered together; `before` has the best score of each row's cell, -inf if empty."""

    cells: NDArray[np.int64]
    candidates: Sequence[Candidate]
    scores: NDArray[np.float64]
    codes: NDArray[np.float64]
    before: NDArray[np.float64]


class Shelf(Protocol):
    """Cells under one rule. `best_scores` has the best score a cell, -inf where empty; others only read it."""

    best_scores: NDArray[np.float64]

    @property
    def n_held(self) -> int:
        """How many candidates are held in all cells."""

    def offer(self, cell: int, candidate: Candidate, score: float, codes: Codes) -> AddResult:
        """Offer one candidate with a finite score to a cell."""

    def offer_many(self, batch: Batch) -> NDArray[np.int8]:
        """Offer rows, passing over those with a cell below 0; statuses are against the state before the batch."""

    def held_in(self, cell: int) -> Iterable[tuple[Candidate, float, Sequence[float]]]:
        """Who is held with score and codes, best first."""


class BestShelf:
    """One candidate a cell. Scores and codes lie in blocks that Python and numpy share, candidates in a dict."""

    def __init__(self, n_cells: int, n_axes: int, qd_offset: float) -> None:
        self.best_scores: NDArray[np.float64] = np.full(n_cells, -inf)
        self._scores = self.best_scores.data.cast("B").cast("d")
        self._codes = np.zeros((n_cells, n_axes))
        self._flat_codes = self._codes.data.cast("B").cast("d")
        self._n_axes = n_axes
        self._held: dict[int, Candidate] = {}
        self._first: NDArray[np.int64] | None = None
        self._offset = qd_offset

    @property
    def n_held(self) -> int:
        """How many candidates are held in all cells."""
        return len(self._held)

    def offer(self, cell: int, candidate: Candidate, score: float, codes: Codes) -> AddResult:
        """Keep the candidate if its score is strictly higher."""
        old_score = self._scores[cell]
        if score <= old_score:
            return AddResult(AddStatus.REJECTED, cell, score - old_score)
        old = self._held.get(cell)
        self._scores[cell] = score
        self._flat_codes[cell * self._n_axes : (cell + 1) * self._n_axes] = array("d", codes)
        self._held[cell] = candidate
        if old is None:
            return AddResult(AddStatus.NEW, cell, score - self._offset)
        return AddResult(AddStatus.IMPROVED, cell, score - old_score, (old.id,))

    def offer_many(self, batch: Batch) -> NDArray[np.int8]:
        """Of the rows that beat their cell, keep the best a cell, the first among equals."""
        statuses = np.zeros(len(batch.cells), dtype=np.int8)
        rows = np.flatnonzero((batch.scores > batch.before) & (batch.cells >= 0))
        if not len(rows):
            return statuses
        statuses[rows] = np.where(batch.before[rows] == -inf, _NEW, _IMPROVED)
        cells, scores = batch.cells[rows], batch.scores[rows]
        np.maximum.at(self.best_scores, cells, scores)
        rows = self._first_a_cell(rows[scores == self.best_scores[cells]], batch.cells)
        cells = batch.cells[rows]
        self._codes[cells] = batch.codes[rows]
        candidates = batch.candidates
        self._held.update(zip(cells.tolist(), [candidates[row] for row in rows.tolist()], strict=True))
        return statuses

    def _first_a_cell(self, rows: NDArray[np.int64], cells: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._first is None:
            self._first = np.full(len(self.best_scores), _LAST)
        targets = cells[rows]
        np.minimum.at(self._first, targets, rows)
        winners: NDArray[np.int64] = rows[self._first[targets] == rows]
        self._first[targets] = _LAST
        return winners

    def held_in(self, cell: int) -> Iterable[tuple[Candidate, float, Sequence[float]]]:
        """Who is held: one at most."""
        candidate = self._held.get(cell)
        return () if candidate is None else ((candidate, self._scores[cell], self._codes[cell].tolist()),)


class ListRule(Protocol):
    """What a shelf of several candidates a cell asks its rule."""

    def held(self, candidate: Candidate, score: float, codes: Codes) -> Held:
        """The candidate with all that counts for it here."""

    def after(self, held: list[Held], new: Held) -> list[Held] | None:
        """The cell after an offer, best first; None if it stays as it is."""


class ListShelf:
    """Several candidates a cell, as a list sorted by `Held.key`."""

    def __init__(self, n_cells: int, rule: ListRule, qd_offset: float) -> None:
        self.best_scores: NDArray[np.float64] = np.full(n_cells, -inf)
        self.n_held = 0
        self._held: dict[int, list[Held]] = {}
        self._offset = qd_offset
        self._rule = rule

    def offer(self, cell: int, candidate: Candidate, score: float, codes: Codes) -> AddResult:
        """Keep the candidate if the rule says so."""
        return self._offer(cell, self._rule.held(candidate, score, codes))

    def _offer(self, cell: int, new: Held) -> AddResult:
        held = self._held.get(cell, [])
        delta = new.score - (held[0].score if held else self._offset)
        after = self._rule.after(held, new)
        if after is None:
            return AddResult(AddStatus.REJECTED, cell, delta)
        self._held[cell] = after
        self.n_held += len(after) - len(held)
        self.best_scores[cell] = after[0].score
        if not held:
            return AddResult(AddStatus.NEW, cell, delta)
        staying = {id(other) for other in after}
        displaced = tuple(other.candidate.id for other in held if id(other) not in staying)
        return AddResult(AddStatus.IMPROVED, cell, delta, displaced)

    def offer_many(self, batch: Batch) -> NDArray[np.int8]:
        """Judge all rows against the cells as they are, then offer them one by one."""
        statuses = np.zeros(len(batch.cells), dtype=np.int8)
        rows = np.flatnonzero(batch.cells >= 0)
        columns = zip(rows.tolist(), batch.scores[rows].tolist(), batch.codes[rows].tolist(), strict=True)
        offers = [self._rule.held(batch.candidates[row], score, tuple(codes)) for row, score, codes in columns]
        cells = batch.cells[rows].tolist()
        for row, cell, new in zip(rows.tolist(), cells, offers, strict=True):
            held = self._held.get(cell, [])
            if self._rule.after(held, new) is not None:
                statuses[row] = _IMPROVED if held else _NEW
        for cell, new in zip(cells, offers, strict=True):
            self._offer(cell, new)
        return statuses

    def held_in(self, cell: int) -> Iterable[tuple[Candidate, float, Sequence[float]]]:
        """Who is held, best first."""
        return ((held.candidate, held.score, held.codes) for held in self._held.get(cell, ()))
