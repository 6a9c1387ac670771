"""Circles with the largest sum of radii in a rectangle: the unit square, or one of perimeter 4 whose shape is free."""

from typing import Annotated

import numpy as np

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.linear import FloatArray, highest
from sandbox.toolbox.moves import jittered, relocated, stirred

SHRINK = 0.6
SETTLED = 1e-3
NEARBY = 0.07
ROUND_WORK = 0.02
ENTRIES_PER_WORK = 220_000
"""Of the linear program's matrix: what a round costs, measured from 15 to 40 circles."""
MISSED = 1e-12
SQUARE = "square"
RECTANGLE = "rectangle"


class Circles(Toolbox[FloatArray]):
    """`n` circles; an object is the centres, then the width of the box: shape (n + 1, 2), the last row (width, height).

    Given the centres, the best radii are a linear program; its answer is the value. A distance is at least what its
    tangent says, so that a move found by a linear program of tangents is a packing: every step of `press` is one.
    """

    def __init__(self, n: int, box: str = SQUARE, *, work: float, seed: int, warm: FloatArray | None = None) -> None:
        super().__init__(self.sum_of_radii, work=work, seed=seed, warm=warm)
        if box not in (SQUARE, RECTANGLE):
            raise ValueError(f"box is {box!r}, expected {SQUARE} or {RECTANGLE}")
        self.n, self._is_free = n, box == RECTANGLE
        self._pairs = np.triu_indices(n, 1)
        self._known: tuple[bytes, FloatArray] = (b"", np.zeros(n))

    def sum_of_radii(self, thing: FloatArray) -> float:
        """The sum of the best radii."""
        return float(self.radii(thing).sum())

    def radii(self, thing: FloatArray) -> FloatArray:
        """The best radii for these centres, shape (n,)."""
        key = thing.tobytes()
        if self._known[0] != key:
            self._known = (key, self._best_radii(thing))
        return self._known[1]

    @step(START)
    def random(self) -> FloatArray:
        """Independent centres."""
        self.spend(SMALL_WORK)
        return self._boxed(self.rng.random((self.n, 2)), 1.0)

    @step(START)
    def hexagonal(
        self,
        *,
        rows: Annotated[int, Whole(2, 12, 5)] = 5,
        size: Annotated[float, Real(0.0, 0.2, 0.03)] = 0.03,
    ) -> FloatArray:
        """Rows shifted by half a step against each other, each centre moved a little."""
        self.spend(SMALL_WORK)
        per_row = -(-self.n // rows)
        index = np.arange(rows * per_row)
        row, place = index // per_row, index % per_row
        centres = np.column_stack([(place + 0.25 + 0.5 * (row % 2)) / per_row, (row + 0.5) / rows])
        kept = centres[self.rng.permutation(len(centres))[: self.n]]
        return self._boxed(kept + self.rng.normal(0.0, size, kept.shape), 1.0)

    @step(MOVE)
    def jitter(self, thing: FloatArray, *, size: Annotated[float, Real(1e-3, 0.3, 0.05)] = 0.05) -> FloatArray:
        """All centres, each moved a little."""
        self.spend(SMALL_WORK)
        return self._boxed(jittered(thing[:-1], size, self.rng), thing[-1, 0])

    @step(MOVE)
    def relocate(self, thing: FloatArray, *, count: Annotated[int, Whole(1, 8, 2)] = 2) -> FloatArray:
        """Some circles, moved anywhere."""
        self.spend(SMALL_WORK)
        fresh = self.rng.random((min(count, self.n), 2)) * thing[-1]
        return self._boxed(relocated(thing[:-1], fresh, self.rng), thing[-1, 0])

    @step(MOVE)
    def stir(
        self,
        thing: FloatArray,
        *,
        count: Annotated[int, Whole(2, 12, 6)] = 6,
        size: Annotated[float, Real(0.01, 0.4, 0.1)] = 0.1,
    ) -> FloatArray:
        """The neighbourhood of a random place: its nearest circles, each moved."""
        self.spend(SMALL_WORK)
        place = self.rng.random(2) * thing[-1]
        return self._boxed(stirred(thing[:-1], place, count, size, self.rng), thing[-1, 0])

    @step(SOLVE)
    def press(
        self,
        thing: FloatArray,
        *,
        rounds: Annotated[int, Whole(1, 60, 30)] = 30,
        trust: Annotated[float, Real(0.005, 0.5, 0.2)] = 0.2,
        gain: Annotated[float, Real(1e-14, 1e-2, 1e-5)] = 1e-5,
    ) -> FloatArray:
        """Sequential linear programs over centres and radii, while a round gains at least `gain`."""
        before = 0.0
        for _ in range(rounds):
            self.spend(ROUND_WORK + (3 * self.n + 1) * (len(self._pairs[0]) + 4 * self.n) / ENTRIES_PER_WORK)
            found = self._tangent_step(thing, trust)
            if found is None:
                break
            thing, value = found
            if value - before < gain:
                break
            if value - before < SETTLED:
                trust *= SHRINK
            before = value
        self.show(thing)
        return thing

    def _boxed(self, centres: FloatArray, width: float) -> FloatArray:
        width = float(np.clip(width, 0.2, 1.8)) if self._is_free else 1.0
        corner = np.array([width, 2.0 - width])
        return np.vstack([np.clip(centres, 1e-3, corner - 1e-3), corner])

    def _gaps(self, centres: FloatArray) -> tuple[FloatArray, FloatArray]:
        first, second = self._pairs
        apart = centres[first] - centres[second]
        return apart, np.maximum(np.hypot(apart[:, 0], apart[:, 1]), 1e-12)

    def _best_radii(self, thing: FloatArray) -> FloatArray:
        centres, corner = thing[:-1], thing[-1]
        _, gaps = self._gaps(centres)
        room = np.maximum(np.minimum(centres, corner - centres).min(1), 0.0)
        first, second = self._pairs
        touching = gaps < room[first] + room[second]
        matrix = np.zeros((int(touching.sum()), self.n))
        each = np.arange(len(matrix))
        matrix[each, first[touching]] = matrix[each, second[touching]] = 1.0
        found = highest(np.ones(self.n), matrix, gaps[touching], np.zeros(self.n), room)
        return np.zeros(self.n) if found is None else np.maximum(found, 0.0)

    def _tangent_step(self, thing: FloatArray, trust: float) -> tuple[FloatArray, float] | None:
        """Solved over what is near, and again with those that were not and overlap."""
        centres, corner, n = thing[:-1], thing[-1], self.n
        apart, gaps = self._gaps(centres)
        radii, (first, second) = self.radii(thing), self._pairs
        rows = np.vstack([self._tangents(apart / gaps[:, None]), self._walls()])
        limits = np.concatenate([gaps, centres.T.ravel(), (corner - centres).T.ravel()])
        near = limits < np.concatenate([radii[first] + radii[second], np.tile(radii, 4)]) + min(trust, NEARBY)
        wide = trust if self._is_free else 0.0
        low = np.concatenate([np.full(2 * n, -trust), np.zeros(n), [-wide]])
        high = np.concatenate([np.full(2 * n, trust), np.ones(n), [wide]])
        gains = np.concatenate([np.zeros(2 * n), np.ones(n), [0.0]])
        while True:
            found = highest(gains, rows[near], limits[near], low, high)
            if found is None:
                return None
            missed = ~near & (rows @ found - limits > MISSED)
            if not missed.any():
                break
            near |= missed
        moved = centres + found[: 2 * n].reshape(n, 2)
        return self._boxed(moved, corner[0] + found[-1]), float(found[2 * n : 3 * n].sum())

    def _tangents(self, unit: FloatArray) -> FloatArray:
        """Rows for pairs over the moves, the radii and the box's growth: radii less what the pair moves apart."""
        n, (first, second) = self.n, self._pairs
        each, rows = np.arange(len(unit)), np.zeros((len(unit), 3 * n + 1))
        for axis in range(2):
            rows[each, 2 * first + axis] = -unit[:, axis]
            rows[each, 2 * second + axis] = unit[:, axis]
        rows[each, 2 * n + first] = rows[each, 2 * n + second] = 1.0
        return rows

    def _walls(self) -> FloatArray:
        """Rows for the four walls; the far ones move with the box: right when it widens, down as much."""
        n, circle = self.n, np.arange(self.n)
        rows = np.zeros((4, n, 3 * n + 1))
        rows[:, circle, 2 * n + circle] = 1.0
        for axis in range(2):
            rows[axis, circle, 2 * circle + axis] = -1.0
            rows[2 + axis, circle, 2 * circle + axis] = 1.0
            rows[2 + axis, :, 3 * n] = -1.0 if axis == 0 else 1.0
        return rows.reshape(4 * n, -1)
