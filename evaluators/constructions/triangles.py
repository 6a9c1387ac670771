"""Heilbronn's problem: points of which no three span a small triangle, in some body or their hull."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from flint import arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.distances import text_rows
from evaluators.constructions.pictures import float_of, points_picture
from evaluators.constructions.plane import ceil_root
from evaluators.constructions.rounding import lower
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_triangles.py"
SLACK = fmpq(1, 10**6)
GRID = 1 << 200
BITS = 160

Point = Sequence[fmpq]


def doubled_area(a: Point, b: Point, c: Point) -> fmpq:
    """Twice the area of a triangle, positive where it runs anticlockwise."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def smallest_doubled_area(points: Sequence[Point]) -> fmpq:
    """Twice the area of the smallest triangle."""
    found: fmpq = min(abs(doubled_area(*three)) for three in combinations(points, 3))
    return found


def hull(points: Sequence[Point]) -> list[Point]:
    """The corners of the convex hull, anticlockwise (Andrew 1979)."""
    ordered = sorted(points, key=lambda point: (point[0], point[1]))

    def half(run: Sequence[Point]) -> list[Point]:
        kept: list[Point] = []
        for point in run:
            while len(kept) > 1 and doubled_area(kept[-2], kept[-1], point) <= 0:
                kept.pop()
            kept.append(point)
        return kept[:-1]

    return half(ordered) + half(ordered[::-1])


def polygon_doubled_area(corners: Sequence[Point]) -> fmpq:
    """Twice the area of a polygon."""
    total = fmpq(0)
    for (x, y), (u, v) in zip(corners, [*corners[1:], *corners[:1]], strict=True):
        total += x * v - u * y
    return abs(total)


def into_triangle(points: Sequence[Point]) -> list[list[fmpq]]:
    """Points of the triangle u, v >= 0, u + v <= 1; what is outside by at most a millionth is pushed inside."""
    moved = []
    for index, (u, v) in enumerate(points):
        if min(u, v) < -SLACK or u + v > 1 + SLACK:
            raise RejectedError(
                f"point {index + 1} is outside: u = {float_of(u):.9g}, v = {float_of(v):.9g}, "
                "expected u >= 0, v >= 0, u + v <= 1"
            )
        u, v = max(u, fmpq(0)), max(v, fmpq(0))
        scale = max(u + v, fmpq(1))
        moved.append([u / scale, v / scale])
    return moved


def into_square(points: Sequence[Point]) -> list[list[fmpq]]:
    """Points of the unit square; what is outside by at most a millionth is pushed inside."""
    for index, point in enumerate(points):
        if min(point) < -SLACK or max(point) > 1 + SLACK:
            place = ", ".join(f"{float_of(value):.9g}" for value in point)
            raise RejectedError(f"point {index + 1} is outside of the unit square: {place}")
    return [[min(max(value, fmpq(0)), fmpq(1)) for value in point] for point in points]


def into_disk(points: Sequence[Point]) -> list[list[fmpq]]:
    """Points of the unit disk; what is outside by at most a millionth is pulled onto its rim, from inside."""
    moved = []
    for index, (x, y) in enumerate(points):
        square = x * x + y * y
        if square > (1 + SLACK) ** 2:
            raise RejectedError(f"point {index + 1} is outside of the unit disk: {float_of(x):.9g}, {float_of(y):.9g}")
        scale = fmpq(GRID, ceil_root(int((square * GRID * GRID).ceil()))) if square > 1 else fmpq(1)
        moved.append([x * scale, y * scale])
    return moved


def as_they_are(points: Sequence[Point]) -> list[list[fmpq]]:
    """The same points."""
    return [list(point) for point in points]


def _measure(
    data: Any, parameters: Parameters, into: Callable[[Sequence[Point]], list[list[fmpq]]], whole: fmpq | None
) -> Measured:
    n = int(parameters["n"])
    points = into(reading.points(data, "the list of points", count=n, dimension=2))
    doubled = polygon_doubled_area(hull(points))
    if doubled == 0:
        raise RejectedError("all points lie on one line")
    smallest = smallest_doubled_area(points)
    return Measured(
        value=smallest / (doubled if whole is None else whole),
        construction=text_rows(points),
        details={"hull_corners": float(len(hull(points))), "hull_share": float_of(doubled / (whole or doubled))},
        picture=points_picture(f"{n} points", points),
    )


def heilbronn_triangle(data: Any, parameters: Parameters) -> Measured:
    """The smallest triangle as a share of the whole one; coordinates (u, v) along two of its sides."""
    return _measure(data, parameters, into_triangle, fmpq(1))


def heilbronn_square(data: Any, parameters: Parameters) -> Measured:
    """The smallest triangle's area in the unit square."""
    return _measure(data, parameters, into_square, fmpq(2))


def heilbronn_convex(data: Any, parameters: Parameters) -> Measured:
    """The smallest triangle as a share of the points' convex hull."""
    return _measure(data, parameters, as_they_are, None)


def heilbronn_disk(data: Any, parameters: Parameters) -> Measured:
    """The smallest triangle's area as a share of the disk's."""
    found = _measure(data, parameters, into_disk, fmpq(1))
    with working(bits=BITS):
        value = lower(arb(found.value) / (2 * arb.pi()))
    share = found.details["hull_share"] / (2 * math.pi)
    return replace(found, value=value, is_exact=False, details={**found.details, "hull_share": share})


_N = (Whole(name="n", low=4, high=60),)

VERIFIERS = tuple(
    Verifier(name=name, quantity=quantity, direction="max", checker=CHECKER, measure=measure, parameters=_N)
    for name, quantity, measure in (
        ("heilbronn_triangle", "area of the smallest triangle, over that of the whole triangle", heilbronn_triangle),
        ("heilbronn_square", "area of the smallest triangle in the unit square", heilbronn_square),
        ("heilbronn_disk", "area of the smallest triangle, over that of the disk", heilbronn_disk),
        ("heilbronn_convex", "area of the smallest triangle, over that of the convex hull", heilbronn_convex),
    )
)
