"""Re-check rings, stacks and probability measures: python check_measures.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction
from itertools import accumulate, pairwise, product
from math import lcm

try:
    from flint import arb, ctx, fmpq
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 400


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    value = Fraction(certificate["value"])
    QUANTITIES[certificate["verifier"]](certificate["construction"], value, **certificate["parameters"])


def require(holds, otherwise="the construction does not have the claimed value"):
    if not holds:
        raise ValueError(otherwise)


def shares(texts):
    found = [Fraction(text) for text in texts]
    require(min(found) >= 0 and sum(found) == 1, "masses are not 0 or more with the sum 1")
    return found


def ring_loading(rows, value, m, cuts):
    pairs = [[Fraction(x) for x in row] for row in rows]
    require(len(pairs) == m and all(min(pair) >= 0 and sum(pair) <= 1 for pair in pairs), "a pair is not allowed")
    unit = lcm(*(x.denominator for pair in pairs for x in pair))
    pairs = [(int(-u * unit), int(v * unit)) for u, v in pairs]
    least = None
    for loads in product(*pairs):
        sums = list(accumulate(loads))
        worst = max(abs(2 * s - sums[-1]) for s in {"all": sums, "inner": sums[:-1]}[cuts])
        least = worst if least is None else min(least, worst)
    require(Fraction(least, unit) == value)


def block_stacking(texts, value, n):
    centres = [Fraction(text) for text in texts]
    require(len(centres) == n)
    for k in range(1, n):
        require(abs(sum(centres[:k]) / k - centres[k]) <= Fraction(1, 2), f"the upper {k} blocks topple")
    require(sum(centres) <= 0, "the stack topples")
    require(max(centres) + Fraction(1, 2) == value)


def beat_the_average(rows, value, n):
    atoms, masses = [Fraction(row[0]) for row in rows], shares([row[1] for row in rows])
    require(len(set(atoms)) == len(atoms) <= n and min(atoms) >= 0, "atoms are equal, too many, or below 0")
    two = {}
    for (a, p), (b, q) in product(zip(atoms, masses, strict=True), repeat=2):
        two[a + b] = two.get(a + b, 0) + p * q
    # X1 + X2 + X3 < 2 X4
    total = 0
    for (a, p), (b, q) in product(zip(atoms, masses, strict=True), repeat=2):
        total += p * q * sum(mass for place, mass in two.items() if place + a < 2 * b)
    require(total == value)


SLOPES = {"three": [(1, 0), (1, 1), (0, 1)], "four": [(1, 0), (1, 1), (1, 2), (0, 1)]}


def arithmetic_kakeya(rows, value, n, slopes):
    masses = shares([row[2] for row in rows])
    require(len({(x, y) for x, y, _ in rows}) == len(rows) <= n, "atoms are equal, or too many")

    def entropy(a, b):
        merged = {}
        for (x, y, _), mass in zip(rows, masses, strict=True):
            merged[a * x + b * y] = merged.get(a * x + b * y, 0) + mass
        return -sum((exact(mass) * exact(mass).log() for mass in merged.values() if mass), arb(0))

    difference = entropy(1, -1)
    require(all(exact(value) * entropy(a, b) <= difference for a, b in SLOPES[slopes]))


def edges_and_triangles(rows, value, n):
    points = {(Fraction(0), Fraction(0)), (Fraction(1), Fraction(1))}
    require(len(rows) <= n and all(len(row) <= 20 for row in rows), "too many rows or weights")
    for row in map(shares, rows):
        squares, cubes = sum(a**2 for a in row), sum(a**3 for a in row)
        points.add((1 - squares, 1 - 3 * squares + 2 * cubes))
    area = gap = Fraction(0)
    for (x, y), (u, v) in pairwise(sorted(points)):
        gap = max(gap, u - x)
        rising = min(max((v - y) / 3, 0), u - x)  # up with slope 3, then flat
        area += rising * (y + y + 3 * rising) / 2 + (u - x - rising) * (y + 3 * rising)
    require(-(area + 10 * gap) == value)


def exact(number):
    return arb(fmpq(number.numerator, number.denominator))


QUANTITIES = {
    "ring_loading": ring_loading,
    "block_stacking": block_stacking,
    "beat_the_average": beat_the_average,
    "arithmetic_kakeya": arithmetic_kakeya,
    "edges_and_triangles": edges_and_triangles,
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
