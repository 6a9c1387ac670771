"""Circles with the largest sum of radii in a rectangle: the unit square, or one of perimeter 4 whose shape is free."""

from typing import Annotated

import numpy as np
from scipy.sparse import csr_array

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.linear import FloatArray, highest

SHRINK = 0.6
SETTLED = 1e-3
SQUARE = "square"
RECTANGLE = "rectangle"


class Circles(Toolbox[FloatArray]):
    """`n` circles; an object is the centres, then the width of the box: shape (n + 1, 2), the last row (width, height).

    Given the centres, the best radii are a linear program; its answer is the value. A distance is at least what its
    tangent says, so that a move found by a linear program of tangents is a packing: every step of `press` is one.
    """

    def __init__(self, n: int, box: str = SQUARE, *, work: float, seed: int, warm: FloatArray | None = None) -> None:
        super().__init__(work=work, seed=seed, warm=warm)
        if box not in (SQUARE, RECTANGLE):
            raise ValueError(f"box is {box!r}, expected {SQUARE} or {RECTANGLE}")
        self.n, self._is_free = n, box == RECTANGLE
        self._pairs = np.triu_indices(n, 1)
        self._known: tuple[bytes, FloatArray] = (b"", np.zeros(n))

    def value(self, thing: FloatArray) -> float:
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
        return self._boxed(thing[:-1] + self.rng.normal(0.0, size, (self.n, 2)), thing[-1, 0])

    @step(MOVE)
    def relocate(self, thing: FloatArray, *, count: Annotated[int, Whole(1, 8, 2)] = 2) -> FloatArray:
        """Some circles, moved anywhere."""
        self.spend(SMALL_WORK)
        centres, count = thing[:-1].copy(), min(count, self.n)
        centres[self.rng.choice(self.n, count, replace=False)] = self.rng.random((count, 2)) * thing[-1]
        return self._boxed(centres, thing[-1, 0])

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
        centres = thing[:-1].copy()
        near = np.argsort(((centres - self.rng.random(2) * thing[-1]) ** 2).sum(1))[:count]
        centres[near] += self.rng.normal(0.0, size, (len(near), 2))
        return self._boxed(centres, thing[-1, 0])

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
            self.spend(1.0)
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
        room = np.minimum(centres, corner - centres).min(1)
        m = len(gaps)
        rows = np.tile(np.arange(m), 2)
        matrix = csr_array((np.ones(2 * m), (rows, np.concatenate(self._pairs))), shape=(m, self.n))
        found = highest(np.ones(self.n), matrix, gaps, np.zeros(self.n), np.maximum(room, 0.0))
        return np.zeros(self.n) if found is None else np.maximum(found, 0.0)

    def _tangent_step(self, thing: FloatArray, trust: float) -> tuple[FloatArray, float] | None:
        centres, corner, n = thing[:-1], thing[-1], self.n
        matrix, limits = self._tangents(centres, corner)
        gains = np.concatenate([np.zeros(2 * n), np.ones(n), [0.0]])
        wide = trust if self._is_free else 0.0
        low = np.concatenate([np.full(2 * n, -trust), np.zeros(n), [-wide]])
        high = np.concatenate([np.full(2 * n, trust), np.full(n, 1.0), [wide]])
        found = highest(gains, matrix, limits, low, high)
        if found is None:
            return None
        moved = centres + found[: 2 * n].reshape(2, n).T
        return self._boxed(moved, corner[0] + found[-1]), float(found[2 * n : 3 * n].sum())

    def _tangents(self, centres: FloatArray, corner: FloatArray) -> tuple[csr_array, FloatArray]:
        """Rows for pairs and walls over the moves in x, the moves in y, the radii, and the box's growth in width."""
        n = self.n
        apart, gaps = self._gaps(centres)
        m = len(gaps)
        unit = (apart / gaps[:, None]).T
        first, second = self._pairs
        each, circle = np.arange(m), np.arange(n)
        rows, columns = [np.tile(each, 6)], [2 * n + first, 2 * n + second, first, second, n + first, n + second]
        entries = [np.ones(2 * m), -unit[0], unit[0], -unit[1], unit[1]]
        limits, at = [gaps], m
        for axis in range(2):
            for sign in (1.0, -1.0):
                rows.append(np.tile(at + circle, 2))
                columns += [2 * n + circle, axis * n + circle]
                entries += [np.ones(n), np.full(n, -sign)]
                limits.append(centres[:, axis] if sign > 0 else corner[axis] - centres[:, axis])
                if sign < 0:  # the far wall moves with the box: right when it widens, down as much
                    rows.append(at + circle)
                    columns.append(np.full(n, 3 * n))
                    entries.append(np.full(n, -1.0 if axis == 0 else 1.0))
                at += n
        place = (np.concatenate(rows), np.concatenate(columns))
        return csr_array((np.concatenate(entries), place), shape=(at, 3 * n + 1)), np.concatenate(limits)
