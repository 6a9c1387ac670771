"""Shapes: needles turned in a small area, squares cut into rectangles, polyhedra in the unit ball."""

from collections.abc import Sequence
from itertools import combinations
from math import isqrt
from typing import Any

import numpy as np
from flint import fmpq

from evaluators.constructions import reading
from evaluators.constructions.pictures import float_of, points_picture, polygons_picture
from evaluators.constructions.verdict import Choice, Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_plane.py"
GRID = 1 << 80

Line = tuple[fmpq, fmpq]
Corner = tuple[int, int, int]
Face = tuple[int, int, int]


def kakeya_needle(data: Any, parameters: Parameters) -> Measured:
    """The area of the union of n thin triangles or parallelograms of height 1, one for each direction j/n."""
    n = int(parameters["n"])
    offsets = reading.rationals(data, "the list of offsets", count=n)
    is_triangle = parameters["shape"] == "triangles"
    left = [(x, fmpq(j, n)) for j, x in enumerate(offsets)]
    right = [(x + fmpq(1, n), fmpq(j - int(is_triangle), n)) for j, x in enumerate(offsets)]
    shapes = [_needle(*ends) for ends in zip(left, right, strict=True)]
    return Measured(
        value=union_area(left, right),
        construction=[str(x) for x in offsets],
        details={"width": float_of(max(offsets) - min(offsets))},
        picture=polygons_picture(f"{n} {parameters['shape']}", shapes),
    )


def _needle(left: Line, right: Line) -> list[list[fmpq]]:
    return [
        [left[0], fmpq(0)],
        [right[0], fmpq(0)],
        [right[0] + right[1], fmpq(1)],
        [left[0] + left[1], fmpq(1)],
    ]


def union_area(left: Sequence[Line], right: Sequence[Line]) -> fmpq:
    """The integral over t from 0 to 1 of the length of the union of intervals between lines a + b t; exact.

    The length is linear between crossings of lines. At each height where some cross, only the lines that meet there
    change their order, and only the gaps between them their covering.
    """
    lines = [*left, *right]
    order = _Order(lines, len(left))
    heights: dict[fmpq, set[int]] = {}
    for (i, (a, b)), (j, (c, d)) in combinations(enumerate(lines), 2):
        if b != d:
            height = (c - a) / (b - d)
            if 0 < height < 1:
                heights.setdefault(height, set()).update((i, j))
    area, before = fmpq(0), fmpq(0)
    for height in sorted(heights):
        area += order.area(before, height)
        order.cross(height, heights[height])
        before = height
    return area + order.area(before, fmpq(1))


class _Order:
    """Lines from left to right, and the length of what their intervals cover as a linear function of the height."""

    def __init__(self, lines: Sequence[Line], n_left: int) -> None:
        self._lines = lines
        self._opens = [1 if index < n_left else -1 for index in range(len(lines))]
        self._order = sorted(range(len(lines)), key=lambda index: (*lines[index], -self._opens[index]))
        self._place = {index: place for place, index in enumerate(self._order)}
        self._covers = [0] * len(lines)
        self._constant = self._slope = fmpq(0)
        self._recount(0, len(lines) - 1, 1)

    def area(self, low: fmpq, high: fmpq) -> fmpq:
        """The covered area between two heights without a crossing between them."""
        return (high - low) * (self._constant + self._slope * (low + high) / 2)

    def cross(self, height: fmpq, indices: set[int]) -> None:
        """Reorder the lines that meet at a height."""
        places = sorted(self._place[index] for index in indices)
        start = 0
        for end in range(1, len(places) + 1):
            if end == len(places) or places[end] != places[end - 1] + 1:
                self._reorder(places[start], places[end - 1], height)
                start = end

    def _reorder(self, low: int, high: int, height: fmpq) -> None:
        first, last = max(low - 1, 0), min(high, len(self._order) - 1)
        self._add(first, last, -1)
        part = sorted(self._order[low : high + 1], key=lambda index: self._key(index, height))
        self._order[low : high + 1] = part
        for place in range(low, high + 1):
            self._place[self._order[place]] = place
        self._count(low, high)
        self._add(first, last, 1)

    def _key(self, index: int, height: fmpq) -> tuple[fmpq, fmpq, int]:
        constant, slope = self._lines[index]
        return constant + slope * height, slope, -self._opens[index]

    def _recount(self, low: int, high: int, sign: int) -> None:
        self._count(low, high)
        self._add(low, high, sign)

    def _count(self, low: int, high: int) -> None:
        """How many intervals cover the gap to the right of each place."""
        covers = self._covers[low - 1] if low else 0
        for place in range(low, high + 1):
            covers += self._opens[self._order[place]]
            self._covers[place] = covers

    def _add(self, low: int, high: int, sign: int) -> None:
        for place in range(low, min(high, len(self._order) - 2) + 1):
            if self._covers[place] > 0:
                (a, b), (c, d) = self._lines[self._order[place]], self._lines[self._order[place + 1]]
                self._constant += sign * (c - a)
                self._slope += sign * (d - b)


def rectangle_tiling(data: Any, parameters: Parameters) -> Measured:
    """How many disjoint rectangles leave exactly one cell free in every row and column of an n by n square."""
    n = int(parameters["n"])
    tiles = reading.whole_points(data, "the list of tiles", dimension=4, most=n * n, low=0, high=n)
    covered = np.zeros((n, n), dtype=np.int64)
    for index, (top, left, bottom, right) in enumerate(tiles):
        if not (top < bottom and left < right):
            raise RejectedError(f"tile {index + 1} is empty: rows {top} to {bottom}, columns {left} to {right}")
        covered[top:bottom, left:right] += 1
    if (covered > 1).any():
        row, column = (int(value) for value in np.argwhere(covered > 1)[0])
        raise RejectedError(f"two tiles cover the cell in row {row}, column {column}")
    free = covered == 0
    for name, counts in (("row", free.sum(1)), ("column", free.sum(0))):
        if (counts != 1).any():
            bad = int(np.argmax(counts != 1))
            raise RejectedError(f"{name} {bad} has {int(counts[bad])} free cells, expected one")
    shapes = [[[a, -t], [b, -t], [b, -u], [a, -u]] for t, a, u, b in tiles]
    largest = max((u - t) * (b - a) for t, a, u, b in tiles)
    return Measured(
        value=fmpq(len(tiles)),
        construction=[list(tile) for tile in tiles],
        details={"largest_share": largest / n**2},
        picture=polygons_picture(f"{len(tiles)} tiles", shapes),
    )


def polyhedron_volume(data: Any, parameters: Parameters) -> Measured:
    """The volume of the hull of n points of the closed unit ball; what is outside is pulled onto the sphere."""
    n = int(parameters["n"])
    rows = reading.points(data, "the list of points", count=n, dimension=3)
    corners = [_into_ball(row) for row in rows]
    reading.distinct(corners, "the list of points")
    faces = convex_hull(corners)
    six = sum(_six_volumes((0, 0, 0), *(corners[index] for index in face)) for face in faces)
    used = {index for face in faces for index in face}
    edges = sorted({(min(a, b), max(a, b)) for x, y, z in faces for a, b in ((x, y), (y, z), (z, x))})
    return Measured(
        value=fmpq(six, 6 * GRID**3),
        construction=[[str(fmpq(value, GRID)) for value in corner] for corner in corners],
        details={"corners": float(len(used)), "flatness": min(1.0, 6 / max(float(len(faces)), 1.0))},
        picture=points_picture(
            f"a polyhedron with {len(used)} corners", [[fmpq(x, GRID) for x in c] for c in corners], edges
        ),
    )


def _into_ball(row: Sequence[fmpq]) -> Corner:
    """The point on a grid, towards the origin, and pulled onto the sphere where it is outside."""
    square = sum((value * value for value in row), fmpq(0))
    scale = fmpq(1)
    if square > 1:
        scale = fmpq(GRID, ceil_root(int((square * GRID * GRID).ceil())))
    x, y, z = (_towards_zero(value * scale * GRID) for value in row)
    return x, y, z


def ceil_root(number: int) -> int:
    """The least whole number whose square is not below a number."""
    root = isqrt(number)
    return root if root * root == number else root + 1


def _towards_zero(number: fmpq) -> int:
    return int(number.floor()) if number >= 0 else -int((-number).floor())


def convex_hull(points: Sequence[Corner]) -> list[Face]:
    """The triangles of the convex hull, anticlockwise from outside; proved to be it before they are returned."""
    first = _tetrahedron(points)
    a, b, c, d = first
    faces = {(a, b, c), (a, d, b), (b, d, c), (a, c, d)}
    if _six_volumes(*(points[index] for index in (d, a, b, c))) < 0:
        faces = {(x, z, y) for x, y, z in faces}
    for index in range(len(points)):
        if index in first:
            continue
        seen = [face for face in faces if _beyond(points, face, index) > 0]
        rim = {(x, y) for face in seen for x, y in _edges(face)}
        faces -= set(seen)
        faces |= {(x, y, index) for x, y in rim if (y, x) not in rim}
    _require_hull(points, faces)
    return sorted(faces)


def _tetrahedron(points: Sequence[Corner]) -> tuple[int, int, int, int]:
    for three in ((0, 1, k) for k in range(2, len(points))):
        for other in range(2, len(points)):
            if _six_volumes(points[other], *(points[index] for index in three)):
                return (*three, other)
    raise RejectedError("the points lie in one plane, or the first ones on one line")


def _require_hull(points: Sequence[Corner], faces: set[Face]) -> None:
    edges = [edge for face in faces for edge in _edges(face)]
    is_closed = len(set(edges)) == len(edges) and all((y, x) in set(edges) for x, y in edges)
    is_convex = all(_beyond(points, face, index) <= 0 for face in faces for index in range(len(points)))
    if not (is_closed and is_convex):
        raise RejectedError("the points are too degenerate: several lie on one line or in one plane")


def _edges(face: Face) -> tuple[tuple[int, int], ...]:
    x, y, z = face
    return (x, y), (y, z), (z, x)


def _beyond(points: Sequence[Corner], face: Face, index: int) -> int:
    """Positive where a point lies outside of a face."""
    return -_six_volumes(points[index], *(points[corner] for corner in face))


def _six_volumes(apex: Corner, a: Corner, b: Corner, c: Corner) -> int:
    """Six times the volume of a tetrahedron; positive where a, b, c run anticlockwise, seen from beyond them."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = ((p[0] - apex[0], p[1] - apex[1], p[2] - apex[2]) for p in (a, b, c))
    return ax * (by * cz - bz * cy) - ay * (bx * cz - bz * cx) + az * (bx * cy - by * cx)


VERIFIERS = (
    Verifier(
        name="kakeya_needle",
        quantity="area of the union",
        direction="min",
        checker=CHECKER,
        measure=kakeya_needle,
        parameters=(
            Whole(name="n", low=2, high=128),
            Choice(name="shape", options=("triangles", "parallelograms")),
        ),
    ),
    Verifier(
        name="rectangle_tiling",
        quantity="number of tiles",
        direction="min",
        checker=CHECKER,
        measure=rectangle_tiling,
        parameters=(Whole(name="n", low=2, high=100),),
    ),
    Verifier(
        name="polyhedron_volume",
        quantity="volume",
        direction="max",
        checker=CHECKER,
        measure=polyhedron_volume,
        parameters=(Whole(name="n", low=4, high=100),),
    ),
)
