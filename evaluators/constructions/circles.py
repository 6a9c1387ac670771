"""Disjoint circles of any size in a square or a rectangle, with the least exact shrink where they overlap."""

import math
from collections.abc import Sequence
from typing import Any

from flint import fmpq

from evaluators.constructions import reading
from evaluators.constructions.pictures import circles_picture, float_of
from evaluators.constructions.steps import on_common_scale
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_circles.py"
ROOT_BITS = 128


def pair_shrink(x: Sequence[int], y: Sequence[int], r: Sequence[int]) -> int:
    """What all radii have to lose so that no two circles overlap, in units of the scale / 2^(ROOT_BITS + 1).

    The distance, a square root, is rounded down at ROOT_BITS bits below the scale, so the shrink is never too small.
    """
    worst = 0
    for i in range(len(x)):
        for j in range(i):
            squared = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2
            both = r[i] + r[j]
            if squared < both * both:
                worst = max(worst, (both << ROOT_BITS) - math.isqrt(squared << (2 * ROOT_BITS)))
    return worst


class Packing:
    """Circles as exact numbers, and what they overlap by."""

    def __init__(self, data: Any, n: int) -> None:
        rows = reading.points(data, "the list of circles", count=n, dimension=3)
        for index, row in enumerate(rows):
            if row[2] < 0:
                raise RejectedError(f"circle {index + 1} has the negative radius {float_of(row[2]):.9g}")
        self.rows = rows
        self.overlap = self._overlap()

    def _overlap(self) -> fmpq:
        values, scale = on_common_scale([value for row in self.rows for value in row])
        return fmpq(pair_shrink(values[0::3], values[1::3], values[2::3]), scale << (ROOT_BITS + 1))

    def shrunk(self, amount: fmpq) -> list[list[fmpq]]:
        """The circles with all radii less by an amount.

        Raises:
            RejectedError: the smallest would be gone.
        """
        smallest = min(row[2] for row in self.rows)
        if amount > 0 and amount >= smallest:
            raise RejectedError(
                "the circles overlap or stick out too much: all radii would have to shrink by "
                f"{float_of(amount):.3g}, but the smallest is {float_of(smallest):.3g}"
            )
        return [[x, y, r - amount] for x, y, r in self.rows]


def _measured(circles: Sequence[Sequence[fmpq]], shrink: fmpq, frame: tuple[fmpq, fmpq, fmpq, fmpq]) -> Measured:
    radii = [float_of(row[2]) for row in circles]
    mean = sum(radii) / len(radii)
    spread = math.sqrt(sum((radius - mean) ** 2 for radius in radii) / len(radii)) / mean if mean else 0.0
    left, bottom, width, height = frame
    drawn = [[x - left, y - bottom, r] for x, y, r in circles]
    return Measured(
        value=sum((row[2] for row in circles), fmpq(0)),
        construction=[[str(value) for value in row] for row in circles],
        details={"radius_spread": spread, "shrink": float_of(shrink)},
        picture=circles_picture(f"{len(circles)} circles", drawn, width, height),
    )


def circles_in_square(data: Any, parameters: Parameters) -> Measured:
    """The sum of the radii of disjoint circles in the unit square."""
    packing = Packing(data, int(parameters["n"]))
    walls = max(r - min(x, y, 1 - x, 1 - y) for x, y, r in packing.rows)
    shrink = max(packing.overlap, walls)
    return _measured(packing.shrunk(shrink), shrink, (fmpq(0), fmpq(0), fmpq(1), fmpq(1)))


def circles_in_rectangle(data: Any, parameters: Parameters) -> Measured:
    """The sum of the radii of disjoint circles in some rectangle of perimeter 4, wherever it lies."""
    packing = Packing(data, int(parameters["n"]))
    _, _, width, height = bounding_box(packing.rows)
    # A shrink of all radii takes four times as much off width + height.
    shrink = max(packing.overlap, (width + height - 2) / 4, fmpq(0))
    circles = packing.shrunk(shrink)
    return _measured(circles, shrink, bounding_box(circles))


def bounding_box(circles: Sequence[Sequence[fmpq]]) -> tuple[fmpq, fmpq, fmpq, fmpq]:
    """Left, bottom, width and height of the smallest upright rectangle around circles."""
    left, right = min(x - r for x, _, r in circles), max(x + r for x, _, r in circles)
    bottom, top = min(y - r for _, y, r in circles), max(y + r for _, y, r in circles)
    return left, bottom, right - left, top - bottom


VERIFIERS = tuple(
    Verifier(
        name=name,
        quantity="sum of the radii",
        direction="max",
        checker=CHECKER,
        measure=measure,
        parameters=(Whole(name="n", low=1, high=200),),
    )
    for name, measure in (("circles_in_square", circles_in_square), ("circles_in_rectangle", circles_in_rectangle))
)
