"""Sign uncertainty: even functions that are their own Fourier transform and are not negative from some point on.

f(x) = p(2 pi x^2) exp(-pi x^2) is its own transform if p is a sum of Laguerre polynomials of even index with the
parameter -1/2 (Hermite polynomials of index 0, 4, 8, ... in x). With p(0) = 0 and p >= 0 from z = r on, r / (2 pi) is
an upper bound of the constant of the sign uncertainty principle in one dimension.
"""

import math
from collections.abc import Sequence
from typing import Any

from flint import arb, fmpq, fmpq_mat, fmpq_poly

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import curve_picture, float_of
from evaluators.constructions.rounding import upper
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_laguerre.py"
BITS = 160
LARGEST_ROOT = 400
CURVE_POINTS = 200


def laguerre_polynomials(count: int) -> list[fmpq_poly]:
    """The Laguerre polynomials of index 0, 2, 4, ... with the parameter -1/2."""
    before, now = fmpq_poly([0]), fmpq_poly([1])
    found = [now]
    z = fmpq_poly([0, 1])
    for k in range(2 * (count - 1)):
        shift = fmpq(4 * k + 1, 2)
        before, now = now, ((shift - z) * now - (k - fmpq(1, 2)) * before) / (k + 1)
        if k % 2:
            found.append(now)
    return found


def last_sign_change(polynomial: fmpq_poly) -> arb:
    """The largest real root of odd multiplicity, as a ball; 0 where there is none above 0."""
    found = arb(0)
    roots: Any = polynomial.numer().complex_roots()  # python-flint's own stubs are wrong here
    for root, multiplicity in roots:
        if multiplicity % 2 and root.imag == 0 and root.real > found:
            found = root.real
    return found


def _bound(
    polynomial: fmpq_poly, construction: list[str], details: dict[str, float], factor: fmpq_poly | int = 1
) -> Measured:
    """The bound of a polynomial times a `factor` that changes no sign above 0."""
    degree = polynomial.degree()
    if degree < 1 or polynomial[degree] < 0:
        raise RejectedError("the polynomial is not positive at last")
    with working(bits=BITS):
        largest = last_sign_change(polynomial)
        if not largest > 0:
            raise RejectedError("the polynomial has no sign change above 0: f would not be negative anywhere")
        value = upper(largest / (2 * arb.pi()))
    picture = curve_picture("the function, up to a factor", _curve(polynomial * factor, float_of(value)))
    return Measured(value=value, is_exact=False, construction=construction, details=details, picture=picture)


def _curve(polynomial: fmpq_poly, bound: float) -> list[tuple[float, float]]:
    """Points of f(x) = p(2 pi x^2) exp(-pi x^2), to twice the last sign change; the largest is 1."""
    reach = 2.0 * math.sqrt(bound)
    xs = [reach * place / CURVE_POINTS for place in range(CURVE_POINTS + 1)]
    values = [float_of(polynomial(_near(2.0 * math.pi * x * x))) * math.exp(-math.pi * x * x) for x in xs]
    largest = max(map(abs, values)) or 1.0
    return [(x, value / largest) for x, value in zip(xs, values, strict=True)]


def _near(value: float) -> fmpq:
    return fmpq(*value.as_integer_ratio())


def uncertainty_hermite(data: Any, parameters: Parameters) -> Measured:
    """The bound of c_0 H_0 + c_1 H_4 + ... + c_n H_4n, whose last coefficient makes it 0 at 0."""
    n = int(parameters["n"])
    given = reading.rationals(data, "the list of coefficients", count=n)
    polynomials = laguerre_polynomials(n + 1)
    # H_4k(x) = 16^k (2k)! L_2k(x^2)
    factor, factors = fmpq(1), []
    for k in range(n + 1):
        factors.append(factor)
        factor *= 16 * (2 * k + 1) * (2 * k + 2)
    terms = [c * f * p for c, f, p in zip(given, factors, polynomials, strict=False)]
    total = sum(terms, fmpq_poly([0]))
    last = -total[0] / polynomials[n][0]
    total = total + last * polynomials[n]
    if last < 0:
        total, given = -total, [-c for c in given]
    sizes = [abs(float_of(c)) for c in given]
    return _bound(total, [str(c) for c in given], {"first_share": sizes[0] / (sum(sizes) or 1.0)})


def uncertainty_laguerre(data: Any, parameters: Parameters) -> Measured:
    """The bound of the sum of L_0, L_2, ..., L_(4n+2) with a root at 0 and double roots at n given points."""
    n = int(parameters["n"])
    roots = sorted(reading.rationals(data, "the list of double roots", count=n))
    reading.distinct(roots, "the list of double roots")
    for root in roots:
        if not 0 < root <= LARGEST_ROOT:
            raise RejectedError(f"the root {float_of(root):.9g} is not above 0 and at most {LARGEST_ROOT}")
    polynomial = with_double_roots(roots)
    divisor = fmpq_poly([0, 1])
    for root in roots:
        divisor *= fmpq_poly([-root, 1]) ** 2
    quotient, rest = divmod(polynomial, divisor)
    if rest != fmpq_poly([0]):
        raise ArithmeticError("the solution of the linear equations does not have the roots that it was made for")
    details = {"largest_root": float_of(roots[-1]), "root_spread": float_of(roots[-1] - roots[0])}
    return _bound(quotient, [str(root) for root in roots], details, divisor)


def with_double_roots(roots: Sequence[fmpq]) -> fmpq_poly:
    """The sum of Laguerre polynomials with a root at 0, double roots as given and the last coefficient 1."""
    count = 2 * len(roots) + 2
    polynomials = laguerre_polynomials(count)
    places = [fmpq(0), *roots]
    rows = [[p(z) for p in polynomials] for z in places] + [[p.derivative()(z) for p in polynomials] for z in roots]
    matrix = fmpq_mat([row[:-1] for row in rows])
    if matrix.det() == 0:
        raise RejectedError("the double roots do not determine the polynomial")
    found = matrix.solve(fmpq_mat([[-row[-1]] for row in rows]))
    total = polynomials[-1]
    for k in range(count - 1):
        total = total + found[k, 0] * polynomials[k]
    return total


VERIFIERS = (
    Verifier(
        name="uncertainty_hermite",
        quantity="last sign change over 2 pi",
        direction="min",
        checker=CHECKER,
        measure=uncertainty_hermite,
        parameters=(Whole(name="n", low=1, high=30),),
    ),
    Verifier(
        name="uncertainty_laguerre",
        quantity="last sign change over 2 pi",
        direction="min",
        checker=CHECKER,
        measure=uncertainty_laguerre,
        parameters=(Whole(name="n", low=1, high=16),),
    ),
)
