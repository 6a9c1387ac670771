"""Re-check a certificate about critical points: python check_zeros.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction

try:
    from flint import acb, acb_poly, arb, ctx, fmpq
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 10000


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    n, value = certificate["parameters"]["n"], exact(certificate["value"])
    if not QUANTITIES[certificate["verifier"]](certificate["construction"], n, value):
        raise ValueError("the construction does not have the claimed value")


def exact(text):
    number = Fraction(text)
    return arb(fmpq(number.numerator, number.denominator))


def number(row):
    return acb(exact(row[0]), exact(row[1]))


def numbers(rows):
    return [number(row) for row in rows]


def in_disk(rows, n):
    if len(rows) != n or any(Fraction(x) ** 2 + Fraction(y) ** 2 > 1 for x, y in rows):
        raise ValueError("a zero is outside of the unit disk, or their number is wrong")
    return numbers(rows)


def critical(rows):
    """Balls that hold the roots of the derivative of the product of (z - a) over the zeros a.

    A zero that is there m times is one of them m - 1 times; the others are the roots of the sum over the different a
    of m times the product of (z - b) over all different b but a.
    """
    places = [tuple(map(Fraction, row)) for row in rows]
    derivative, found = acb_poly([]), []
    for place in sorted(set(places)):
        term = acb_poly([places.count(place)])
        for other in set(places) - {place}:
            term *= acb_poly([-number(other), 1])
        derivative += term
        found += [number(place)] * (places.count(place) - 1)
    return found + (roots(derivative) if derivative.degree() > 0 else [])


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
    points = critical(rows)
    return any(all(abs(zero - point) >= value for point in points) for zero in zeros)


def schmeisser(construction, n, value):
    zeros, weights = in_disk(construction["zeros"], n), [Fraction(weight) for weight in construction["weights"]]
    if len(weights) != n or min(weights) < 0 or sum(weights) != 1:
        raise ValueError("the weights are not shares")
    mean = sum((exact(weight) * zero for weight, zero in zip(weights, zeros, strict=True)), acb(0))
    return all(abs(mean - point) >= value for point in critical(construction["zeros"]))


def smale(rows, n, value):
    if len(rows) != n - 1 or all(Fraction(part) == 0 for part in rows[-1]):
        raise ValueError("the degree is not the claimed one")
    quotient = acb_poly([1, *numbers(rows)])
    return all(abs(quotient(w)) >= value for w in roots((quotient * acb_poly([0, 1])).derivative()))


QUANTITIES = {"sendov": sendov, "schmeisser": schmeisser, "smale": smale}

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} CERTIFICATE.json")
    sys.set_int_max_str_digits(0)
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            certificate = json.load(file)
        certificate = certificate.get("certificate", certificate)
        check(certificate)
        value = float(Fraction(certificate["value"]))
    except (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError) as error:
        sys.exit(f"NOT CONFIRMED: {error}")
    told = json.dumps({name: certificate[name] for name in ("verifier", "parameters")})
    print(f"confirmed: {told} reaches the value, about {value!r}")
