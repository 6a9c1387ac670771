"""Rotated squares in a square and rotated cubes in a cube: exact, for their rotations are rational.

A rotation is given by a direction of half its angle (in the plane, two numbers) or by a quaternion (in space, four
numbers), of any length: its matrix is rational in them. Two boxes are apart if one of the axes of the separating axis
theorem (the normals of their sides, in space also the products of edges) separates them.
"""

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

from flint import fmpq

from evaluators.constructions import reading
from evaluators.constructions.distances import dot
from evaluators.constructions.pictures import float_of, polygons_picture
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_rotated.py"

Vector = list[fmpq]


class Box:
    """A box: its centre and half of each of its edges, as exact vectors."""

    def __init__(self, centre: Vector, halves: list[Vector]) -> None:
        self.centre = centre
        self.halves = halves

    def reach(self, axis: Sequence[fmpq]) -> fmpq:
        """How far the box reaches from its centre along an axis, times the axis's length."""
        return sum((abs(dot(half, axis)) for half in self.halves), fmpq(0))


def square_of(row: Sequence[fmpq], where: str) -> Box:
    """A square from x, y, side and the direction (p, q) of half its angle."""
    x, y, side, p, q = row
    length = p * p + q * q
    if length == 0:
        raise RejectedError(f"{where} has the direction (0, 0)")
    if side < 0:
        raise RejectedError(f"{where} has the negative side {float_of(side):.9g}")
    cosine, sine = (p * p - q * q) / length, 2 * p * q / length
    half = side / 2
    return Box([x, y], [[half * cosine, half * sine], [-half * sine, half * cosine]])


def cube_of(row: Sequence[fmpq], where: str) -> Box:
    """A unit cube from x, y, z and a quaternion."""
    w, a, b, c = row[3:]
    length = w * w + a * a + b * b + c * c
    if length == 0:
        raise RejectedError(f"{where} has the quaternion 0")
    unit = 2 * length
    edges = [
        [w * w + a * a - b * b - c * c, 2 * (a * b + w * c), 2 * (a * c - w * b)],
        [2 * (a * b - w * c), w * w - a * a + b * b - c * c, 2 * (b * c + w * a)],
        [2 * (a * c + w * b), 2 * (b * c - w * a), w * w - a * a - b * b + c * c],
    ]
    return Box(list(row[:3]), [[value / unit for value in edge] for edge in edges])


def room(one: Box, other: Box) -> fmpq:
    """The largest factor by which the two can grow about their centres until no axis separates them."""
    apart = [a - b for a, b in zip(one.centre, other.centre, strict=True)]
    found = fmpq(0)
    for axis in _axes(one, other):
        reach = one.reach(axis) + other.reach(axis)
        if reach != 0:
            found = max(found, abs(dot(apart, axis)) / reach)
    return found


def _axes(one: Box, other: Box) -> list[Vector]:
    axes = [*one.halves, *other.halves]
    if len(one.centre) == 3:
        axes += [_cross(a, b) for a, b in product(one.halves, other.halves)]
    return axes


def _cross(a: Vector, b: Vector) -> Vector:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def _unit(dimension: int, place: int) -> Vector:
    return [fmpq(int(index == place)) for index in range(dimension)]


def squares_in_square(data: Any, parameters: Parameters) -> Measured:
    """The sum of the sides of disjoint squares in the unit square, all shrunk by one factor where they overlap."""
    rows = reading.points(data, "the list of squares", count=int(parameters["n"]), dimension=5)
    squares = [square_of(row, f"square {index + 1}") for index, row in enumerate(rows)]
    factor = min((room(one, other) for one, other in combinations(squares, 2)), default=fmpq(1))
    for square in squares:
        for place, value in enumerate(square.centre):
            reach = square.reach(_unit(2, place))
            if reach != 0:
                factor = min(factor, min(value, 1 - value) / reach)
    if factor <= 0:
        raise RejectedError("two squares have one centre, or a centre is not inside of the unit square")
    factor = min(factor, fmpq(1))
    shrunk = [[x, y, side * factor, p, q] for x, y, side, p, q in rows]
    sides = [row[2] for row in shrunk]
    return Measured(
        value=sum(sides, fmpq(0)),
        construction=[[str(value) for value in row] for row in shrunk],
        details={
            "rotated_share": sum(row[3] != 0 and row[4] != 0 for row in rows) / len(rows),
            "shrink": float_of(1 - factor),
        },
        picture=polygons_picture(f"{len(rows)} squares", [_corners(square_of(row, "")) for row in shrunk]),
    )


def _corners(square: Box) -> list[Vector]:
    (x, y), (a, b) = square.centre, square.halves
    return [[x + s * a[0] + t * b[0], y + s * a[1] + t * b[1]] for s, t in ((1, 1), (-1, 1), (-1, -1), (1, -1))]


def cubes_in_cube(data: Any, parameters: Parameters) -> Measured:
    """The side of the smallest upright cube around disjoint unit cubes; their centres move apart where they overlap."""
    rows = reading.points(data, "the list of cubes", count=int(parameters["n"]), dimension=7)
    cubes = [cube_of(row, f"cube {index + 1}") for index, row in enumerate(rows)]
    least = min((room(one, other) for one, other in combinations(cubes, 2)), default=fmpq(1))
    if least <= 0:
        raise RejectedError("two cubes have one centre")
    factor = max(1 / least, fmpq(1))
    moved = [[*(factor * value for value in row[:3]), *row[3:]] for row in rows]
    sides = []
    for place in range(3):
        reaches = [cube.reach(_unit(3, place)) for cube in cubes]
        centres = [row[place] for row in moved]
        ends = list(zip(centres, reaches, strict=True))
        sides.append(max(c + r for c, r in ends) - min(c - r for c, r in ends))
    return Measured(
        value=max(sides),
        construction=[[str(value) for value in row] for row in moved],
        details={
            "rotated_share": sum(_is_rotated(row) for row in rows) / len(rows),
            "flatness": float_of(min(sides) / max(sides)),
        },
        picture=polygons_picture(
            f"{len(rows)} unit cubes, seen from above", [face for row in moved for face in _faces(cube_of(row, ""))]
        ),
    )


def _faces(cube: Box) -> list[list[Vector]]:
    """The six faces of a cube, seen from above."""
    x, y = cube.centre[:2]
    faces = []
    for place in range(3):
        out, a, b = (cube.halves[(place + step) % 3] for step in range(3))
        for side in (1, -1):
            centre = Box([x + side * out[0], y + side * out[1]], [a[:2], b[:2]])
            faces.append(_corners(centre))
    return faces


def _is_rotated(row: Sequence[fmpq]) -> bool:
    return sum(value != 0 for value in row[3:]) > 1


VERIFIERS = (
    Verifier(
        name="squares_in_square",
        quantity="sum of the sides",
        direction="max",
        checker=CHECKER,
        measure=squares_in_square,
        parameters=(Whole(name="n", low=1, high=100),),
    ),
    Verifier(
        name="cubes_in_cube",
        quantity="side of the cube around the unit cubes",
        direction="min",
        checker=CHECKER,
        measure=cubes_in_cube,
        parameters=(Whole(name="n", low=1, high=60),),
    ),
)
