"""Where a polynomial is zero: an exact test on an interval, and the complex zeros near it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from flint import acb_poly, fmpq, fmpq_poly

from evaluators.approximation.precision import working
from evaluators.approximation.rational import exact

MAX_BISECTIONS = 64
BITS_TOLD = 20
RIGOROUS_DEGREE = 24
TOLERANCE = 1e-12
MAX_BITS = 1024


def zero_inside(polynomial: Any, low: float, high: float) -> float | None:
    """Some zero of the polynomial in the closed interval, about; None proves that there is none.

    Descartes' rule of signs after a Moebius map, with bisection (Vincent, Collins and Akritas 1976), in exact
    arithmetic. Two complex zeros within 2**-64 of the interval's width from it count as a real one.
    """
    start, width = exact(low), exact(high) - exact(low)
    unit = polynomial(fmpq_poly([start, width]))
    if unit(fmpq(0)) == 0:
        return low
    if unit(fmpq(1)) == 0:
        return high
    where = _zero_in_unit_interval(unit)
    return None if where is None else low + (high - low) * where


def _zero_in_unit_interval(polynomial: Any) -> float | None:
    """Where in (0, 1) there is a zero, about; the ends are no zeros."""
    pending = [(polynomial, 0.0, 1.0)]
    half = fmpq(1, 2)
    while pending:
        piece, left, width = pending.pop()
        changes = _sign_changes(piece)
        if changes == 0:
            continue
        middle = left + width / 2
        found = changes == 1 and width < 2.0**-BITS_TOLD
        if found or width < 2.0**-MAX_BISECTIONS or piece(half) == 0:
            return middle
        pending.append((piece(fmpq_poly([half, half])), middle, width / 2))
        pending.append((piece(fmpq_poly([0, half])), left, width / 2))
    return None


def _sign_changes(polynomial: Any) -> int:
    """An upper bound, of the right parity, on the number of zeros in (0, 1)."""
    reverse = fmpq_poly(list(reversed(polynomial.coeffs())))
    signs = [coefficient > 0 for coefficient in reverse(fmpq_poly([1, 1])).coeffs() if coefficient != 0]
    return sum(left != right for left, right in pairwise(signs))


def complex_zeros(polynomial: Any) -> Sequence[complex]:
    """The complex zeros, a multiple one once or more: to twelve digits for moderate degrees, eigenvalues above.

    The work is bounded: zeros too close together for `MAX_BITS` are estimated by eigenvalues as well.
    """
    if polynomial.degree() < 1:
        return ()
    if polynomial.degree() <= RIGOROUS_DEGREE:
        for candidate in (polynomial, _squarefree(polynomial)):
            try:
                with working(bits=128):
                    return [complex(zero) for zero in acb_poly(candidate).roots(tol=TOLERANCE, maxprec=MAX_BITS)]
            except ValueError:  # not converged: multiple zeros, or very close ones
                continue
    coefficients = polynomial.coeffs()
    largest = max(abs(coefficient) for coefficient in coefficients)
    scaled = [float(_nearest(coefficient / largest)) for coefficient in reversed(coefficients)]
    try:
        with np.errstate(all="ignore"):
            return [complex(zero) for zero in np.roots(scaled)]
    except np.linalg.LinAlgError:  # coefficients too far apart for floats: there is no hint to give
        return ()


def _squarefree(polynomial: Any) -> Any:
    return polynomial // polynomial.gcd(polynomial.derivative())


def _nearest(number: Any) -> float:
    return int(number.p) / int(number.q)
