"""Radial functions p(2 pi |x|^2) exp(-pi |x|^2) of d variables: bounds of sphere packings, and of sign uncertainty.

With p a sum of Laguerre polynomials L_k of the parameter d / 2 - 1, the Fourier transform has the same form with the
signs (-1)^k. Everything is asked of polynomials with rational coefficients, whose real roots are isolated exactly.
"""

import math
from collections.abc import Sequence
from typing import Any

from flint import arb, fmpq, fmpq_mat, fmpq_poly

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.laguerre import last_sign_change
from evaluators.constructions.pictures import curve_picture, float_of
from evaluators.constructions.rounding import upper
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_radial.py"
BITS = 160
LARGEST_ROOT = 1000
GRID = 1 << 30
N_SHOWN = 200


def laguerre(dimension: int, count: int) -> list[fmpq_poly]:
    """The Laguerre polynomials of index 0, 1, ... with the parameter dimension / 2 - 1."""
    alpha = fmpq(dimension, 2) - 1
    before, now = fmpq_poly([0]), fmpq_poly([1])
    found = [now]
    z = fmpq_poly([0, 1])
    for k in range(count - 1):
        before, now = now, ((2 * k + 1 + alpha - z) * now - (k + alpha) * before) / (k + 1)
        found.append(now)
    return found


def _double_roots(data: Any, where: str, most: int) -> list[fmpq]:
    """Different numbers above 0, on a grid: a root that is moved is as good a root."""
    given = reading.rationals(data, where, most=most)
    roots = sorted(fmpq(int((root * GRID).floor()), GRID) for root in given)
    reading.distinct(roots, where)
    for root in roots:
        if not 0 < root <= LARGEST_ROOT:
            raise RejectedError(f"the root {float_of(root):.9g} is not above 0 and at most {LARGEST_ROOT}")
    return roots


def _solved(rows: Sequence[Sequence[fmpq]], right: Sequence[int]) -> list[fmpq]:
    try:
        found = fmpq_mat([list(row) for row in rows]).solve(fmpq_mat([[value] for value in right]))
    except ZeroDivisionError:
        raise RejectedError("the double roots do not determine the polynomial") from None
    return [found[k, 0] for k in range(len(rows))]


def _combined(coefficients: Sequence[fmpq], polynomials: Sequence[fmpq_poly]) -> fmpq_poly:
    return sum((c * p for c, p in zip(coefficients, polynomials, strict=True)), fmpq_poly([0]))


def _divided(polynomial: fmpq_poly, roots: Sequence[fmpq]) -> fmpq_poly:
    """The polynomial without its double roots, at which no sign changes."""
    for root in roots:
        polynomial, rest = divmod(polynomial, fmpq_poly([-root, 1]) ** 2)
        if rest != fmpq_poly([0]):
            raise ArithmeticError("the solution of the linear equations does not have the roots it was made for")
    return polynomial


def _drawn(name: str, polynomial: fmpq_poly, last: fmpq) -> dict[str, Any]:
    """The function over the distance, up to its last double root; fourth roots bring small values out."""
    found = []
    for k in range(N_SHOWN):
        distance = (k + 1) * math.sqrt(float_of(last)) / N_SHOWN
        place = fmpq(int(distance * distance * GRID), GRID)
        value = float_of(polynomial(place)) * math.exp(-float_of(place) / 2)
        found.append((distance, math.copysign(abs(value) ** 0.25, value)))
    return curve_picture(f"{name} over the distance, fourth roots", found)


def sphere_packing_bound(data: Any, parameters: Parameters) -> Measured:
    """The bound of Cohn and Elkies for sphere packings from double roots of a function and of its transform.

    f(0) = F(0) = 1, F >= 0, and f <= 0 from the distance r on: no packing is denser than a ball of the radius r / 2 has
    volume.
    """
    d, most = int(parameters["d"]), int(parameters["n"])
    roots = _double_roots(reading.member(data, "roots"), "the list of roots", most)
    others = _double_roots(reading.member(data, "transform_roots"), "the list of roots of the transform", most)
    count = 2 * (len(roots) + len(others) + 1)
    direct = laguerre(d, count)
    mirrored = [-p if k % 2 else p for k, p in enumerate(direct)]
    slopes, mirrored_slopes = ([p.derivative() for p in family] for family in (direct, mirrored))
    rows = [[p(place) for p in family] for family in (direct, mirrored) for place in (fmpq(0),)]
    rows += [[p(place) for p in family] for family in (direct, slopes) for place in roots]
    rows += [[p(place) for p in family] for family in (mirrored, mirrored_slopes) for place in others]
    found = _solved(rows, [1, 1, *[0] * (count - 2)])
    outside = _divided(_combined(found, direct), roots)
    transform = _divided(_combined(found, mirrored), others)
    if transform[transform.degree()] < 0 or last_sign_change(transform) > 0:
        raise RejectedError("the Fourier transform is negative somewhere")
    if outside[outside.degree()] > 0:
        raise RejectedError("the function is positive at last")
    with working(bits=BITS):
        radius = (last_sign_change(outside) / (2 * arb.pi())).sqrt()
        half = arb(d) / 2
        value = upper(arb.pi() ** half / (half + 1).gamma() * (radius / 2) ** d)
    return Measured(
        value=value,
        is_exact=False,
        construction={"roots": [str(root) for root in roots], "transform_roots": [str(root) for root in others]},
        details={"n_roots": float(len(roots) + len(others)), "largest_root": float_of(max([*roots, *others, fmpq(0)]))},
        picture=_drawn("f", _combined(found, direct), max([*roots, *others, fmpq(20)])),
    )


def uncertainty_minus(data: Any, parameters: Parameters) -> Measured:
    """The last sign change of g = -G with g(0) = 0, positive at last, from double roots: L_1, L_3, ..., L_(4n+3)."""
    d = int(parameters["d"])
    roots = _double_roots(data, "the list of roots", int(parameters["n"]))
    basis = laguerre(d, 4 * len(roots) + 4)[1::2]
    slopes = [p.derivative() for p in basis]
    rows = [[p(fmpq(0)) for p in basis]]
    rows += [[p(place) for p in family] for family in (basis, slopes) for place in roots]
    rows.append([fmpq(int(k == len(basis) - 1)) for k in range(len(basis))])
    total = _combined(_solved(rows, [*[0] * (len(rows) - 1), 1]), basis)
    quotient, rest = divmod(_divided(total, roots), fmpq_poly([0, 1]))
    if rest != fmpq_poly([0]):
        raise ArithmeticError("the solution of the linear equations is not 0 at 0")
    with working(bits=BITS):
        change = last_sign_change(quotient)
        if not change > 0:
            raise RejectedError("the polynomial has no sign change above 0")
        value = upper((change / (2 * arb.pi())).sqrt())
    return Measured(
        value=value,
        is_exact=False,
        construction=[str(root) for root in roots],
        details={"n_roots": float(len(roots)), "largest_root": float_of(max([*roots, fmpq(0)]))},
        picture=_drawn("g", total, max([*roots, fmpq(20)])),
    )


VERIFIERS = (
    Verifier(
        name="sphere_packing_bound",
        quantity="upper bound of the density of sphere packings",
        direction="min",
        checker=CHECKER,
        measure=sphere_packing_bound,
        parameters=(Whole(name="d", low=1, high=48), Whole(name="n", low=1, high=14)),
    ),
    Verifier(
        name="uncertainty_minus",
        quantity="distance of the last sign change",
        direction="min",
        checker=CHECKER,
        measure=uncertainty_minus,
        parameters=(Whole(name="d", low=1, high=48), Whole(name="n", low=1, high=16)),
    ),
)
