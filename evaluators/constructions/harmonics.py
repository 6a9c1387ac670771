"""Spherical harmonics of one degree and their norms, by quadrature that is exact for polynomials of that degree."""

from collections.abc import Sequence
from typing import Any

from flint import arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import squared, working
from evaluators.constructions.pictures import float_of, steps_picture
from evaluators.constructions.rounding import lower
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_harmonics.py"
BITS = 192


def harmonic_norm(data: Any, parameters: Parameters) -> Measured:
    """|u|_4 / |u|_2 for a spherical harmonic of degree D on the sphere of measure 1.

    The 2D + 1 coefficients belong to the orthonormal basis: first the zonal one, then the pairs with cos m phi and
    sin m phi for m = 1, ..., D. u^4 is integrated exactly by 2D + 1 Gauss-Legendre nodes times 4D + 1 equal angles.
    """
    degree = int(parameters["degree"])
    coefficients = reading.rationals(data, "the list of coefficients", count=2 * degree + 1)
    if not any(coefficients):
        raise RejectedError("all coefficients are 0")
    size = max(abs(c) for c in coefficients)
    with working(bits=BITS):
        shares = [arb(c / size) for c in coefficients]
        fourth = _fourth_power(shares, degree)
        square = sum((share * share for share in shares), arb(0))
        value = lower((fourth / square**2) ** (arb(1) / 4))
    squares = [float_of((c / size) ** 2) for c in coefficients]
    return Measured(
        value=value,
        is_exact=False,
        construction=[str(c) for c in coefficients],
        details={
            "zonal_share": squares[0] / sum(squares),
            "top_share": (squares[-1] + squares[-2]) / sum(squares),
        },
        picture=steps_picture("coefficients", coefficients),
    )


def _fourth_power(shares: Sequence[arb], degree: int) -> arb:
    """The mean of u^4 over the sphere."""
    n_angles = 4 * degree + 1
    angle = 2 * arb.pi() / n_angles
    turns = [((angle * k).cos(), (angle * k).sin()) for k in range(n_angles)]
    total = arb(0)
    for node in range(2 * degree + 1):
        place, weight = arb.legendre_p_root(2 * degree + 1, node, weight=True)
        heights = normalised_legendre(degree, place)
        waves = [(heights[m] * shares[2 * m - 1], heights[m] * shares[2 * m], m) for m in range(1, degree + 1)]
        ring = arb(0)
        for k in range(n_angles):
            value = heights[0] * shares[0]
            for cosine, sine, m in waves:
                x, y = turns[m * k % n_angles]
                value += cosine * x + sine * y
            ring += squared(squared(value))
        total += weight * ring
    return total / (2 * n_angles)


def normalised_legendre(degree: int, place: arb) -> list[arb]:
    """The associated Legendre functions of one degree and the orders 0, 1, ..., times the factors of the basis."""
    sine = (1 - place * place).sqrt()
    found, first, factor = [], arb(1), fmpq(2 * degree + 1)
    for m in range(degree + 1):
        before, now = arb(0), first
        for k in range(m + 1, degree + 1):
            before, now = now, ((2 * k - 1) * place * now - (k + m - 1) * before) / (k - m)
        found.append(now * arb(factor if m == 0 else 2 * factor).sqrt())
        first = first * (2 * m + 1) * sine
        factor /= (degree + m + 1) * (degree - m) if m < degree else 1
    return found


VERIFIERS = (
    Verifier(
        name="harmonic_norm",
        quantity="4-norm over 2-norm",
        direction="max",
        checker=CHECKER,
        measure=harmonic_norm,
        parameters=(Whole(name="degree", low=1, high=24),),
    ),
)
