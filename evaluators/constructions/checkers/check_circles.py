"""Re-check a certificate about disjoint circles: python check_circles.py CERTIFICATE.json (standard library)."""

import json
import sys
from fractions import Fraction
from itertools import combinations


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    circles = [[Fraction(value) for value in row] for row in certificate["construction"]]
    if len(circles) != certificate["parameters"]["n"] or any(len(row) != 3 or row[2] < 0 for row in circles):
        raise ValueError("the construction is not that many circles (x, y, radius)")
    for (x, y, r), (u, v, s) in combinations(circles, 2):
        if (x - u) ** 2 + (y - v) ** 2 < (r + s) ** 2:
            raise ValueError("two circles overlap")
    FRAMES[certificate["verifier"]](circles)
    if sum(r for _, _, r in circles) != Fraction(certificate["value"]):
        raise ValueError("the radii do not add up to the claimed value")


def square(circles):
    if any(r > min(x, y, 1 - x, 1 - y) for x, y, r in circles):
        raise ValueError("a circle sticks out of the unit square")


def rectangle(circles):
    width = max(x + r for x, _, r in circles) - min(x - r for x, _, r in circles)
    height = max(y + r for _, y, r in circles) - min(y - r for _, y, r in circles)
    if width + height > 2:
        raise ValueError("the circles need a rectangle of perimeter above 4")


FRAMES = {"circles_in_square": square, "circles_in_rectangle": rectangle}

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
