"""Kakeya's problem in space: slanted prisms of height 1, one for each of n^2 directions, in a small volume."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import fmpq

from evaluators.constructions import reading
from evaluators.constructions.pictures import points_picture
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_prisms.py"
GRID = 1 << 20
FARTHEST = 8

Wholes = npt.NDArray[np.int64]


def kakeya_space(data: Any, parameters: Parameters) -> Measured:
    """The volume of the union of n^2 prisms; number i n + j leads from a square at (x, y) to (x + i/n, y + j/n).

    Offsets are rounded to multiples of 2^-20: any offsets are a construction. At each height the section is a union of
    squares, whose area is quadratic between the heights where two of their sides meet: Simpson's rule is exact.
    """
    n = int(parameters["n"])
    rows = reading.points(data, "the list of offsets", count=n * n, dimension=2)
    starts = [[_on_grid(value, index) for value in row] for index, row in enumerate(rows)]
    heights = sorted({Fraction(0), Fraction(1), *_meetings(starts, n)})
    volume = Fraction(0)
    before = _area(starts, n, heights[0])
    for low, high in pairwise(heights):
        after = _area(starts, n, high)
        volume += (high - low) * (before + 4 * _area(starts, n, (low + high) / 2) + after) / 6
        before = after
    spread = max(max(column) - min(column) for column in zip(*starts, strict=True)) / GRID
    return Measured(
        value=fmpq(volume.numerator, volume.denominator),
        construction=[[str(fmpq(value, GRID)) for value in start] for start in starts],
        details={"spread": float(spread), "distinct": len({tuple(start) for start in starts}) / n**2},
        picture=points_picture(f"feet of {n * n} prisms", [[fmpq(value, GRID) for value in row] for row in starts]),
    )


def _on_grid(value: fmpq, index: int) -> int:
    if abs(value) > FARTHEST:
        raise RejectedError(f"prism {index + 1} is farther than {FARTHEST} from the origin")
    return int((value * GRID + fmpq(1, 2)).floor())


def _meetings(starts: Sequence[Sequence[int]], n: int) -> set[Fraction]:
    """Heights between 0 and 1 where a side of one square passes one of another; with n squares' widths to a GRID."""
    found = set()
    for axis in (0, 1):
        lines = set()
        for index, start in enumerate(starts):
            slope = index // n if axis == 0 else index % n
            lines |= {(n * start[axis], slope), (n * start[axis] + GRID, slope)}
        for (a, i), (b, j) in combinations(sorted(lines), 2):
            if i > j and b - a < (i - j) * GRID and b > a:
                found.add(Fraction(b - a, (i - j) * GRID))
    return found


def _area(starts: Sequence[Sequence[int]], n: int, height: Fraction) -> Fraction:
    """The area of the union of the squares at a height."""
    top, bottom = height.numerator, height.denominator
    index = np.arange(n * n)
    corner = np.array(starts, dtype=np.int64) * (n * bottom)
    corner[:, 0] += index // n * (GRID * top)
    corner[:, 1] += index % n * (GRID * top)
    (xs, left, right), (ys, low, high) = (_places(corner[:, axis], GRID * bottom) for axis in (0, 1))
    covers = np.zeros((len(ys) + 1, len(xs) + 1), dtype=np.int64)
    np.add.at(covers, (low, left), 1)
    np.add.at(covers, (high, right), 1)
    np.add.at(covers, (low, right), -1)
    np.add.at(covers, (high, left), -1)
    is_covered = covers.cumsum(0).cumsum(1)[: len(ys) - 1, : len(xs) - 1] > 0
    widths = is_covered @ np.diff(xs)
    area = sum(int(width) * int(step) for width, step in zip(widths, np.diff(ys), strict=True))
    return Fraction(area, (n * GRID * bottom) ** 2)


def _places(starts: Wholes, width: int) -> tuple[Wholes, Wholes, Wholes]:
    """All ends of intervals in order, and the places of the left and of the right ones."""
    ends = np.unique(np.concatenate([starts, starts + width]))
    return ends, np.searchsorted(ends, starts), np.searchsorted(ends, starts + width)


VERIFIERS = (
    Verifier(
        name="kakeya_space",
        quantity="volume of the union",
        direction="min",
        checker=CHECKER,
        measure=kakeya_space,
        parameters=(Whole(name="n", low=2, high=8),),
    ),
)
