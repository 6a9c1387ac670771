"""Re-check a packing of rotated squares or cubes: python check_rotated.py CERTIFICATE.json (standard library)."""

import json
import sys
from fractions import Fraction
from itertools import combinations, product


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    rows = [[Fraction(value) for value in row] for row in certificate["construction"]]
    if len(rows) != certificate["parameters"]["n"]:
        raise ValueError("the number of boxes is not what it should be")
    boxes, value = KINDS[certificate["verifier"]](rows)
    for one, other in combinations(boxes, 2):
        if not any(separates(axis, one, other) for axis in axes(*one[1:], *other[1:])):
            raise ValueError("two boxes overlap")
    if value != Fraction(certificate["value"]):
        raise ValueError("the construction does not have the claimed value")


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def axes(*edges):
    """The normals of the sides, and in space the products of edges."""
    yield from edges
    if len(edges) == 6:
        for a, b in product(edges[:3], edges[3:]):
            yield [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def separates(axis, one, other):
    if not any(axis):
        return False
    apart = abs(dot(axis, one[0]) - dot(axis, other[0]))
    return apart >= sum(abs(dot(axis, half)) for half in (*one[1:], *other[1:]))


def ends(box, place):
    reach = sum(abs(half[place]) for half in box[1:])
    return box[0][place] - reach, box[0][place] + reach


def squares(rows):
    boxes = []
    for x, y, side, p, q in rows:
        a, b = (p * p - q * q) / (p * p + q * q) * side / 2, 2 * p * q / (p * p + q * q) * side / 2
        box = ([x, y], [a, b], [-b, a])
        if side < 0 or any(low < 0 or high > 1 for low, high in (ends(box, 0), ends(box, 1))):
            raise ValueError("a square is not inside of the unit square")
        boxes.append(box)
    return boxes, sum(row[2] for row in rows)


def cubes(rows):
    boxes = [(row[:3], *rotation(*row[3:])) for row in rows]
    sides = []
    for place in range(3):
        found = [ends(box, place) for box in boxes]
        sides.append(max(high for _, high in found) - min(low for low, _ in found))
    return boxes, max(sides)


def rotation(w, x, y, z):
    """Half of the rotated unit vectors: q v q* / (2 |q|^2)."""
    scale = 2 * (w * w + x * x + y * y + z * z)
    for vector in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        turned = times(times((w, x, y, z), (0, *vector)), (w, -x, -y, -z))
        yield [value / scale for value in turned[1:]]


def times(p, q):
    a, b, c, d = p
    e, f, g, h = q
    return (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )


KINDS = {"squares_in_square": squares, "cubes_in_cube": cubes}

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
