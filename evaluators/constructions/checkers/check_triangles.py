"""Re-check a certificate about smallest triangles: python check_triangles.py CERTIFICATE.json (standard library)."""

import json
import sys
from fractions import Fraction
from itertools import combinations

PI = Fraction("3.1415926535897932384626433832795028841971693993751058209749446")  # a little more


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    points = [[Fraction(value) for value in row] for row in certificate["construction"]]
    if len(points) != certificate["parameters"]["n"] or any(len(row) != 2 for row in points):
        raise ValueError("the construction is not that many points of the plane")
    smallest = min(abs(doubled_area(*three)) for three in combinations(points, 3))
    if certificate["verifier"] == "heilbronn_disk":
        if any(x * x + y * y > 1 for x, y in points) or smallest < 2 * PI * Fraction(certificate["value"]):
            raise ValueError("a point is outside of the unit disk, or the smallest triangle is smaller")
        return
    if smallest / WHOLE[certificate["verifier"]](points) != Fraction(certificate["value"]):
        raise ValueError("the construction does not have the claimed value")


def doubled_area(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def triangle(points):
    """Twice the area of the triangle, in its own area: 1, if all points are in it."""
    if any(u < 0 or v < 0 or u + v > 1 for u, v in points):
        raise ValueError("a point is outside of the triangle u, v >= 0, u + v <= 1")
    return 1


def square(points):
    """Twice the area of the unit square, if all points are in it."""
    if any(not (0 <= x <= 1 and 0 <= y <= 1) for x, y in points):
        raise ValueError("a point is outside of the unit square")
    return 2


def hull(points):
    """Twice the area of the hull: an edge has all points on its left; each adds its triangle with the first point."""
    total = Fraction(0)
    for a in points:
        left = [b for b in points if b != a and all(doubled_area(a, b, c) >= 0 for c in points)]
        if left:  # the farthest, if several points are on this edge
            b = max(left, key=lambda b: (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2)
            total += doubled_area(points[0], a, b)
    return total


WHOLE = {"heilbronn_triangle": triangle, "heilbronn_square": square, "heilbronn_convex": hull}

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
