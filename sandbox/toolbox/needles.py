"""Kakeya's needles: the area of the union of thin triangles or parallelograms, and its derivatives."""

import numpy as np

from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.vectors import Quantity

TRIANGLES = "triangles"
PARALLELOGRAMS = "parallelograms"


def kakeya_needle(n: int, shape: str) -> Quantity:
    """Minus the area of the union of needles with the offsets `x`, one for each direction.

    Between the heights where sides cross, the width of the union is linear: its value in the middle is its mean.
    """
    if shape not in (TRIANGLES, PARALLELOGRAMS):
        raise ValueError(f"shape is {shape!r}, expected {TRIANGLES} or {PARALLELOGRAMS}")
    lean = np.arange(n) / n
    slopes = np.concatenate([lean, lean - (1.0 / n if shape == TRIANGLES else 0.0)])
    first, second = np.triu_indices(2 * n, 1)
    crossing = slopes[first] != slopes[second]
    first, second = first[crossing], second[crossing]
    falls = slopes[first] - slopes[second]

    def exposed(x: FloatArray) -> tuple[float, FloatArray]:
        """The area, and how much of each needle's left and right side is on the union's rim."""
        feet = np.concatenate([x, x + 1.0 / n])
        met = (feet[second] - feet[first]) / falls
        heights = np.concatenate([[0.0], np.sort(met[(met > 0.0) & (met < 1.0)]), [1.0]])
        thickness = np.diff(heights)
        middle = (0.5 * (heights[1:] + heights[:-1]))[thickness > 0.0, None]
        thickness = thickness[thickness > 0.0]
        left, right = x + lean * middle, x + 1.0 / n + slopes[n:] * middle
        order = np.argsort(left, axis=1)
        left, right = np.take_along_axis(left, order, 1), np.take_along_axis(right, order, 1)
        reach = np.maximum.accumulate(right, axis=1)
        before = np.hstack([np.full((len(left), 1), -np.inf), reach[:, :-1]])
        starts = left > before
        area = float(thickness @ (reach - np.maximum(left, before)).clip(0.0).sum(1))
        ends = np.hstack([starts[:, 1:], np.ones((len(left), 1), bool)])
        last = np.where(right >= reach, np.arange(n), 0)
        last = np.maximum.accumulate(last, axis=1)
        slope = np.zeros(n)
        rows, places = np.nonzero(starts)
        np.subtract.at(slope, order[rows, places], thickness[rows])
        rows, places = np.nonzero(ends)
        np.add.at(slope, order[rows, last[rows, places]], thickness[rows])
        return area, slope

    def start(rng: np.random.Generator) -> FloatArray:
        """All through one point of a random height, then each moved by a random power of a half."""
        return np.asarray(-rng.random() * lean + rng.normal(0.0, 0.5 ** rng.uniform(1.0, 8.0), n), np.float64)

    def inside(x: FloatArray) -> FloatArray:
        return np.asarray(x - x[0], np.float64)

    return Quantity(
        low=-2.0,
        high=2.0,
        start=start,
        terms=lambda x: np.array([-exposed(x)[0]]),
        slopes=lambda x, _: -exposed(x)[1][None, :],
        inside=inside,
        cost=0.05 * (n / 16) ** 3,
    )
