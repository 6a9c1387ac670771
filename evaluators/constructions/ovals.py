"""Ovals: closed convex curves and the lowest eigenvalue of their Schroedinger operator with squared curvature."""

from collections.abc import Sequence
from typing import Any

from flint import acb, arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import float_of, polygons_picture
from evaluators.constructions.rounding import upper
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_ovals.py"
BITS = 128
EVALUATIONS = 4_000
N_SHOWN = 120
GRID = 1 << 46

Waves = Sequence[tuple[int, fmpq, fmpq]]  # multiples of the angle, with the shares of its cosine and sine


def oval_eigenvalue(data: Any, parameters: Parameters) -> Measured:
    """The Rayleigh quotient of a function on a closed convex curve of length 2 pi, for -d^2/ds^2 + curvature^2.

    The radius of curvature is 1 + sum of a_k cos kt + b_k sin kt, k = 2, 3, ..., in the direction t of the tangent:
    without k = 1 the curve closes, and where it is above 0 the curve is convex. With ds = radius dt the quotient is the
    integral of (f'^2 + f^2) / radius over that of f^2 radius; no eigenvalue below it is claimed.
    """
    most = int(parameters["n"])
    bends = reading.points(reading.member(data, "curve"), "the curve", most=most, dimension=2)
    values = reading.points(reading.member(data, "function"), "the function", most=most, dimension=2)
    curve: Waves = [(0, fmpq(1), fmpq(0)), *((k, a, b) for k, (a, b) in enumerate(bends, start=2))]
    function: Waves = [(k, a, b) for k, (a, b) in enumerate(values)]
    slope: Waves = [(k, k * b, -k * a) for k, a, b in function]
    with working(bits=BITS):
        below = _mean_of_square(function, curve)
        if not below > 0:
            raise RejectedError("the function is zero, or the curve is not convex")
        integrand = _Quotient(function, slope, curve)
        found = acb.integral(integrand, 0, 2 * arb.pi(), eval_limit=EVALUATIONS)
        if not found.is_finite() or not found.real.rad() < arb(found.real.mid()) / 10**6:
            raise RejectedError("the radius of curvature is not above 0 everywhere, or too near to it")
        # With room for another way to integrate.
        value = fmpq(int((upper(found.real / (2 * arb.pi() * below)) * GRID).ceil()) + 1, GRID)
    return Measured(
        value=value,
        is_exact=False,
        construction={
            "curve": [[str(part) for part in row] for row in bends],
            "function": [[str(part) for part in row] for row in values],
        },
        details={
            "roundness": 1 / (1 + sum(abs(float_of(part)) for row in bends for part in row)),
            "waves": float(len(bends)),
        },
        picture=polygons_picture("an oval", [_outline(curve)]),
    )


def _at(waves: Waves, turn: acb, back: acb) -> acb:
    """A sum of waves at an angle z, from e^(iz) and e^(-iz)."""
    total = acb(0)
    for k, a, b in waves:
        up, down = turn**k, back**k
        total += arb(a) * (up + down) / 2 + arb(b) * (up - down) / acb(0, 2)
    return total


class _Quotient:
    """(f'^2 + f^2) / radius as a function of a complex angle, analytic where the radius is not 0."""

    def __init__(self, function: Waves, slope: Waves, curve: Waves) -> None:
        self._parts = function, slope, curve

    def __call__(self, angle: acb, _: Any) -> acb:
        turn, back = (angle * acb(0, 1)).exp(), (angle * acb(0, -1)).exp()
        value, slope, radius = (_at(waves, turn, back) for waves in self._parts)
        return (slope * slope + value * value) / radius


def _mean_of_square(function: Waves, curve: Waves) -> arb:
    """The mean of f^2 radius: a sum over more equal angles than its degree is exact."""
    n = 2 * max((k for k, *_ in function), default=0) + max(k for k, *_ in curve) + 1
    total = acb(0)
    for j in range(n):
        turn = acb(0, 2 * arb.pi() * j / n).exp()
        back = turn.conjugate()
        value = _at(function, turn, back)
        total += value * value * _at(curve, turn, back)
    return total.real / n


def _outline(curve: Waves) -> list[list[float]]:
    """Points of the curve: x + iy is the integral of radius e^(it)."""
    step = 2 * arb.pi() / N_SHOWN
    place, found = acb(0), []
    for j in range(N_SHOWN):
        turn = acb(0, step * j).exp()
        place += _at(curve, turn, turn.conjugate()) * turn * step
        found.append([float(place.real.mid()), float(place.imag.mid())])
    return found


VERIFIERS = (
    Verifier(
        name="oval_eigenvalue",
        quantity="Rayleigh quotient",
        direction="min",
        checker=CHECKER,
        measure=oval_eigenvalue,
        parameters=(Whole(name="n", low=1, high=24),),
    ),
)
