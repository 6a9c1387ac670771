"""Centroidal cells: a fixed set of points in the unit cube; a descriptor belongs to the nearest.

Centroidal Voronoi tessellations for MAP-Elites after Vassiliades, Chatzilygeroudis and Mouret, "Using centroidal
Voronoi tessellations to scale up the multidimensional archive of phenotypic elites algorithm" (2018),
https://arxiv.org/abs/1610.05729.
"""

from collections.abc import Sequence
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archive.axes import MAX_CELLS, REFUSED, Axis, LinearAxis, LogAxis, OutOfRange
from archive.errors import ArchiveError
from archive.space import Codes, Reader

Points = NDArray[np.float64]

_BUCKET_AXES = 3
_MAX_BUCKETS = 1 << 16
_BUCKETS_A_CENTROID = 4
_CHUNK_WORK = 1 << 20
_SAMPLES_A_CENTROID = 100
_SAMPLES_A_CENTROID_OF_MANY_AXES = 25
_MAX_ROUNDS = 40


class Nearest(Protocol):
    """Finds the nearest centroid, the first among equals; one point or many give the same answers, bit for bit."""

    def one(self, point: Sequence[float]) -> int:
        """The nearest to one point of the unit cube."""

    def many(self, points: Points) -> NDArray[np.int64]:
        """The nearest to each row."""


def _squares(points: Points, centroids: Points) -> Points:
    """Squared distances (points, centroids), added axis by axis, as the plain-Python path adds them."""
    total = np.square(points[:, 0, None] - centroids[:, 0])
    for axis in range(1, centroids.shape[1]):
        total += np.square(points[:, axis, None] - centroids[:, axis])
    return total


class BucketNearest:
    """For up to three axes: a lattice of buckets, each with the few centroids that can be nearest from inside it."""

    def __init__(self, centroids: Points) -> None:
        self._n_centroids, self._n_axes = centroids.shape
        self._rows = [tuple(row) for row in centroids.tolist()]
        nowhere = np.full((1, self._n_axes), inf)
        self._columns: Points = np.ascontiguousarray(np.vstack([centroids, nowhere]).T)
        n_buckets = min(_MAX_BUCKETS, _BUCKETS_A_CENTROID * self._n_centroids)
        self._side = 1
        candidates = np.arange(self._n_centroids)[None]
        while self._side**self._n_axes < n_buckets:
            candidates = self._halved(candidates)
        self._layers: NDArray[np.int64] = np.ascontiguousarray(candidates.T)
        self._near: dict[int, list[tuple[int, tuple[float, ...]]]] = {}

    def _halved(self, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cut every bucket in half along every axis, and its candidates to those that still matter.

        A centroid matters if its least distance from the bucket is not above the smallest of the greatest distances.
        Rows of candidates ascend and are filled up with a centroid at infinity.
        """
        self._side *= 2
        corners = np.indices((self._side,) * self._n_axes).reshape(self._n_axes, -1)
        parents = np.ravel_multi_index(tuple(corners // 2), (self._side // 2,) * self._n_axes)
        candidates = candidates[parents]
        least, greatest = np.zeros(candidates.shape), np.zeros(candidates.shape)
        for axis in range(self._n_axes):
            centres = self._columns[axis][candidates]
            low = corners[axis, :, None] / self._side
            high = low + 1.0 / self._side
            least += np.square(np.maximum(np.maximum(low - centres, centres - high), 0.0))
            greatest += np.square(np.maximum(high - centres, centres - low))
        matters = least <= greatest.min(axis=1, keepdims=True) * (1.0 + 1e-9) + 1e-12
        left = np.sort(np.where(matters, candidates, self._n_centroids), axis=1)
        return left[:, : int(matters.sum(axis=1).max())]

    def _candidates_of(self, bucket: int) -> list[tuple[int, tuple[float, ...]]]:
        near = [(index, self._rows[index]) for index in self._layers[:, bucket].tolist() if index < self._n_centroids]
        self._near[bucket] = near
        return near

    def one(self, point: Sequence[float]) -> int:
        """The nearest to one point."""
        bucket, side = 0, self._side
        for value in point:
            place = int(value * side)
            bucket = bucket * side + (place if place < side else side - 1)
        near = self._near.get(bucket) or self._candidates_of(bucket)
        return self._nearest_of(near, point) if len(near) > 1 else near[0][0]

    def _nearest_of(self, near: list[tuple[int, tuple[float, ...]]], point: Sequence[float]) -> int:
        nearest, least = -1, inf
        if self._n_axes == 2:  # the common case by itself: it takes half the time
            x, y = point
            for index, (centre_x, centre_y) in near:
                square = (x - centre_x) * (x - centre_x) + (y - centre_y) * (y - centre_y)
                if square < least:
                    nearest, least = index, square
            return nearest
        for index, centroid in near:
            square = 0.0
            for value, centre in zip(point, centroid, strict=True):
                square += (value - centre) * (value - centre)
            if square < least:
                nearest, least = index, square
        return nearest

    def many(self, points: Points) -> NDArray[np.int64]:
        """The nearest to each row: candidate after candidate, all rows at once."""
        columns = np.ascontiguousarray(points.T)
        buckets = np.zeros(len(points), dtype=np.int64)
        for column in columns:
            buckets *= self._side
            buckets += np.minimum((column * self._side).astype(np.int64), self._side - 1)
        nearest: NDArray[np.int64] = self._layers[0][buckets]
        least = self._squares(columns, nearest)
        for layer in self._layers[1:]:
            candidates = layer[buckets]
            squares = self._squares(columns, candidates)
            is_nearer = squares < least
            np.copyto(nearest, candidates, where=is_nearer)
            np.copyto(least, squares, where=is_nearer)
        return nearest

    def _squares(self, columns: Points, candidates: NDArray[np.int64]) -> Points:
        total: Points = np.square(columns[0] - self._columns[0][candidates])
        for axis in range(1, self._n_axes):
            total += np.square(columns[axis] - self._columns[axis][candidates])
        return total


class MatrixNearest:
    """For any number of axes: one matrix product; what lies too near together for its rounding is looked at again."""

    def __init__(self, centroids: Points) -> None:
        self._centroids = centroids
        self._half_squares = 0.5 * np.square(centroids).sum(axis=1)
        self._tolerance = 1e-12 * centroids.shape[1]

    def one(self, point: Sequence[float]) -> int:
        """The nearest to one point."""
        values = np.array(point)
        closeness = self._half_squares - self._centroids @ values
        near = np.flatnonzero(closeness <= closeness.min() + self._tolerance)
        if len(near) == 1:
            return int(near[0])
        return int(near[np.argmin(_squares(values[None], self._centroids[near])[0])])

    def many(self, points: Points) -> NDArray[np.int64]:
        """The nearest to each row."""
        nearest = np.empty(len(points), dtype=np.int64)
        chunk = max(1, _CHUNK_WORK // len(self._centroids))
        for start in range(0, len(points), chunk):
            rows = points[start : start + chunk]
            closeness = self._half_squares - rows @ self._centroids.T
            nearest[start : start + chunk] = found = np.argmin(closeness, axis=1)
            least = closeness[np.arange(len(rows)), found]
            closeness[np.arange(len(rows)), found] = inf
            for row in np.flatnonzero(closeness.min(axis=1) <= least + self._tolerance).tolist():
                nearest[start + row] = self.one(rows[row].tolist())
        return nearest


def nearest_among(centroids: Points) -> Nearest:
    """The faster way to find the nearest of these centroids."""
    return BucketNearest(centroids) if centroids.shape[1] <= _BUCKET_AXES else MatrixNearest(centroids)


def spread_centroids(n_centroids: int, n_axes: int, *, rng_seed: int) -> Points:
    """Points spread evenly over the unit cube: Lloyd's k-means on uniform samples. A function of its arguments.

    Lloyd, "Least squares quantization in PCM" (1982), https://doi.org/10.1109/TIT.1982.1056489.
    """
    rng = np.random.default_rng([rng_seed, n_centroids, n_axes])
    is_cheap = n_axes <= _BUCKET_AXES
    n_samples = n_centroids * (_SAMPLES_A_CENTROID if is_cheap else _SAMPLES_A_CENTROID_OF_MANY_AXES)
    samples = rng.random((n_samples, n_axes))
    centroids = samples[:n_centroids].copy()
    owners = np.full(len(samples), REFUSED, dtype=np.int64)
    for _ in range(_MAX_ROUNDS):
        before, owners = owners, nearest_among(centroids).many(samples)
        if np.array_equal(before, owners):
            break
        counts = np.bincount(owners, minlength=n_centroids)
        has_any = counts > 0
        for axis in range(n_axes):
            sums = np.bincount(owners, weights=samples[:, axis], minlength=n_centroids)
            centroids[has_any, axis] = sums[has_any] / counts[has_any]
    return centroids


class CentroidSpace:
    """Cells around centroids, numbered as the centroids are. Axes are linear or logarithmic and scaled to [0, 1]."""

    def __init__(self, axes: Sequence[Axis], centroids: Points) -> None:
        self.reader = Reader(axes)
        self.axes = self.reader.axes
        self._scales = scales_of(self.axes)
        centroids = np.array(centroids, dtype=np.float64) + 0.0
        if centroids.ndim != 2 or centroids.shape[1] != len(self.axes) or not 0 < len(centroids) <= MAX_CELLS:
            raise ArchiveError(
                f"centroids have shape {centroids.shape}, expected (1 or more, {len(self.axes)}): one number an axis"
            )
        if not ((centroids >= 0.0) & (centroids <= 1.0)).all():
            raise ArchiveError("centroids lie outside [0, 1]: give them on the scale of the axes, low as 0, high as 1")
        if len(np.unique(centroids, axis=0)) < len(centroids):
            raise ArchiveError("two centroids are equal: the later one could never hold anyone")
        centroids.setflags(write=False)
        self.centroids = centroids
        self.n_cells = len(centroids)
        self._nearest = nearest_among(centroids)
        self._scaled = tuple(
            (axis, axis.edges[0], axis.edges[-1], (axis.edges[-1] - axis.edges[0]) * isinstance(axis, LinearAxis))
            for axis in self._scales
        )

    def place_of(self, codes: Codes) -> tuple[int, bool]:
        """The nearest centroid, `REFUSED` if an axis refuses the point, and whether an axis clipped it."""
        is_clipped, point = False, []
        for (axis, low, high, span), code in zip(self._scaled, codes, strict=True):
            if low <= code <= high and span:
                point.append((code - low) / span)
                continue
            if not low <= code <= high:
                if axis.out_of_range is OutOfRange.REJECT:
                    return REFUSED, False
                is_clipped = True
            point.append(axis.unit_of(code))
        return self._nearest.one(point), is_clipped

    def cells_of(self, codes: NDArray[np.float64]) -> NDArray[np.int64]:
        """The cells of a batch, bit for bit those of one point after another."""
        points = np.column_stack([axis.units_of(codes[:, place]) for place, axis in enumerate(self._scales)])
        cells = self._nearest.many(points)
        for place, axis in enumerate(self._scales):
            if axis.out_of_range is OutOfRange.REJECT:
                column = codes[:, place]
                cells[(column < axis.edges[0]) | (column > axis.edges[-1])] = REFUSED
        return cells


def scales_of(axes: Sequence[Axis]) -> tuple[LinearAxis | LogAxis, ...]:
    """The axes, once it is clear that centroids can be placed on them.

    Raises:
        ArchiveError: an axis is neither linear nor logarithmic, or has cells for overflow.
    """
    scales: list[LinearAxis | LogAxis] = []
    for axis in axes:
        if not isinstance(axis, LinearAxis | LogAxis) or axis.out_of_range is OutOfRange.OVERFLOW:
            raise ArchiveError(
                f'axis {axis.name!r}: a CVT archive needs kind "linear" or "log" and out_of_range "clip" or "reject"'
            )
        scales.append(axis)
    return tuple(scales)
