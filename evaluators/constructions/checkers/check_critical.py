"""Re-check a certificate about zeros and critical points: python check_critical.py CERTIFICATE.json (python-flint)."""

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
    rows = [[Fraction(x) for x in row] for row in certificate["construction"]]
    value, parameters = exact(Fraction(certificate["value"])), certificate["parameters"]
    if len(rows) != parameters["n"] or any(len(row) != 2 for row in rows):
        raise ValueError("the number of zeros is not what it should be")
    if not QUANTITIES[certificate["verifier"]](rows, value, **parameters):
        raise ValueError("the construction does not have the claimed value")


def exact(number):
    return arb(fmpq(number.numerator, number.denominator))


def number(row):
    return acb(exact(row[0]), exact(row[1]))


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


def borcea(rows, value, n, p):
    if not any(any(row) for row in rows):
        raise ValueError("all zeros are 0")
    points = critical(rows)
    mean = sum((exact(x * x + y * y) ** (arb(p) / 2) for x, y in rows if x or y), arb(0)) / n
    bound = value * mean ** (arb(1) / p)
    return any(all(abs(number(row) - w) >= bound for w in points) for row in rows)


def de_bruin_sharma(rows, value, tenths, **_):
    if any(sum(column) for column in zip(*rows, strict=True)) or not any(any(row) for row in rows):
        raise ValueError("the zeros do not have the mean 0, or all are equal")
    squares = [x * x + y * y for x, y in rows]
    least = value * exact(sum(squares) ** 2) + exact(Fraction(tenths, 10) * sum(s * s for s in squares))
    # Products, as a power of a ball around 0 is not a number.
    squared = [w.real * w.real + w.imag * w.imag for w in critical(rows)]
    return sum((s * s for s in squared), arb(0)) >= least


QUANTITIES = {"borcea": borcea, "de_bruin_sharma": de_bruin_sharma}

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
