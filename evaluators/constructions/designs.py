"""Spherical designs: exact ones proved to exist near given points, by the equations that a symmetry group leaves."""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import permutations, product
from math import prod
from typing import Any

import numpy as np
from flint import arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.distances import text_rows
from evaluators.constructions.newton import BITS, Floats, proved_solution
from evaluators.constructions.pictures import float_of, points_picture
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_existence.py"
MOST_ORBITS = 60
LEAST_GAP = 1e-4

Exponents = tuple[int, int, int]
Polynomial = Mapping[Exponents, int]
Rotation = tuple[tuple[int, ...], tuple[int, ...]]  # which coordinate comes to each place, and with which sign

EVEN = ((0, 1, 2), (1, 2, 0), (2, 0, 1))
GROUPS: Mapping[str, tuple[Rotation, ...]] = {
    "trivial": (((0, 1, 2), (1, 1, 1)),),
    "antipodal": (((0, 1, 2), (1, 1, 1)), ((0, 1, 2), (-1, -1, -1))),
    "tetrahedral": tuple((o, s) for o in EVEN for s in product((1, -1), repeat=3) if prod(s) == 1),
    "octahedral": tuple(
        (o, s) for o in permutations(range(3)) for s in product((1, -1), repeat=3) if (prod(s) == 1) == (o in EVEN)
    ),
}
# Directions that some rotations keep: their orbits are smaller, and there is nothing to move.
AXES: Mapping[str, tuple[Exponents, ...]] = {
    "trivial": (),
    "antipodal": (),
    "tetrahedral": ((1, 0, 0), (1, 1, 1), (-1, -1, -1)),
    "octahedral": ((1, 0, 0), (1, 1, 0), (1, 1, 1)),
}

X: Polynomial = {(1, 0, 0): 1}
Y: Polynomial = {(0, 1, 0): 1}
Z: Polynomial = {(0, 0, 1): 1}
FOURTH: Polynomial = {(4, 0, 0): 1, (0, 4, 0): 1, (0, 0, 4): 1}
SIXTH: Polynomial = {(2, 2, 2): 1}
CUBIC: Polynomial = {(1, 1, 1): 1}
SKEW: Polynomial = {
    (4, 0, 2): 1, (2, 4, 0): 1, (0, 2, 4): 1, (4, 2, 0): -1, (0, 4, 2): -1, (2, 0, 4): -1,
}  # fmt: skip
# Generators of the invariant polynomials on the sphere: a polynomial, its degree, the largest exponent that is needed.
INVARIANTS: Mapping[str, tuple[tuple[Polynomial, int, int], ...]] = {
    "trivial": ((X, 1, 99), (Y, 1, 99), (Z, 1, 1)),
    "antipodal": ((X, 1, 99), (Y, 1, 99), (Z, 1, 1)),
    "tetrahedral": ((CUBIC, 3, 99), (FOURTH, 4, 99), (SKEW, 6, 1)),
    "octahedral": ((FOURTH, 4, 99), (SIXTH, 6, 99), ({}, 9, 1)),
}


def multiplied(one: Polynomial, other: Polynomial) -> dict[Exponents, int]:
    """The product of two polynomials in x, y and z."""
    found: dict[Exponents, int] = {}
    for (a, b, c), left in one.items():
        for (d, e, f), right in other.items():
            place = (a + d, b + e, c + f)
            found[place] = found.get(place, 0) + left * right
    return {place: coefficient for place, coefficient in found.items() if coefficient}


@cache
def invariant_polynomials(group: str, t: int) -> tuple[Polynomial, ...]:
    """Homogeneous polynomials that span, on the sphere, the invariant ones of degree 1 to t."""
    generators = [(p or multiplied(CUBIC, SKEW), degree, most) for p, degree, most in INVARIANTS[group]]
    found: list[Polynomial] = []

    def extend(polynomial: Polynomial, degree: int, rest: Sequence[tuple[Polynomial, int, int]]) -> None:
        if not rest:
            if degree and not (group == "antipodal" and degree % 2):
                found.append(polynomial)
            return
        generator, step, most = rest[0]
        for power in range(min((t - degree) // step, most) + 1):
            extend(polynomial, degree + power * step, rest[1:])
            if power < most:
                polynomial = multiplied(polynomial, generator)

    extend({(0, 0, 0): 1}, 0, generators)
    return tuple(found)


def sphere_mean(polynomial: Polynomial) -> fmpq:
    """The mean of a polynomial over the unit sphere."""
    total = fmpq(0)
    for exponents, coefficient in polynomial.items():
        if not any(exponent % 2 for exponent in exponents):
            total += fmpq(coefficient * prod(map(_odd_product, exponents)), _odd_product(sum(exponents) + 2))
    return total


def _odd_product(number: int) -> int:
    """The product of all odd numbers below an even one."""
    return prod(range(1, number, 2))


class _Equations:
    """What the points of the orbits must satisfy: a mean for each polynomial, and that they lie on the sphere."""

    def __init__(self, group: str, t: int, n_orbits: int, axes: Sequence[Exponents]) -> None:
        self._polynomials = invariant_polynomials(group, t)
        self._n_orbits = n_orbits
        size = len(GROUPS[group])
        shares = [fmpq(len(orbit_of(group, axis)), size) for axis in axes]
        total = n_orbits + sum(shares, fmpq(0))
        self._constants = []
        for polynomial in self._polynomials:
            constant = arb(-total * sphere_mean(polynomial))
            for axis, share in zip(axes, shares, strict=True):
                constant += arb(share) * _at_direction(polynomial, axis)
            self._constants.append(constant)

    def __call__(self, unknowns: Sequence[arb]) -> tuple[list[arb], list[list[arb]]]:
        values = list(self._constants)
        slopes = [[arb(0)] * len(unknowns) for _ in range(len(self._polynomials) + self._n_orbits)]
        for orbit in range(self._n_orbits):
            point = unknowns[3 * orbit : 3 * orbit + 3]
            powers = [_powers(coordinate, 32) for coordinate in point]
            for row, polynomial in enumerate(self._polynomials):
                for exponents, coefficient in polynomial.items():
                    a, b, c = (powers[k][exponents[k]] for k in range(3))
                    values[row] += coefficient * a * b * c
                    for k, others in enumerate((b * c, a * c, a * b)):
                        if exponents[k]:
                            step = coefficient * exponents[k] * powers[k][exponents[k] - 1] * others
                            slopes[row][3 * orbit + k] += step
            values.append(sum((coordinate * coordinate for coordinate in point), arb(-1)))
            for k in range(3):
                slopes[len(self._polynomials) + orbit][3 * orbit + k] = 2 * point[k]
        return values, slopes


def _powers(value: arb, count: int) -> list[arb]:
    found = [arb(1)]
    for _ in range(count):
        found.append(found[-1] * value)
    return found


def _at_direction(polynomial: Polynomial, axis: Exponents) -> arb:
    """The value at the point of the sphere in the direction of an axis."""
    degree = sum(next(iter(polynomial)))
    value = sum(c * prod(x**e for x, e in zip(axis, exponents, strict=True)) for exponents, c in polynomial.items())
    return arb(value) / arb(sum(x * x for x in axis)).sqrt() ** degree


def orbit_of(group: str, point: Sequence[Any]) -> set[tuple[Any, ...]]:
    """All images of a point."""
    return {tuple(point[k] * s for k, s in zip(order, signs, strict=True)) for order, signs in GROUPS[group]}


def spherical_design(data: Any, parameters: Parameters) -> Measured:
    """The number of points of a spherical design of the strength t on the sphere of three dimensions."""
    t = int(parameters["t"])
    group = reading.member(data, "group")
    if type(group) is not str or group not in GROUPS:
        raise RejectedError(f"the group is not one of {', '.join(GROUPS)}")
    rows = reading.points(reading.member(data, "points"), "the list of points", most=MOST_ORBITS, dimension=3)
    axes = reading.whole_points(reading.member(data, "axes"), "the list of axes", dimension=3, most=3, low=-1, high=1)
    reading.distinct(axes, "the list of axes")
    if not set(axes) <= set(AXES[group]):
        raise RejectedError(f"an axis is not one of {list(map(list, AXES[group]))}, those of the {group} group")
    n_equations = len(invariant_polynomials(group, t))
    if n_equations > 2 * len(rows):
        raise RejectedError(
            f"{len(rows)} orbits have {2 * len(rows)} unknowns, a design of strength {t} with the {group} group "
            f"satisfies {n_equations} equations: nothing can be proved"
        )
    points = _exact(group, t, _normalised(rows), axes) if rows else []
    cloud = _cloud(group, points, axes)
    gap = _least_gap(cloud)
    if gap < LEAST_GAP:
        raise RejectedError("points of the design coincide, or nearly so: choose them as axes, or further apart")
    return Measured(
        value=fmpq(len(cloud)),
        construction={"group": group, "axes": [list(axis) for axis in axes], "points": text_rows(points)},
        details={"orbits": float(len(points) + len(axes)), "gap": gap},
        picture=points_picture(f"{len(cloud)} points, upper half", [p for p in cloud.tolist() if p[2] >= 0]),
    )


def _normalised(rows: Sequence[Sequence[fmpq]]) -> list[list[fmpq]]:
    for index, row in enumerate(rows):
        size = float_of(sum((value * value for value in row), fmpq(0)))
        if not 0.98 < size < 1.02:
            raise RejectedError(f"point {index + 1} is not on the unit sphere: its squared length is {size:.9g}")
    return [list(row) for row in rows]


def _exact(group: str, t: int, rows: Sequence[Sequence[fmpq]], axes: Sequence[tuple[int, ...]]) -> list[list[fmpq]]:
    with working(bits=BITS):
        equations = _Equations(group, t, len(rows), [(x, y, z) for x, y, z in axes])
        found = proved_solution(equations, [value for row in rows for value in row])
    if found is None:
        raise RejectedError(f"no exact design of strength {t} is proved to lie near these points")
    return [found[k : k + 3] for k in range(0, len(found), 3)]


def _cloud(group: str, points: Sequence[Sequence[fmpq]], axes: Sequence[Sequence[int]]) -> Floats:
    """All points of the design, as floats."""
    found = []
    for order, signs in GROUPS[group]:
        for point in points:
            shown = [float_of(value) for value in point]
            found.append([shown[k] * s for k, s in zip(order, signs, strict=True)])
    for axis in axes:
        size = sum(value * value for value in axis) ** 0.5
        found += [[value / size for value in image] for image in sorted(orbit_of(group, axis))]
    return np.array(found).reshape(-1, 3)


def _least_gap(cloud: Floats) -> float:
    if len(cloud) < 2:
        raise RejectedError("there are fewer than two points")
    squares = ((cloud[:, None] - cloud) ** 2).sum(2) + 9.0 * np.eye(len(cloud))
    return math.sqrt(float(squares.min()))


VERIFIERS = (
    Verifier(
        name="spherical_design",
        quantity="number of points",
        direction="min",
        checker=CHECKER,
        measure=spherical_design,
        parameters=(Whole(name="t", low=1, high=25),),
    ),
)
