"""Re-check a certificate about distances of points: python check_distances.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction
from itertools import combinations

try:
    from flint import arb, ctx, fmpq
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 400


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    points = [[Fraction(value) for value in row] for row in certificate["construction"]]
    n, d = certificate["parameters"]["n"], certificate["parameters"]["d"]
    if len(points) != n or any(len(row) != d for row in points):
        raise ValueError(f"the construction is not {n} points of dimension {d}")
    if not QUANTITIES[certificate["verifier"]](points, Fraction(certificate["value"])):
        raise ValueError("the construction does not have the claimed value")


def dot(x, y):
    return sum(a * b for a, b in zip(x, y, strict=True))


def distance_ratio(points, value):
    squares = [dot(z, z) for x, y in combinations(points, 2) for z in [[a - b for a, b in zip(x, y, strict=True)]]]
    return min(squares) > 0 and max(squares) / min(squares) == value


def cosines(points):
    """The cosines of all angles between two points, each as (sign, square)."""
    for x, y in combinations(points, 2):
        product = dot(x, y)
        yield (-1 if product < 0 else 1), product**2 / (dot(x, x) * dot(y, y))


def chord(points, value):
    # |x - y| >= value for unit vectors means: cosine <= 1 - value^2 / 2
    limit = 1 - value**2 / 2
    return value > 0 and all(
        (limit >= 0 and square <= limit**2) if sign > 0 else (limit >= 0 or square >= limit**2)
        for sign, square in cosines(points)
    )


def angle(points, value):
    limit = exact(value).cos()
    return 0 < value < Fraction(22, 7) and all(sign * exact(square).sqrt() <= limit for sign, square in cosines(points))


def energy(points, value):
    unit = [[exact(c) / exact(dot(x, x)).sqrt() for c in x] for x in points]
    gaps = [sum(((a - b) * (a - b) for a, b in zip(x, y, strict=True)), arb(0)) for x, y in combinations(unit, 2)]
    return all(gap > 0 for gap in gaps) and sum((1 / gap.sqrt() for gap in gaps), arb(0)) <= exact(value)


def exact(number):
    return arb(fmpq(number.numerator, number.denominator))


QUANTITIES = {"minmax_distance_ratio": distance_ratio, "tammes": chord, "spherical_code": angle, "thomson": energy}

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
