"""Polynomials over the complex numbers, their zeros and their critical points: conjectures of Sendov, Smale and others.

Critical points are isolated in ball arithmetic. Where several coincide, or nearly so, they are enclosed together: all
roots of a monic polynomial of degree d lie in the disks around any d different points w_j with the radii
d |p(w_j)| / prod |w_j - w_k| (Smith 1970).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flint import acb, acb_poly, arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import float_of, points_picture
from evaluators.constructions.plane import ceil_root
from evaluators.constructions.rounding import lower
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_zeros.py"
BITS = 256
MOST_BITS = 2048
APART_BITS = 8192
TOLERANCE = 1e-60
NUDGE = 6000  # coinciding roots are looked for as roots of a polynomial that differs by 2^-NUDGE
GRID = 1 << 200
MOST_TOGETHER = 12

Complex = tuple[fmpq, fmpq]


def in_unit_disk(data: Any, n: int) -> list[Complex]:
    """Rows of real and imaginary part; what is outside of the unit disk is pulled onto its rim, from inside."""
    found = []
    for x, y in reading.points(data, "the list of zeros", count=n, dimension=2):
        square = x * x + y * y
        if square <= 1:
            found.append((x, y))
            continue
        scale = fmpq(GRID, ceil_root(int((square * GRID * GRID).ceil())))
        found.append((x * scale, y * scale))
    return found


def complex_ball(number: Complex) -> acb:
    """A ball around a complex number with rational parts."""
    return acb(arb(number[0]), arb(number[1]))


def isolated_roots(polynomial: acb_poly) -> list[acb]:
    """Balls that hold all roots of a polynomial."""
    try:
        found: list[acb] = polynomial.roots(tol=TOLERANCE, maxprec=MOST_BITS)
        return found
    except ValueError:
        pass
    if polynomial.degree() > MOST_TOGETHER:
        raise RejectedError("some critical points lie so close together that enclosing them would take minutes")
    with working(bits=APART_BITS):
        try:
            near = (polynomial + acb_poly([arb(2) ** -NUDGE])).roots(tol=TOLERANCE, maxprec=4 * APART_BITS)
        except ValueError:
            raise RejectedError("the critical points lie so close together that they cannot be enclosed") from None
        return _enclosed(polynomial, [root.mid() for root in near])


def _enclosed(polynomial: acb_poly, centres: Sequence[acb]) -> list[acb]:
    """Smith's disks around approximate roots, as balls."""
    degree = len(centres)
    found = []
    for j, centre in enumerate(centres):
        product = polynomial[degree]
        for k, other in enumerate(centres):
            if k != j:
                product *= centre - other
        radius = (degree * abs(polynomial(centre) / product)).upper()
        found.append(acb(arb(centre.real.mid(), radius), arb(centre.imag.mid(), radius)))
    return found


def critical_points(zeros: Sequence[Complex]) -> list[acb]:
    """Balls that hold all zeros of the derivative of a polynomial with these zeros.

    A zero that is there m times is one of the derivative m - 1 times. The others are the roots of the sum over the
    different zeros a of m_a times the product of z - b over all different b but a.
    """
    times = Counter((x, y) for x, y in zeros)
    with working(bits=APART_BITS):
        balls = {zero: complex_ball(zero) for zero in times}
        derivative = acb_poly([])
        for zero, count in times.items():
            term = acb_poly([count])
            for other in times:
                if other != zero:
                    term *= acb_poly([-balls[other], 1])
            derivative += term
    found = [balls[zero] for zero, count in times.items() for _ in range(count - 1)]
    return found + (isolated_roots(derivative) if len(times) > 1 else [])


def _nearest(point: acb, others: Sequence[acb]) -> arb:
    found = abs(point - others[0])
    for other in others[1:]:
        found = found.min(abs(point - other))
    return found


def sendov(data: Any, parameters: Parameters) -> Measured:
    """The largest distance of a zero in the unit disk to the nearest critical point."""
    zeros = in_unit_disk(data, int(parameters["n"]))
    with working(bits=BITS):
        critical = critical_points(zeros)
        found = _nearest(complex_ball(zeros[0]), critical)
        for zero in zeros[1:]:
            found = found.max(_nearest(complex_ball(zero), critical))
        value = lower(found)
    return _measured(value, zeros, [[str(part) for part in zero] for zero in zeros])


def schmeisser(data: Any, parameters: Parameters) -> Measured:
    """The distance of a mean of the zeros, with any weights, to the nearest critical point."""
    n = int(parameters["n"])
    zeros = in_unit_disk(reading.member(data, "zeros"), n)
    weights = reading.rationals(reading.member(data, "weights"), "the weights", count=n)
    total = sum(weights, fmpq(0))
    if min(weights) < 0 or total <= 0:
        raise RejectedError("the weights are not 0 or more with a positive sum")
    shares = [weight / total for weight in weights]
    pairs = list(zip(shares, zeros, strict=True))
    mean = (sum((s * z[0] for s, z in pairs), fmpq(0)), sum((s * z[1] for s, z in pairs), fmpq(0)))
    with working(bits=BITS):
        value = lower(_nearest(complex_ball(mean), critical_points(zeros)))
    rows = [[str(part) for part in zero] for zero in zeros]
    return _measured(value, zeros, {"zeros": rows, "weights": [str(share) for share in shares]})


def smale(data: Any, parameters: Parameters) -> Measured:
    """The least |f(w) / w| over the critical points w of f(z) = z + a_2 z^2 + ... + a_n z^n; rows are a_2, ..., a_n."""
    n = int(parameters["n"])
    rows = reading.points(data, "the list of coefficients", count=n - 1, dimension=2)
    if all(part == 0 for part in rows[-1]):
        raise RejectedError(f"the last coefficient is 0: the degree is not {n}")
    with working(bits=BITS):
        quotient = acb_poly([1, *(acb(arb(x), arb(y)) for x, y in rows)])
        polynomial = acb_poly([0, 1]) * quotient
        values = [abs(quotient(point)) for point in isolated_roots(polynomial.derivative())]
        found = values[0]
        for value in values[1:]:
            found = found.min(value)
        least = lower(found)
    return _measured(least, rows, [[str(part) for part in row] for row in rows])


def _measured(value: fmpq, rows: Sequence[Sequence[fmpq]], construction: Any) -> Measured:
    sizes = [float_of(row[0] * row[0] + row[1] * row[1]) ** 0.5 for row in rows]
    return Measured(
        value=max(value, fmpq(0)),
        is_exact=False,
        construction=construction,
        details={"mean_modulus": sum(sizes) / len(sizes), "least_modulus": min(sizes)},
        picture=points_picture(f"{len(rows)} complex numbers", rows),
    )


_N = (Whole(name="n", low=2, high=60),)

VERIFIERS = tuple(
    Verifier(name=name, quantity=quantity, direction="max", checker=CHECKER, measure=measure, parameters=_N)
    for name, quantity, measure in (
        ("sendov", "largest distance of a zero to the nearest critical point", sendov),
        ("schmeisser", "distance of the mean to the nearest critical point", schmeisser),
        ("smale", "least quotient |f(w) / w| over the critical points", smale),
    )
)
