"""Points and their distances: max/min ratio, spherical codes, Tammes, Thomson. Every set of points is feasible."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from flint import arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import squared, working
from evaluators.constructions.pictures import float_of, points_picture
from evaluators.constructions.rounding import lower, upper
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

BITS = 160
CHECKER = "check_distances.py"

Point = Sequence[fmpq]


def dot(one: Point, other: Point) -> fmpq:
    """The inner product."""
    return sum((a * b for a, b in zip(one, other, strict=True)), fmpq(0))


def text_rows(points: Sequence[Sequence[Any]]) -> list[list[str]]:
    """Exact points as JSON data."""
    return [[str(value) for value in point] for point in points]


def squared_distances(points: Sequence[Point]) -> list[fmpq]:
    """The squares of all distances, pair by pair."""
    found = []
    for one, other in combinations(points, 2):
        apart = [a - b for a, b in zip(one, other, strict=True)]
        found.append(dot(apart, apart))
    return found


def distance_ratio(data: Any, parameters: Parameters) -> Measured:
    """The squared ratio of the largest to the smallest distance; exact, and the same at every scale."""
    n, dimension = int(parameters["n"]), int(parameters["d"])
    points = reading.points(data, "the list of points", count=n, dimension=dimension)
    squares = squared_distances(points)
    smallest, largest = min(squares), max(squares)
    if smallest == 0:
        raise RejectedError("two points coincide: the smallest distance is 0")
    ratio = largest / smallest
    return Measured(
        value=ratio,
        construction=text_rows(points),
        details={"mean_ratio": _mean_ratio(squares, smallest)},
        picture=points_picture(f"{n} points{', two coordinates of each' if dimension > 2 else ''}", points),
    )


def _mean_ratio(squares: Sequence[fmpq], smallest: fmpq) -> float:
    return sum(math.sqrt(float_of(each / smallest)) for each in squares) / len(squares)


def _directions(data: Any, parameters: Parameters) -> tuple[list[list[fmpq]], list[fmpq]]:
    """Vectors and their squared lengths; a vector stands for the point of the sphere in its direction."""
    n, dimension = int(parameters["n"]), int(parameters["d"])
    vectors = reading.points(data, "the list of points", count=n, dimension=dimension)
    squares = [dot(vector, vector) for vector in vectors]
    for index, square in enumerate(squares):
        if square == 0:
            raise RejectedError(f"row {index + 1} is the zero vector, which has no direction")
    return vectors, squares


class Cosines:
    """The cosines between all directions, exactly: the largest, and the nearest neighbour of each as a float."""

    def __init__(self, vectors: Sequence[Point], squares: Sequence[fmpq]) -> None:
        self.nearest = [-1.0] * len(vectors)
        self.sign = -1
        self.square = fmpq(1)
        largest = fmpq(-2)
        for i, j in combinations(range(len(vectors)), 2):
            product = dot(vectors[i], vectors[j])
            square = product * product / (squares[i] * squares[j])
            signed = -square if product < 0 else square
            cosine = math.copysign(math.sqrt(float_of(square)), -1.0 if product < 0 else 1.0)
            self.nearest[i] = max(self.nearest[i], cosine)
            self.nearest[j] = max(self.nearest[j], cosine)
            if signed > largest:
                largest, self.sign, self.square = signed, -1 if product < 0 else 1, square

    def spread(self) -> float:
        """Between the loneliest point and the most crowded one, in radians, about."""
        angles = [math.acos(max(-1.0, min(1.0, cosine))) for cosine in self.nearest]
        return max(angles) - min(angles)


def _spherical(data: Any, parameters: Parameters, measure: str) -> Measured:
    vectors, squares = _directions(data, parameters)
    cosines = Cosines(vectors, squares)
    with working(bits=BITS):
        cosine = cosines.sign * arb(cosines.square).sqrt()
        if not cosine < 1:
            raise RejectedError("two points of the sphere coincide, or are too near to tell")
        value = lower((2 - 2 * cosine).sqrt() if measure == "chord" else cosine.acos())
    return Measured(
        value=value,
        is_exact=False,
        construction=text_rows(vectors),
        details={"nearest_spread": cosines.spread()},
        picture=_globe(f"{len(vectors)} points of the sphere", vectors, squares),
    )


def _globe(title: str, vectors: Sequence[Point], squares: Sequence[fmpq]) -> dict[str, Any] | None:
    if len(vectors[0]) != 3:
        return None
    unit = [[_share(c, square) for c in vector] for vector, square in zip(vectors, squares, strict=True)]
    return points_picture(f"{title}, upper half", [row for row in unit if row[2] >= 0.0])


def _share(coordinate: fmpq, square: fmpq) -> float:
    return math.copysign(math.sqrt(float_of(coordinate * coordinate / square)), -1.0 if coordinate < 0 else 1.0)


def spherical_code(data: Any, parameters: Parameters) -> Measured:
    """The smallest angle between two directions, in radians."""
    return _spherical(data, parameters, "angle")


def tammes(data: Any, parameters: Parameters) -> Measured:
    """The smallest distance between two points of the unit sphere."""
    return _spherical(data, parameters, "chord")


def thomson(data: Any, parameters: Parameters) -> Measured:
    """The Coulomb energy of the directions: the sum of 1 / distance over all pairs."""
    vectors, squares = _directions(data, parameters)
    with working(bits=BITS):
        unit = [[arb(c) / arb(s).sqrt() for c in vector] for vector, s in zip(vectors, squares, strict=True)]
        energy = arb(0)
        for i, j in combinations(range(len(unit)), 2):
            gap = sum((squared(a - b) for a, b in zip(unit[i], unit[j], strict=True)), arb(0))
            if not gap > 0:
                raise RejectedError(f"points {i + 1} and {j + 1} of the sphere coincide, or are too near to tell")
            energy += gap.rsqrt()
        value = upper(energy)
        shown = np.array([[float(c.mid()) for c in vector] for vector in unit])
    apart = np.sqrt(((shown[:, None] - shown) ** 2).sum(2)) + 9.0 * np.eye(len(shown))
    return Measured(
        value=value,
        is_exact=False,
        construction=text_rows(vectors),
        details={"nearest_spread": float(np.ptp(apart.min(1)))},
        picture=_globe(f"{len(vectors)} charges", vectors, squares),
    )


_PLANE_OR_MORE = (Whole(name="n", low=3, high=400), Whole(name="d", low=2, high=24))

VERIFIERS = (
    Verifier(
        name="minmax_distance_ratio",
        quantity="squared ratio of the largest to the smallest distance",
        direction="min",
        checker=CHECKER,
        measure=distance_ratio,
        parameters=(Whole(name="n", low=3, high=400), Whole(name="d", low=1, high=24)),
    ),
    Verifier(
        name="spherical_code",
        quantity="smallest angle in radians",
        direction="max",
        checker=CHECKER,
        measure=spherical_code,
        parameters=_PLANE_OR_MORE,
    ),
    Verifier(
        name="tammes",
        quantity="smallest distance on the unit sphere",
        direction="max",
        checker=CHECKER,
        measure=tammes,
        parameters=_PLANE_OR_MORE,
    ),
    Verifier(
        name="thomson",
        quantity="Coulomb energy",
        direction="min",
        checker=CHECKER,
        measure=thomson,
        parameters=_PLANE_OR_MORE,
    ),
)
