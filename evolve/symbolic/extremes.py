"""The alternating extremes of an error curve that is known at points, each found between them by a parabola."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from evolve.symbolic.tape import FloatArray

CHEBYSHEV_GAPS = (2.9, 3.1)
"""x[2] - x[0] over x[1] - x[0] at an end of Chebyshev points (which leave the end out), about."""


@dataclass(frozen=True, slots=True)
class Extremes:
    """Places between points, in order: each the weighted mean of three points, and the error there."""

    points: npt.NDArray[np.intp]  # (extremes, 3)
    weights: FloatArray  # (extremes, 3)
    errors: FloatArray  # (extremes,)

    def at(self, values: FloatArray) -> FloatArray:
        """Values (points, ...) at the extremes."""
        picked = values[self.points]
        weights = self.weights.reshape(self.weights.shape + (1,) * (values.ndim - 1))
        return np.asarray((weights * picked).sum(axis=1))

    @property
    def largest(self) -> float:
        """The largest error between the points as well."""
        return float(np.abs(self.errors).max())

    def only(self, kept: list[int]) -> "Extremes":
        """Some of the extremes."""
        return Extremes(self.points[kept], self.weights[kept], self.errors[kept])

    def alternating(self, most: int) -> "Extremes":
        """At most so many, alternating in sign: without the smallest, as long as there are too many."""
        kept, sizes = list(range(len(self.errors))), np.abs(self.errors).tolist()
        while len(kept) > most:
            if len(kept) == most + 1:
                kept.pop(0 if sizes[kept[0]] < sizes[kept[-1]] else -1)
                break
            position = min(range(len(kept)), key=lambda k: sizes[kept[k]])
            if 0 < position < len(kept) - 1:  # its neighbours have one sign: the larger stays for both
                before, after = kept[position - 1], kept[position + 1]
                kept[position - 1 : position + 2] = [before if sizes[before] >= sizes[after] else after]
            else:
                kept.pop(position)
        return self.only(kept)


class Curve:
    """Looks for extremes of error curves over the points of a table; exact points only for more than one input."""

    def __init__(self, points: FloatArray) -> None:
        rows = np.atleast_2d(points)
        x = rows[0]
        self._refines = len(rows) == 1 and x.size > 2 and bool((np.diff(x) > 0.0).all())
        self._x = x
        self._low = _end(x) if self._refines else float(x[0])
        self._high = -_end(-x[::-1]) if self._refines else float(x[-1])

    def extremes(self, residuals: FloatArray) -> Extremes:
        """The largest error of each run of one sign."""
        changes = np.flatnonzero(np.diff(np.signbit(residuals))) + 1
        starts = np.concatenate([[0], changes, [residuals.size]]).tolist()
        sizes = np.abs(residuals)
        tops = np.array([a + int(np.argmax(sizes[a:b])) for a, b in pairwise(starts)])
        if self._refines:
            return self._refined(residuals, tops)
        points = np.repeat(tops[:, None], 3, axis=1)
        weights = np.tile([1.0, 0.0, 0.0], (tops.size, 1))
        return Extremes(points, weights, residuals[tops])

    def _refined(self, residuals: FloatArray, tops: npt.NDArray[np.intp]) -> Extremes:
        x, last = self._x, self._x.size - 1
        middle = np.clip(tops, 1, last - 1)
        points = np.stack([middle - 1, middle, middle + 1], axis=1)
        nodes, values = x[points], residuals[points]
        left = np.where(tops > 0, x[np.maximum(tops - 1, 0)], self._low)
        right = np.where(tops < last, x[np.minimum(tops + 1, last)], self._high)
        places = np.stack([x[tops], np.clip(_vertex(nodes, values, x[tops]), left, right), left, right])
        places[2] = np.where(tops == 0, left, x[tops])
        places[3] = np.where(tops == last, right, x[tops])
        weights = _lagrange(nodes, places)
        errors = (weights * values).sum(axis=2)
        errors = np.where(np.signbit(errors) == np.signbit(residuals[tops]), errors, residuals[tops])
        best = np.argmax(np.abs(errors), axis=0)
        each = np.arange(tops.size)
        return Extremes(points, weights[best, each], errors[best, each])


def _end(x: FloatArray) -> float:
    """Where the interval begins: at the first point, or where Chebyshev points without the end say."""
    gap = x[1] - x[0]
    low, high = CHEBYSHEV_GAPS
    return float(x[0] - gap / 8.0) if low * gap < x[2] - x[0] < high * gap else float(x[0])


def _vertex(nodes: FloatArray, values: FloatArray, otherwise: FloatArray) -> FloatArray:
    """Where the parabolas through three points each are level."""
    first = (values[:, 1] - values[:, 0]) / (nodes[:, 1] - nodes[:, 0])
    second = (values[:, 2] - values[:, 1]) / (nodes[:, 2] - nodes[:, 1])
    with np.errstate(all="ignore"):
        bend = (second - first) / (nodes[:, 2] - nodes[:, 0])
        place = (nodes[:, 0] + nodes[:, 1]) / 2.0 - first / (2.0 * bend)
    return np.where(np.isfinite(place), place, otherwise)


def _lagrange(nodes: FloatArray, places: FloatArray) -> FloatArray:
    """Weights (..., 3) of three nodes each that interpolate at the places."""
    a, b, c = nodes[:, 0], nodes[:, 1], nodes[:, 2]
    return np.stack(
        [
            (places - b) * (places - c) / ((a - b) * (a - c)),
            (places - a) * (places - c) / ((b - a) * (b - c)),
            (places - a) * (places - b) / ((c - a) * (c - b)),
        ],
        axis=-1,
    )
