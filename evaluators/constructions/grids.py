"""Sets of lattice points without forbidden configurations; the value is how many points there are."""

from collections.abc import Sequence
from itertools import combinations
from math import gcd
from typing import Any

from flint import fmpq

from evaluators.constructions import reading
from evaluators.constructions.pictures import points_picture
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_grids.py"

Cell = tuple[int, ...]


def _grid(data: Any, n: int, dimension: int, most: int) -> list[Cell]:
    points = reading.whole_points(data, "the set of points", dimension=dimension, most=most, low=0, high=n - 1)
    reading.distinct(points, "the set of points")
    return points


def _counted(points: Sequence[Cell], n: int, title: str) -> Measured:
    border = sum(any(value in (0, n - 1) for value in point) for point in points)
    return Measured(
        value=fmpq(len(points)),
        construction=[list(point) for point in points],
        details={"border_share": border / max(len(points), 1)},
        picture=points_picture(title, points),
    )


def no_isosceles(data: Any, parameters: Parameters) -> Measured:
    """Points of an n by n grid of which no three form an isosceles triangle, flat ones included."""
    n = int(parameters["n"])
    points = _grid(data, n, 2, 4 * n)
    for index, (x, y) in enumerate(points):
        seen: dict[int, int] = {}
        for other, (u, v) in enumerate(points):
            if other == index:
                continue
            square = (x - u) ** 2 + (y - v) ** 2
            if square in seen:
                raise RejectedError(
                    f"isosceles: {list(points[seen[square]])} and {list(points[other])} are equally far from {[x, y]}"
                )
            seen[square] = other
    return _counted(points, n, f"{len(points)} points without an isosceles triangle")


def no_three_in_line(data: Any, parameters: Parameters) -> Measured:
    """Points of an n by n grid of which no three lie on one line."""
    n = int(parameters["n"])
    points = _grid(data, n, 2, 2 * n)
    for index, (x, y) in enumerate(points):
        seen: dict[tuple[int, int], int] = {}
        for other in range(index):
            slope = direction(x - points[other][0], y - points[other][1])
            if slope in seen:
                three = [list(points[seen[slope]]), list(points[other]), [x, y]]
                raise RejectedError(f"three points on a line: {three}")
            seen[slope] = other
    return _counted(points, n, f"{len(points)} points, no three in line")


def direction(dx: int, dy: int) -> tuple[int, int]:
    """The direction of a line without its orientation, in lowest terms."""
    if dx < 0 or (dx == 0 and dy < 0):
        dx, dy = -dx, -dy
    common = gcd(dx, dy)
    return dx // common, dy // common


def no_five_on_a_sphere(data: Any, parameters: Parameters) -> Measured:
    """Points of an n by n by n grid of which no five lie on one sphere or one plane."""
    n = int(parameters["n"])
    points = _grid(data, n, 3, 4 * n)
    bad = five_on_a_sphere(points)
    if bad is not None:
        raise RejectedError(f"five points on a sphere or a plane: {[list(points[index]) for index in bad]}")
    return _counted(points, n, f"{len(points)} points, no five on a sphere")


def five_on_a_sphere(points: Sequence[Cell]) -> tuple[int, ...] | None:
    """Five points on a sphere or a plane, or None.

    Three points fix the first factors of the determinant of the lifted points (x, y, z, x^2 + y^2 + z^2, 1). Where
    all are on one line, any two more are on a plane with them.
    """
    for i, j, k in combinations(range(len(points)), 3):
        base = points[i]
        first, second = (_lifted(points[index], base) for index in (j, k))
        pairs = _minors(first, second)
        rest = [(index, _lifted(points[index], base)) for index in range(k + 1, len(points))]
        cofactors = [(index, row, _third(pairs, row)) for index, row in rest]
        for position, (index, _, cubic) in enumerate(cofactors):
            for other, row in rest[position + 1 :]:
                if sum(a * b for a, b in zip(cubic, row, strict=True)) == 0:
                    return i, j, k, index, other
    return None


def _lifted(point: Cell, base: Cell) -> Cell:
    x, y, z = (a - b for a, b in zip(point, base, strict=True))
    return x, y, z, x * x + y * y + z * z


def _minors(a: Cell, b: Cell) -> dict[tuple[int, int], int]:
    return {(p, q): a[p] * b[q] - a[q] * b[p] for p, q in combinations(range(4), 2)}


def _third(pairs: dict[tuple[int, int], int], c: Cell) -> tuple[int, int, int, int]:
    """The cofactors of a fourth row: the determinant of four rows is their inner product with it."""

    def minor(p: int, q: int, r: int) -> int:
        return pairs[q, r] * c[p] - pairs[p, r] * c[q] + pairs[p, q] * c[r]

    return -minor(1, 2, 3), minor(0, 2, 3), -minor(0, 1, 3), minor(0, 1, 2)


def happy_ending(data: Any, parameters: Parameters) -> Measured:
    """Points of the plane, no three on a line, of which no k are the corners of a convex polygon."""
    k = int(parameters["k"])
    points = reading.whole_points(
        data, "the set of points", dimension=2, most=2 ** (k - 2) + 4, low=-(10**9), high=10**9
    )
    reading.distinct(points, "the set of points")
    for three in combinations(points, 3):
        if turn(*three) == 0:
            raise RejectedError(f"three points on a line: {[list(point) for point in three]}")
    largest = largest_convex(points)
    if largest >= k:
        raise RejectedError(f"{largest} of the points are the corners of a convex polygon, expected fewer than {k}")
    return Measured(
        value=fmpq(len(points)),
        construction=[list(point) for point in points],
        details={"largest_convex": float(largest)},
        picture=points_picture(f"{len(points)} points without a convex {k}-gon", points),
    )


def turn(a: Cell, b: Cell, c: Cell) -> int:
    """Positive where a, b, c turn left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def largest_convex(points: Sequence[Cell]) -> int:
    """The most points that are the corners of a convex polygon; no three may lie on a line.

    For each lowest corner: the longest left-turning chains among the points above it, in order of their angle.
    """
    best = min(len(points), 2)
    for base in points:
        above = [p for p in points if (p[1], p[0]) > (base[1], base[0])]
        above.sort(key=_Angle(base))
        # chain[i, j]: corners of the best chain base, ..., i, j
        chain: dict[tuple[int, int], int] = {}
        for j in range(len(above)):
            for i in range(j):
                before = (chain[h, i] for h in range(i) if turn(above[h], above[i], above[j]) > 0)
                chain[i, j] = max(before, default=2) + 1
                best = max(best, chain[i, j])
    return best


class _Angle:
    """A sort key: the angle of a point above the base, exactly."""

    def __init__(self, base: Cell) -> None:
        self._base = base

    def __call__(self, point: Cell) -> fmpq:
        dx, dy = point[0] - self._base[0], point[1] - self._base[1]
        # From 0 (to the right) to 2 (to the left), monotone in the angle.
        return 1 - fmpq(dx, abs(dx) + dy)


def incidences(data: Any, parameters: Parameters) -> Measured:
    """How many pairs of n points and m lines a x + b y = c there are in which the point is on the line."""
    n, m = int(parameters["n"]), int(parameters["m"])
    bounds = {"low": -(10**9), "high": 10**9}
    points = reading.whole_points(reading.member(data, "points"), "the points", dimension=2, count=n, **bounds)
    rows = reading.whole_points(reading.member(data, "lines"), "the lines", dimension=3, count=m, **bounds)
    reading.distinct(points, "the points")
    lines = []
    for index, (a, b, c) in enumerate(rows):
        if a == b == 0:
            raise RejectedError(f"line {index + 1} has a = b = 0")
        common = gcd(a, b, c) * (1 if (a, b) > (0, 0) else -1)
        lines.append((a // common, b // common, c // common))
    reading.distinct(lines, "the lines")
    met = [sum(a * x + b * y == c for x, y in points) for a, b, c in lines]
    return Measured(
        value=fmpq(sum(met)),
        construction={"points": [list(point) for point in points], "lines": [list(line) for line in lines]},
        details={"richest_line": float(max(met))},
        picture=points_picture(f"{n} points, {m} lines", points),
    )


VERIFIERS = (
    Verifier(
        name="incidences",
        quantity="number of incidences",
        direction="max",
        checker=CHECKER,
        measure=incidences,
        parameters=(Whole(name="n", low=1, high=2000), Whole(name="m", low=1, high=2000)),
    ),
    Verifier(
        name="no_isosceles",
        quantity="number of points",
        direction="max",
        checker=CHECKER,
        measure=no_isosceles,
        parameters=(Whole(name="n", low=2, high=200),),
    ),
    Verifier(
        name="no_three_in_line",
        quantity="number of points",
        direction="max",
        checker=CHECKER,
        measure=no_three_in_line,
        parameters=(Whole(name="n", low=2, high=200),),
    ),
    Verifier(
        name="no_five_on_a_sphere",
        quantity="number of points",
        direction="max",
        checker=CHECKER,
        measure=no_five_on_a_sphere,
        parameters=(Whole(name="n", low=2, high=16),),
    ),
    Verifier(
        name="happy_ending",
        quantity="number of points",
        direction="max",
        checker=CHECKER,
        measure=happy_ending,
        parameters=(Whole(name="k", low=4, high=8),),
    ),
)
