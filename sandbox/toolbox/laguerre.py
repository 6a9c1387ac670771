"""The sign uncertainty principle: sums of Laguerre polynomials with a root at 0 and double roots at given places.

Polynomials are evaluated at 200 bits by balls, for sums of them are ill-conditioned; what a strategy finds is exact,
because it is given by its roots.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from flint import acb_poly, arb, arb_mat, arb_poly, ctx, fmpq, fmpq_mat, fmpq_poly

from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.vectors import Quantity

BITS = 256
SMALLEST, LARGEST = 1.0, 120.0
SCALE = 1 << 40


def laguerre_polynomials(count: int) -> list[Any]:
    """The Laguerre polynomials of index 0, 2, 4, ... with the parameter -1/2."""
    before, now, found = fmpq_poly([0]), fmpq_poly([1]), [fmpq_poly([1])]
    z = fmpq_poly([0, 1])
    for k in range(2 * (count - 1)):
        before, now = now, ((fmpq(4 * k + 1, 2) - z) * now - (k - fmpq(1, 2)) * before) / (k + 1)
        if k % 2:
            found.append(now)
    return found


def double_roots(n: int) -> Quantity:
    """Minus the last sign change over 2 pi of the sum of `2 n + 2` polynomials with `n` double roots."""
    if n < 1:
        raise ValueError(f"there are {n} double roots, expected one or more")
    polynomials = laguerre_polynomials(2 * n + 2)

    def terms(x: FloatArray) -> FloatArray:
        before, ctx.prec = ctx.prec, BITS
        try:
            return np.array([-_last_sign_change(polynomials, np.sort(x)) / (2.0 * np.pi)])
        except (ZeroDivisionError, ValueError):
            return np.array([-np.inf])
        finally:
            ctx.prec = before

    def start(rng: np.random.Generator) -> FloatArray:
        k = np.arange(n)
        parabola = rng.uniform(0.5, 4.0) * k + rng.uniform(0.0, 1.8) * k**2 + rng.normal(0.0, 0.2, n)
        spread = np.append(0.0, np.sort(rng.uniform(1.0, 100.0, n - 1)))
        return np.asarray(rng.uniform(2.5, 5.5) + (parabola if rng.random() < 0.5 else spread), np.float64)

    def inside(x: FloatArray) -> FloatArray:
        ordered = np.sort(x)
        for index in range(1, len(ordered)):
            ordered[index] = max(ordered[index], ordered[index - 1] + 1e-3)
        return ordered

    return Quantity(low=SMALLEST, high=LARGEST, start=start, terms=terms, inside=inside, cost=0.1 * (n / 6.0) ** 2)


def _last_sign_change(polynomials: list[Any], roots: FloatArray) -> float:
    places = [arb(0), *(arb(float(root)) for root in roots)]
    size = len(polynomials) - 1
    slopes = [p.derivative() for p in polynomials]
    rows = [[arb_poly(p)(z) for p in polynomials] for z in places]
    rows += [[arb_poly(p)(z) for p in slopes] for z in places[1:]]
    solution = arb_mat([row[:-1] for row in rows]).solve(arb_mat([[-row[-1]] for row in rows]))
    total = arb_poly(polynomials[-1])
    for index in range(size):
        total += arb_poly(polynomials[index]) * solution[index, 0]
    divisor = arb_poly([0, 1])
    for root in places[1:]:
        divisor *= arb_poly([-root, 1]) ** 2
    quotient = _divided(total, divisor)
    found = 0.0
    for place in acb_poly(quotient).roots(tol=1e-20, maxprec=4 * BITS):
        if abs(float(place.imag.mid())) < 1e-18 and float(place.real.mid()) > found:
            found = float(place.real.mid())
    return found if found > 0.0 else float("inf")


def _divided(total: Any, divisor: Any) -> Any:
    """The quotient of polynomials that divide without a rest."""
    left = [arb(c.mid()) for c in total.coeffs()]
    by = divisor.coeffs()
    found = [arb(0)] * (len(left) - len(by) + 1)
    for index in reversed(range(len(found))):
        found[index] = left[index + len(by) - 1]
        for place, value in enumerate(by):
            left[index + place] -= found[index] * value
    return arb_poly([arb(c.mid()) for c in found])


def root_texts(x: FloatArray) -> list[str]:
    """The double roots, as exact numbers of few digits."""
    return [str(Fraction(round(float(root) * SCALE), SCALE)) for root in np.sort(x)]


def root_vector(texts: list[str]) -> FloatArray:
    """What `root_texts` was made from."""
    return np.array([float(Fraction(text)) for text in texts])


def hermite_coefficients(x: FloatArray, n: int) -> list[str]:
    """The first `n` coefficients of the same polynomial as a sum of Hermite polynomials of index 0, 4, 8, ...

    With 2 k double roots and n = 2 k + 1 of them the last one follows from the root at 0; solved exactly.
    """
    roots = [fmpq(Fraction(text).numerator, Fraction(text).denominator) for text in root_texts(x)]
    polynomials = laguerre_polynomials(2 * len(roots) + 2)
    rows = [[p(z) for p in polynomials] for z in (fmpq(0), *roots)]
    rows += [[p.derivative()(z) for p in polynomials] for z in roots]
    solution = fmpq_mat([row[:-1] for row in rows]).solve(fmpq_mat([[-row[-1]] for row in rows]))
    weights = [solution[index, 0] for index in range(len(polynomials) - 1)] + [fmpq(1)]
    factor, found = fmpq(1), []
    for index, weight in enumerate(weights):
        found.append(str(weight / factor))
        factor *= 16 * (2 * index + 1) * (2 * index + 2)
    return (found + ["0"] * n)[:n]
