"""Re-check a certificate about sets of lattice points: python check_grids.py CERTIFICATE.json (standard library)."""

import json
import sys
from fractions import Fraction
from itertools import combinations


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    if certificate["verifier"] == "incidences":
        incidences(**certificate["construction"], **certificate["parameters"], value=Fraction(certificate["value"]))
        return
    points = [tuple(row) for row in certificate["construction"]]
    if any(type(value) is not int for row in points for value in row):
        raise ValueError("a coordinate is not a whole number")
    if len(set(points)) != len(points) or len(points) != Fraction(certificate["value"]):
        raise ValueError("the points are not that many different ones")
    RULES[certificate["verifier"]](points, **certificate["parameters"])


def inside(points, n, dimension):
    if any(len(row) != dimension or not all(0 <= value < n for value in row) for row in points):
        raise ValueError("a point is outside of the grid")


def squared(p, q):
    return sum((a - b) ** 2 for a, b in zip(p, q, strict=True))


def no_isosceles(points, n):
    inside(points, n, 2)
    for p in points:
        distances = [squared(p, q) for q in points if q != p]
        if len(set(distances)) != len(distances):
            raise ValueError(f"an isosceles triangle with the apex {p}")


def turn(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def no_three_in_line(points, n):
    inside(points, n, 2)
    general_position(points)


def general_position(points):
    for three in combinations(points, 3):
        if turn(*three) == 0:
            raise ValueError(f"three points on a line: {three}")


def no_five_on_a_sphere(points, n):
    inside(points, n, 3)
    lifted = [(*p, sum(value * value for value in p)) for p in points]
    for base, *rest in combinations(lifted, 5):
        (a, b, c, d), (e, f, g, h), (i, j, k, m), (p, q, r, s) = (
            [x - y for x, y in zip(row, base, strict=True)] for row in rest
        )
        # Laplace expansion along the first two rows
        determinant = (
            (a * f - b * e) * (k * s - m * r) - (a * g - c * e) * (j * s - m * q) + (a * h - d * e) * (j * r - k * q)
            + (b * g - c * f) * (i * s - m * p) - (b * h - d * f) * (i * r - k * p) + (c * h - d * g) * (i * q - j * p)
        )  # fmt: skip
        if determinant == 0:
            raise ValueError(f"five points on a sphere or a plane: {base} and {rest}")


def happy_ending(points, k):
    general_position(points)
    for some in combinations(points, k):
        # convex position: no point is inside of a triangle of three others
        if not any(covered(p, three) for p in some for three in combinations([q for q in some if q != p], 3)):
            raise ValueError(f"a convex polygon: {some}")


def covered(p, three):
    a, b, c = three
    turns = [turn(a, b, p) > 0, turn(b, c, p) > 0, turn(c, a, p) > 0]
    return all(turns) or not any(turns)


def incidences(points, lines, n, m, value):
    if any(type(x) is not int for row in (*points, *lines) for x in row):
        raise ValueError("a coordinate is not a whole number")
    if len({tuple(p) for p in points}) != n or len(points) != n or len(lines) != m:
        raise ValueError("not that many points and lines")
    if any(a == b == 0 for a, b, _ in lines) or any(same(*two) for two in combinations(lines, 2)):
        raise ValueError("a line is none, or there twice")
    if sum(a * x + b * y == c for x, y in points for a, b, c in lines) != value:
        raise ValueError("the number of incidences is another")


def same(one, other):
    (a, b, c), (d, e, f) = one, other
    return a * e == b * d and a * f == c * d and b * f == c * e


RULES = {
    "no_isosceles": no_isosceles,
    "no_three_in_line": no_three_in_line,
    "no_five_on_a_sphere": no_five_on_a_sphere,
    "happy_ending": happy_ending,
}

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
