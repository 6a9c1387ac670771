"""Points that are far apart: the smallest distance against the largest, and points on a sphere."""

import numpy as np

from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.maxmin import Bounds, MaxMin
from sandbox.toolbox.points import pair_slopes

NEAR = 1e-12


class DistanceRatio(MaxMin):
    """`n` points of dimension `d`: their smallest distance divided by their largest."""

    def __init__(self, n: int, d: int, *, work: float, seed: int, warm: FloatArray | None = None) -> None:
        place = WidestApart(n, d)
        super().__init__(n, place, place, work=work, seed=seed, warm=warm)


class SphericalCode(MaxMin):
    """`n` points on the unit sphere of dimension `d`: their smallest distance (chord)."""

    def __init__(self, n: int, d: int, *, work: float, seed: int, warm: FloatArray | None = None) -> None:
        place = Sphere(n, d)
        super().__init__(n, place, place, work=work, seed=seed, warm=warm)


class WidestApart:
    """Points whose largest distance is 1, and their distances in units of it."""

    bounds: Bounds = (None, None)

    def __init__(self, n: int, d: int) -> None:
        self.n, self.d = n, d
        self.pairs = np.triu_indices(n, 1)

    def anywhere(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Points of a ball of diameter 1, uniformly."""
        directions = rng.normal(size=(n, self.d))
        directions /= np.maximum(np.linalg.norm(directions, axis=1), NEAR)[:, None]
        return np.asarray(0.5 * directions * rng.random((n, 1)) ** (1.0 / self.d), np.float64)

    def inside(self, points: FloatArray) -> FloatArray:
        """Around the origin, with the largest distance 1."""
        centred = points - points.mean(0)
        if len(centred) < self.n:
            return np.asarray(centred, np.float64)
        return np.asarray(centred / max(self._distances(centred).max(), NEAR), np.float64)

    def values(self, points: FloatArray) -> FloatArray:
        """All distances in units of the largest."""
        gaps = self._distances(points)
        return np.asarray(gaps / max(gaps.max(), NEAR), np.float64)

    def slopes(self, points: FloatArray) -> FloatArray:
        """Of the distances, the largest being kept by `walls`."""
        return pair_slopes(self._directions(points), self.pairs, self.n)

    def gradient(self, points: FloatArray, weights: FloatArray) -> FloatArray:
        """The largest distance, which the others are measured by, changes too."""
        gaps, slopes = self._distances(points), self.slopes(points)
        widest = int(gaps.argmax())
        pulled = weights.copy()
        pulled[widest] -= weights @ gaps / gaps[widest]
        return np.asarray(slopes.T @ pulled / gaps[widest], np.float64)

    def walls(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """No distance grows above 1."""
        return self.slopes(points), 1.0 - self._distances(points)

    def _distances(self, points: FloatArray) -> FloatArray:
        first, second = self.pairs
        return np.asarray(np.linalg.norm(points[first] - points[second], axis=1), np.float64)

    def _directions(self, points: FloatArray) -> FloatArray:
        first, second = self.pairs
        return np.asarray((points[first] - points[second]) / np.maximum(self._distances(points), NEAR)[:, None])


class Sphere:
    """Points of norm 1, and their distances."""

    bounds: Bounds = (None, None)

    def __init__(self, n: int, d: int) -> None:
        self.n, self.d = n, d
        self.pairs = np.triu_indices(n, 1)

    def anywhere(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Points of the sphere, uniformly."""
        return self.inside(rng.normal(size=(n, self.d)))

    def inside(self, points: FloatArray) -> FloatArray:
        """Points of norm 1."""
        return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1), NEAR)[:, None], np.float64)

    def values(self, points: FloatArray) -> FloatArray:
        """All distances of the points' directions."""
        first, second = self.pairs
        there = self.inside(points)
        return np.asarray(np.linalg.norm(there[first] - there[second], axis=1), np.float64)

    def gradient(self, points: FloatArray, weights: FloatArray) -> FloatArray:
        """Along the sphere only, and by the norms of points off it."""
        norms = np.maximum(np.linalg.norm(points, axis=1), NEAR)[:, None]
        there = points / norms
        pull = (self.slopes(there).T @ weights).reshape(points.shape)
        along = (pull * there).sum(1)[:, None] * there
        return np.asarray((pull - along) / norms, np.float64).ravel()

    def slopes(self, points: FloatArray) -> FloatArray:
        """Their derivatives."""
        first, second = self.pairs
        gaps = np.maximum(self.values(points), NEAR)
        return pair_slopes((points[first] - points[second]) / gaps[:, None], self.pairs, self.n)

    def walls(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Moves stay in the tangent plane."""
        normal = np.zeros((self.n, self.n, self.d))
        normal[np.arange(self.n), np.arange(self.n)] = points
        flat = normal.reshape(self.n, -1)
        return np.vstack([flat, -flat]), np.zeros(2 * self.n)
