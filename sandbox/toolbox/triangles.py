"""Heilbronn's problem: points of a region whose smallest triangle is as large as possible."""

from itertools import combinations
from typing import Any

import numpy as np

from sandbox.toolbox.compiled import compiled
from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.maxmin import Bounds, MaxMin

TRIANGLE = "triangle"
SQUARE = "square"
CONVEX = "convex"


class Heilbronn(MaxMin):
    """`n` points of a region of area 1/2 (triangle) or 1: the smallest triangle's area as a part of the region's.

    `region` is `triangle` (the points (0, 0), (1, 0), (0, 1); all triangles are alike under affine maps), `square`, or
    `convex`: the convex hull of the points themselves.
    """

    def __init__(
        self, n: int, region: str = TRIANGLE, *, work: float, seed: int, warm: FloatArray | None = None
    ) -> None:
        areas = Areas(n, region)
        super().__init__(n, areas, areas, work=work, seed=seed, warm=warm)


class Areas:
    """Points of a region, and the areas of the triangles that they span."""

    bounds: Bounds = (0.0, 1.0)

    def __init__(self, n: int, region: str) -> None:
        if region not in (TRIANGLE, SQUARE, CONVEX):
            raise ValueError(f"region is {region!r}, expected {TRIANGLE}, {SQUARE} or {CONVEX}")
        self.n = n
        self._region = region
        self._triples = np.array(list(combinations(range(n), 3)), np.int64)
        unit = np.eye(2 * n)
        self._wall_rows = np.vstack([-unit, unit if region == SQUARE else np.repeat(np.eye(n), 2, axis=1)])

    def anywhere(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Uniform points; for a convex region, of the unit square."""
        points = rng.random((n, 2))
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

    def values(self, points: FloatArray) -> FloatArray:
        """The areas of all triangles, as parts of the region's area."""
        return np.asarray(np.abs(self._twice(points)) / self._region_twice(points), np.float64)

    def slopes(self, points: FloatArray) -> FloatArray:
        """Their derivatives, that of the hull's area included."""
        areas = self._twice(points)
        whole = self._region_twice(points)
        slopes = _area_slopes(np.ascontiguousarray(points), self._triples, areas) / whole
        if self._region == CONVEX:
            slopes -= (np.abs(areas) / whole**2)[:, None] * self._hull_slope(points)
        return np.asarray(slopes, np.float64)

    def gradient(self, points: FloatArray, weights: FloatArray) -> FloatArray:
        """By the slopes, which hold everywhere."""
        return np.asarray(self.slopes(points).T @ weights, np.float64)

    def walls(self, points: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        """Points stay in the triangle or the square."""
        if self._region == CONVEX:
            return None
        far = 1.0 - (points.ravel() if self._region == SQUARE else points.sum(1))
        return self._wall_rows, np.concatenate([points.ravel(), far])

    def _twice(self, points: FloatArray) -> FloatArray:
        return np.asarray(_doubled_areas(np.ascontiguousarray(points), self._triples), np.float64)

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


@compiled("float64[::1](float64[:,::1], int64[:,::1])")
def _doubled_areas(points: Any, triples: Any) -> Any:
    """Twice the areas, positive where a triangle turns left."""
    areas = np.empty(len(triples))
    for row in range(len(triples)):
        p, q, r = points[triples[row, 0]], points[triples[row, 1]], points[triples[row, 2]]
        areas[row] = (q[0] - p[0]) * (r[1] - p[1]) - (r[0] - p[0]) * (q[1] - p[1])
    return areas


@compiled("float64[:,::1](float64[:,::1], int64[:,::1], float64[::1])")
def _area_slopes(points: Any, triples: Any, areas: Any) -> Any:
    """The derivatives of twice the areas without sign, by x and y of every point."""
    slopes = np.zeros((len(triples), 2 * len(points)))
    for row in range(len(triples)):
        sign = 1.0 if areas[row] >= 0.0 else -1.0
        for corner in range(3):
            here, ahead = triples[row, corner], triples[row, (corner + 1) % 3]
            behind = triples[row, (corner + 2) % 3]
            slopes[row, 2 * here] = sign * (points[ahead, 1] - points[behind, 1])
            slopes[row, 2 * here + 1] = sign * (points[behind, 0] - points[ahead, 0])
    return slopes


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
