"""Heilbronn's problem: points of a region whose smallest triangle is as large as possible."""

from itertools import combinations

import numpy as np
from scipy.sparse import csr_array, kron, vstack

from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.points import Points

TRIANGLE = "triangle"
SQUARE = "square"
CONVEX = "convex"


class Heilbronn(Points):
    """`n` points of a region of area 1/2 (triangle) or 1: the smallest triangle's area as a part of the region's.

    `region` is `triangle` (the points (0, 0), (1, 0), (0, 1); all triangles are alike under affine maps), `square`, or
    `convex`: the convex hull of the points themselves.
    """

    def __init__(
        self, n: int, region: str = TRIANGLE, *, work: float, seed: int, warm: FloatArray | None = None
    ) -> None:
        super().__init__(n, 2, work=work, seed=seed, warm=warm)
        if region not in (TRIANGLE, SQUARE, CONVEX):
            raise ValueError(f"region is {region!r}, expected {TRIANGLE}, {SQUARE} or {CONVEX}")
        self._region = region
        self._triples = np.array(list(combinations(range(n), 3))).T

    bounds = (0.0, 1.0)

    def anywhere(self, n: int) -> FloatArray:
        """Uniform points; for a convex region, of the unit square."""
        points = self.rng.random((n, 2))
        if self._region == TRIANGLE:
            outside = points.sum(1) > 1.0
            points[outside] = 1.0 - points[outside]
        return np.asarray(points, np.float64)

    def inside(self, points: FloatArray) -> FloatArray:
        """The nearest points of the region, or about so; a convex region is brought to the unit square by scale."""
        if self._region == TRIANGLE:
            kept = np.maximum(points, 0.0)
            return np.asarray(kept / np.maximum(kept.sum(1), 1.0)[:, None], np.float64)
        if self._region == SQUARE or len(points) < self.n:
            return np.clip(points, 0.0, 1.0)
        low, high = points.min(0), points.max(0)
        return np.asarray((points - low) / np.maximum(high - low, 1e-12), np.float64)

    def measures(self, points: FloatArray) -> FloatArray:
        """The areas of all triangles, as parts of the region's area."""
        return np.asarray(np.abs(self._twice(points)) / self._region_twice(points), np.float64)

    def slopes(self, points: FloatArray) -> csr_array:
        """Their derivatives, that of the hull's area included."""
        areas = self._twice(points)
        whole = self._region_twice(points)
        signs = np.where(areas >= 0.0, 1.0, -1.0) / whole
        i, j, k = self._triples
        p, q, r = points[i], points[j], points[k]
        rows, columns, entries = [], [], []
        for corner, across in ((i, q - r), (j, r - p), (k, p - q)):
            for axis, part in ((0, across[:, 1]), (1, -across[:, 0])):
                rows.append(np.arange(len(i)))
                columns.append(2 * corner + axis)
                entries.append(part * signs)
        shape = (len(i), 2 * self.n)
        slopes = csr_array((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
        if self._region != CONVEX:
            return slopes
        grown = csr_array((np.abs(areas) / whole**2)[:, None] @ self._hull_slope(points)[None])
        return csr_array(slopes - grown)

    def walls(self, points: FloatArray) -> tuple[csr_array, FloatArray] | None:
        """Points stay in the triangle or the square."""
        if self._region == CONVEX:
            return None
        unit = csr_array(np.eye(2 * self.n))
        if self._region == SQUARE:
            return csr_array(vstack([-unit, unit])), np.concatenate([points.ravel(), 1.0 - points.ravel()])
        sums = kron(csr_array(np.eye(self.n)), csr_array(np.ones((1, 2))))
        return csr_array(vstack([-unit, sums])), np.concatenate([points.ravel(), 1.0 - points.sum(1)])

    def _twice(self, points: FloatArray) -> FloatArray:
        i, j, k = self._triples
        one, two = points[j] - points[i], points[k] - points[i]
        return np.asarray(one[:, 0] * two[:, 1] - two[:, 0] * one[:, 1], np.float64)

    def _region_twice(self, points: FloatArray) -> float:
        if self._region == CONVEX:
            hull = points[convex_hull(points)]
            return max(float(_shoelace(hull)), 1e-12)
        return 1.0 if self._region == TRIANGLE else 2.0

    def _hull_slope(self, points: FloatArray) -> FloatArray:
        order = convex_hull(points)
        ahead, behind = points[np.roll(order, -1)], points[np.roll(order, 1)]
        slope = np.zeros((self.n, 2))
        slope[order, 0] = ahead[:, 1] - behind[:, 1]
        slope[order, 1] = behind[:, 0] - ahead[:, 0]
        return slope.ravel()


def convex_hull(points: FloatArray) -> list[int]:
    """The corners of the hull, counter-clockwise (Andrew's monotone chain)."""
    order = sorted(range(len(points)), key=lambda index: (points[index, 0], points[index, 1]))
    lower: list[int] = []
    upper: list[int] = []
    for chain, indices in ((lower, order), (upper, order[::-1])):
        for index in indices:
            while len(chain) > 1 and not _turns_left(points, chain[-2], chain[-1], index):
                chain.pop()
            chain.append(index)
    return lower[:-1] + upper[:-1]


def _turns_left(points: FloatArray, one: int, two: int, three: int) -> bool:
    a, b = points[two] - points[one], points[three] - points[one]
    return bool(a[0] * b[1] - a[1] * b[0] > 0.0)


def _shoelace(hull: FloatArray) -> float:
    ahead = np.roll(hull, -1, axis=0)
    return float(hull[:, 0] @ ahead[:, 1] - hull[:, 1] @ ahead[:, 0])
