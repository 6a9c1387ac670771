"""Re-check a certificate about critical points: python check_zeros.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction

from flint import acb, acb_poly, arb, ctx, fmpq

ctx.prec = 10000


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    n, value = certificate["parameters"]["n"], exact(certificate["value"])
    if not QUANTITIES[certificate["verifier"]](certificate["construction"], n, value):
        raise ValueError("the construction does not have the claimed value")


def exact(text):
    number = Fraction(text)
    return arb(fmpq(number.numerator, number.denominator))


def numbers(rows):
    return [acb(exact(x), exact(y)) for x, y in rows]


def in_disk(rows, n):
    if len(rows) != n or any(Fraction(x) ** 2 + Fraction(y) ** 2 > 1 for x, y in rows):
        raise ValueError("a zero is outside of the unit disk, or their number is wrong")
    return numbers(rows)


def critical(zeros):
    """Balls that hold the roots of the derivative of the product of (z - zero)."""
    polynomial = acb_poly([1])
    for zero in zeros:
        polynomial *= acb_poly([-zero, 1])
    return roots(polynomial.derivative())


def roots(polynomial):
    """Balls that hold all roots: around w_j with the radius d |p(w_j)| / |a_d prod (w_j - w_k)| (Smith 1970).

    The w_j may be any d points; those of a polynomial that differs by very little are different also where roots
    coincide.
    """
    centres = [root.mid() for root in (polynomial + acb_poly([arb(2) ** -6000])).roots(tol=1e-100, maxprec=40000)]
    found = []
    for j, centre in enumerate(centres):
        product = polynomial[len(centres)]
        for k, other in enumerate(centres):
            product *= centre - other if k != j else 1
        radius = (len(centres) * abs(polynomial(centre) / product)).upper()
        found.append(acb(arb(centre.real.mid(), radius), arb(centre.imag.mid(), radius)))
    return found


def sendov(rows, n, value):
    zeros = in_disk(rows, n)
    points = critical(zeros)
    return any(all(abs(zero - point) >= value for point in points) for zero in zeros)


def schmeisser(construction, n, value):
    zeros, weights = in_disk(construction["zeros"], n), [Fraction(weight) for weight in construction["weights"]]
    if len(weights) != n or min(weights) < 0 or sum(weights) != 1:
        raise ValueError("the weights are not shares")
    mean = sum((exact(weight) * zero for weight, zero in zip(weights, zeros, strict=True)), acb(0))
    return all(abs(mean - point) >= value for point in critical(zeros))


def smale(rows, n, value):
    if len(rows) != n - 1 or all(Fraction(part) == 0 for part in rows[-1]):
        raise ValueError("the degree is not the claimed one")
    quotient = acb_poly([1, *numbers(rows)])
    return all(abs(quotient(w)) >= value for w in roots((quotient * acb_poly([0, 1])).derivative()))


QUANTITIES = {"sendov": sendov, "schmeisser": schmeisser, "smale": smale}

if __name__ == "__main__":
    sys.set_int_max_str_digits(0)
    with open(sys.argv[1], encoding="utf-8") as file:
        certificate = json.load(file)
    certificate = certificate.get("certificate", certificate)
    try:
        check(certificate)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        sys.exit(f"NOT CONFIRMED: {error}")
    value = float(Fraction(certificate["value"]))
    print(f"confirmed: {certificate['quantity']} {certificate['relation']} the value, about {value!r}")
