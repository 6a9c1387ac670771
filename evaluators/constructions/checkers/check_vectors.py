"""Re-check kissing configurations and lattices: python check_vectors.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction
from itertools import combinations
from math import isqrt

try:
    from flint import arb, ctx, fmpq, fmpz_mat
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 400


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    rows, d = certificate["construction"], certificate["parameters"]["d"]
    if any(len(row) != d or any(type(x) is not int for x in row) for row in rows):
        raise ValueError("a row is no vector of that many whole numbers")
    QUANTITIES[certificate["verifier"]](rows, d, Fraction(certificate["value"]))


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def kissing(rows, _, value):
    longest = max(dot(row, row) for row in rows)
    if not all(any(row) for row in rows) or len(rows) != value:
        raise ValueError("a vector is zero, or there are not that many")
    for a, b in combinations(rows, 2):
        if sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) < longest:
            raise ValueError("two vectors are nearer to each other than the longest is long")


def lattice_packing(rows, d, value):
    """No vector is shorter than `shortest`: its coordinates are bounded by the dual basis, and all are tried."""
    determinant = abs(int(fmpz_mat(rows).det()))
    inverse = fmpz_mat(rows).inv()
    shortest = min(dot(row, row) for row in rows)
    bounds = []
    for k in range(d):
        dual = sum(Fraction(int(inverse[i, k].p), int(inverse[i, k].q)) ** 2 for i in range(d))
        bounds.append(isqrt(int(dual * shortest)))
    vectors = [[0] * d]
    for row, bound in zip(rows, bounds, strict=True):
        vectors = [[x + c * y for x, y in zip(v, row, strict=True)] for v in vectors for c in range(-bound, bound + 1)]
        if len(vectors) > 2_000_000:
            raise ValueError("the basis is too skew for this check")
    least = min(square for square in (dot(v, v) for v in vectors) if square)
    density = arb.pi() ** (arb(d) / 2) / (arb(d) / 2 + 1).gamma() * (arb(least).sqrt() / 2) ** d / determinant
    if not arb(fmpq(value.numerator, value.denominator)) <= density:
        raise ValueError("the density is smaller")


QUANTITIES = {"kissing": kissing, "lattice_packing": lattice_packing}

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
