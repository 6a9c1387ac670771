"""Re-check needles, tilings and polyhedra: python check_plane.py CERTIFICATE.json (standard library)."""

import json
import sys
from fractions import Fraction
from itertools import combinations, pairwise


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    value = Fraction(certificate["value"])
    QUANTITIES[certificate["verifier"]](certificate["construction"], value, **certificate["parameters"])


def require(holds, otherwise="the construction does not have the claimed value"):
    if not holds:
        raise ValueError(otherwise)


def kakeya_needle(offsets, value, n, shape):
    """Between two heights where lines cross the covered length is linear: its values there make the area."""
    require(len(offsets) == n)
    thinner = {"triangles": 1, "parallelograms": 0}[shape]
    needles = [
        ((x, Fraction(j, n)), (x + Fraction(1, n), Fraction(j - thinner, n)))
        for j, x in enumerate(map(Fraction, offsets))
    ]
    lines = [line for needle in needles for line in needle]
    heights = {Fraction(0), Fraction(1)}
    for (a, b), (c, d) in combinations(lines, 2):
        if b != d and 0 < (c - a) / (b - d) < 1:
            heights.add((c - a) / (b - d))
    lengths = [(t, covered(sorted((a + b * t, c + d * t) for (a, b), (c, d) in needles))) for t in sorted(heights)]
    require(sum((u - t) * (x + y) for (t, x), (u, y) in pairwise(lengths)) / 2 == value)


def covered(intervals):
    length, reach = 0, None
    for low, high in intervals:
        if reach is None or low > reach:
            length, reach = length + high - low, high
        elif high > reach:
            length, reach = length + high - reach, high
    return length


def rectangle_tiling(tiles, value, n):
    cells = [(row, column) for top, left, bottom, right in tiles
             for row in range(top, bottom) for column in range(left, right)]  # fmt: skip
    require(all(top < bottom and left < right for top, left, bottom, right in tiles), "a tile is empty")
    require(len(set(cells)) == len(cells) and all(0 <= x < n for cell in cells for x in cell), "tiles overlap or leave")
    free = {(row, column) for row in range(n) for column in range(n)} - set(cells)
    require(len(free) == len({row for row, _ in free}) == len({column for _, column in free}) == n, "not one free cell")
    require(len(tiles) == value)


def polyhedron_volume(rows, value, n):
    """Every corner of the hull, taken with a plane through three points that has all others on one side.

    The volume is the sum over such planes of a pyramid from the first point over the convex polygon in that plane.
    """
    points = [tuple(map(Fraction, row)) for row in rows]
    require(
        len(set(points)) == len(points) == n and all(dot(p, p) <= 1 for p in points), "a point is outside of the ball"
    )
    planes = {}
    for a, b, c in combinations(points, 3):
        normal = cross(minus(b, a), minus(c, a))
        if not any(normal):
            continue
        sides = [dot(normal, minus(p, a)) for p in points]
        if max(sides) > 0:
            normal, sides = tuple(-x for x in normal), [-x for x in sides]
        if max(sides) <= 0:
            face = frozenset(p for p, side in zip(points, sides, strict=True) if side == 0)
            planes[face] = normal
    total = sum(pyramid(points[0], list(face), normal) for face, normal in planes.items())
    require(total == value)


def pyramid(apex, face, normal):
    """Triangles around the face's centre, between neighbours on its rim."""
    centre = tuple(sum(x) / len(face) for x in zip(*face, strict=True))
    total = Fraction(0)
    for a, b in combinations(face, 2):
        inward = dot(cross(minus(b, a), minus(centre, a)), normal)
        if inward < 0:
            a, b = b, a
        if inward and all(dot(cross(minus(b, a), minus(p, a)), normal) >= 0 for p in face) and adjacent(a, b, face):
            total += abs(dot(minus(a, apex), cross(minus(b, apex), minus(centre, apex)))) / 6
    return total


def adjacent(a, b, face):
    """Whether no point of the face lies on the line through a and b beyond them: then they are the ends of an edge."""
    line = [p for p in face if not any(cross(minus(b, a), minus(p, a)))]
    places = [dot(minus(p, a), minus(b, a)) for p in line]
    return min(places) == 0 and max(places) == dot(minus(b, a), minus(b, a))


def minus(p, q):
    return tuple(x - y for x, y in zip(p, q, strict=True))


def dot(p, q):
    return sum(x * y for x, y in zip(p, q, strict=True))


def cross(p, q):
    return p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]


QUANTITIES = {
    "kakeya_needle": kakeya_needle,
    "rectangle_tiling": rectangle_tiling,
    "polyhedron_volume": polyhedron_volume,
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
