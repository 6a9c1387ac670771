"""Re-check a packing of unit hexagons in a hexagon: python check_hexagons.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction
from itertools import combinations

try:
    from flint import arb, ctx, fmpq
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 500


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    if certificate["verifier"] != "hexagons_in_hexagon":
        raise ValueError("the certificate is about something else")
    construction = certificate["construction"]
    inner = [hexagon(row, 1) for row in construction["inner"]]
    if len(inner) != certificate["parameters"]["n"]:
        raise ValueError("the number of hexagons is not what it should be")
    for one, other in combinations(inner, 2):
        if not (separated(one, other) or separated(other, one)):
            raise ValueError("two hexagons overlap, or touch too closely to tell")
    side = exact(certificate["value"])
    centre, normals, _ = hexagon(construction["outer"], 1)
    for _, _, corners in inner:
        for corner in corners:
            if not all(dot(normal, minus(corner, centre)) <= side * arb(3).sqrt() / 2 for normal in normals):
                raise ValueError("a hexagon sticks out")


def hexagon(row, side):
    """Centre, six outward normals of length 1 and six corners."""
    x, y, degrees = map(exact, row)
    directions = [((degrees / 180 + arb(k) / 6) * arb.pi()) for k in range(12)]
    units = [(angle.cos(), angle.sin()) for angle in directions]
    corners = [(x + side * a, y + side * b) for a, b in units[0::2]]
    return (x, y), units[1::2], corners


def exact(text):
    number = Fraction(text)
    return arb(fmpq(number.numerator, number.denominator))


def dot(a, b):
    return a[0] * b[0] + a[1] * b[1]


def minus(a, b):
    return a[0] - b[0], a[1] - b[1]


def separated(one, other):
    """Whether all corners of the other lie beyond one of the first one's sides."""
    centre, normals, _ = one
    return any(all(dot(n, minus(c, centre)) >= arb(3).sqrt() / 2 for c in other[2]) for n in normals)


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
