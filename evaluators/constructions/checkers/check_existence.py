"""Re-check that an exact object exists near given numbers: python check_existence.py CERTIFICATE.json (python-flint).

Krawczyk's test for F = 0 with fewer equations than unknowns: for x + J^T y, with J = F'(x), the unknowns y are as many
as the equations. If -A F(x) + (1 - A F'(x + J^T Y) J^T) Y lies inside of a box Y around 0, it holds a solution.
"""

import json
import sys
from fractions import Fraction
from itertools import combinations, permutations, product
from math import prod

try:
    from flint import arb, arb_mat, ctx, fmpq, fmpz_mpoly_ctx
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 400
RADIUS = arb(2) ** -70


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    value = Fraction(certificate["value"])
    QUANTITIES[certificate["verifier"]](certificate["construction"], value, **certificate["parameters"])


def exact(text):
    number = Fraction(text)
    return arb(fmpq(number.numerator, number.denominator))


def require(holds, otherwise):
    if not holds:
        raise ValueError(otherwise)


def require_solution(system, start):
    values, slopes = system(start)
    m = len(values)
    across = arb_mat([[entry.mid() for entry in row] for row in slopes]).transpose()
    inverse = (arb_mat(slopes) * across).inv().mid()
    box = arb_mat([[arb(0, RADIUS)] for _ in range(m)])
    moved = across * box
    _, around = system([x + moved[i, 0] for i, x in enumerate(start)])
    identity = arb_mat([[int(i == j) for j in range(m)] for i in range(m)])
    image = (identity - inverse * arb_mat(around) * across) * box - inverse * arb_mat([[v] for v in values])
    require(all(box[i, 0].contains_interior(image[i, 0]) for i in range(m)), "no exact solution is proved to be near")


EVEN = ((0, 1, 2), (1, 2, 0), (2, 0, 1))
TURNS = [(o, s) for o in permutations(range(3)) for s in product((1, -1), repeat=3) if (prod(s) == 1) == (o in EVEN)]
GROUPS = {
    "trivial": [(EVEN[0], (1, 1, 1))],
    "antipodal": [(EVEN[0], (1, 1, 1)), (EVEN[0], (-1, -1, -1))],
    "tetrahedral": [turn for turn in TURNS if turn[0] in EVEN],
    "octahedral": TURNS,
}


def invariants(group, t):
    """Polynomials of degree 1 to t that, on the sphere, span those that the group leaves as they are."""
    x, y, z = fmpz_mpoly_ctx.get(["x", "y", "z"]).gens()
    four, skew = x**4 + y**4 + z**4, (x**2 - y**2) * (y**2 - z**2) * (z**2 - x**2)
    one = x**0
    if group == "octahedral":
        rings = [(four, 4, t), ((x * y * z) ** 2, 6, t), (x * y * z * skew, 9, 1)]
    elif group == "tetrahedral":
        rings = [(x * y * z, 3, t), (four, 4, t), (skew, 6, 1)]
    else:
        rings = [(x, 1, t), (y, 1, t), (z, 1, 1)]
    found = []
    for powers in product(*(range(min(t // degree, most) + 1) for _, degree, most in rings)):
        degree = sum(k * ring[1] for k, ring in zip(powers, rings, strict=True))
        if 0 < degree <= t and not (group == "antipodal" and degree % 2):
            found.append((degree, prod((ring[0] ** k for k, ring in zip(powers, rings, strict=True)), start=one)))
    return found


def mean(polynomial):
    """Over the unit sphere: of x^a y^b z^c with even exponents (a-1)!! (b-1)!! (c-1)!! / (a+b+c+1)!!."""
    odd = lambda n: prod(range(n, 0, -2))  # noqa: E731
    even = [(place, int(c)) for place, c in polynomial.to_dict().items() if not any(e % 2 for e in place)]
    return sum((c * Fraction(prod(odd(e - 1) for e in place), odd(sum(place) + 1)) for place, c in even), Fraction(0))


def at(polynomial, point):
    return sum((int(c) * prod((x for x, e in zip(point, place, strict=True) for _ in range(e)), start=arb(1))
                for place, c in polynomial.to_dict().items()), arb(0))  # fmt: skip


def images(group, point):
    return [tuple(point[k] * s for k, s in zip(order, signs, strict=True)) for order, signs in GROUPS[group]]


def spherical_design(construction, value, t):
    """Every invariant polynomial of degree up to t has the same mean over the points as over the sphere."""
    group, rows = construction["group"], construction["points"]
    axes = [tuple(map(int, axis)) for axis in construction["axes"]]
    sizes = [len(set(images(group, axis))) for axis in axes]
    order = len(GROUPS[group])
    require(all(sum(map(abs, axis)) == sum(x * x for x in axis) > 0 for axis in axes), "an axis is not of 0, 1 and -1")
    require(all(size < order for size in sizes), "an axis is not kept by any rotation")
    total = order * len(rows) + sum(sizes)
    polynomials = invariants(group, t)
    gradients = [[p.derivative(k) for k in range(3)] for _, p in polynomials]

    def system(unknowns):
        points = [unknowns[k : k + 3] for k in range(0, len(unknowns), 3)]
        values, slopes = [], []
        for (degree, p), gradient in zip(polynomials, gradients, strict=True):
            fixed = sum((size * at(p, [arb(x) for x in axis]) / arb(sum(x * x for x in axis)).sqrt() ** degree
                         for axis, size in zip(axes, sizes, strict=True)), arb(0))  # fmt: skip
            values.append(sum((order * at(p, q) for q in points), fixed) - total * exact(mean(p)))
            slopes.append([order * at(part, q) for q in points for part in gradient])
        for k, q in enumerate(points):
            values.append(sum((x * x for x in q), arb(-1)))
            slopes.append([2 * x if i == k else arb(0) for i in range(len(points)) for x in q])
        return values, slopes

    start = [exact(x) for row in rows for x in row]
    if start:
        require_solution(system, start)
    else:
        require(all(abs(v) < arb(2) ** -300 for v in system([])[0]), "the axes are no design")
    cloud = [[float(x) for x in q] for row in rows for q in images(group, [Fraction(x) for x in row])]
    cloud += [[x / sum(y * y for y in axis) ** 0.5 for x in q] for axis in axes for q in set(images(group, axis))]
    gaps = [sum((x - y) ** 2 for x, y in zip(p, q, strict=True)) for p, q in combinations(cloud, 2)]
    require(len(cloud) == total == value and min(gaps) > 1e-9, "two points coincide, or their number is another")


def touching_cylinders(rows, value, n):
    lines = [[Fraction(x) for x in row] for row in rows]
    require(len(lines) == n and all(len(row) == 6 for row in lines), "the number of lines is not what it should be")
    squares = [distance(one, other) for one, other in combinations(lines, 2)]
    if value != 1 or max(squares) == min(squares):
        require(max(squares) == value * min(squares) > 0, "the quotient of distances is another")
        return

    def system(unknowns):
        values, slopes = [], []
        for i, j in combinations(range(n), 2):
            (p, u), (q, v) = ((unknowns[6 * k : 6 * k + 3], unknowns[6 * k + 3 : 6 * k + 6]) for k in (i, j))
            w, normal = [a - b for a, b in zip(p, q, strict=True)], cross(u, v)
            volume, row = dot(w, normal), [arb(0)] * (6 * n)
            values.append(volume * volume - 4 * (dot(u, u) * dot(v, v) - dot(u, v) * dot(u, v)))
            for k in range(3):
                row[6 * i + k], row[6 * j + k] = 2 * volume * normal[k], -2 * volume * normal[k]
                row[6 * i + 3 + k] = 2 * volume * cross(v, w)[k] - 8 * (u[k] * dot(v, v) - v[k] * dot(u, v))
                row[6 * j + 3 + k] = 2 * volume * cross(w, u)[k] - 8 * (v[k] * dot(u, u) - u[k] * dot(u, v))
            slopes.append(row)
        return values, slopes

    require_solution(system, [exact(x) for row in rows for x in row])


def distance(one, other):
    """The squared distance of two lines that are not nearly parallel."""
    normal = cross(one[3:], other[3:])
    apart = [a - b for a, b in zip(one[:3], other[:3], strict=True)]
    require(
        any(normal) and 50 * dot(normal, normal) >= dot(one[3:], one[3:]) * dot(other[3:], other[3:]),
        "two lines are parallel",
    )
    return dot(apart, normal) ** 2 / dot(normal, normal)


def dot(p, q):
    return sum((x * y for x, y in zip(p, q, strict=True)), 0 * p[0])


def cross(p, q):
    return p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]


QUANTITIES = {"spherical_design": spherical_design, "touching_cylinders": touching_cylinders}

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
