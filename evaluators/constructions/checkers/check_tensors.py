"""Re-check an algorithm for matrix multiplication: python check_tensors.py CERTIFICATE.json (standard library)."""

import json
import sys
from collections import defaultdict
from fractions import Fraction
from math import lcm


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    if certificate["verifier"] != "matrix_multiplication":
        raise ValueError("the certificate is about something else")
    parameters = certificate["parameters"]
    n, m, p, ring = (parameters[name] for name in ("n", "m", "p", "ring"))
    factors = [certificate["construction"][name] for name in ("u", "v", "w")]
    if any(len(rows) != Fraction(certificate["value"]) for rows in factors):
        raise ValueError("the number of products is not the claimed one")
    widths = (n * m, m * p, p * n)
    scales, forms = zip(*map(scaled, factors, widths, [ring] * 3), strict=True)
    total = sums(*forms)
    unit = scales[0] * scales[1] * scales[2]
    for i in range(n):
        for j in range(m):
            for k in range(p):
                total[i * m + j, j * p + k, k * n + i] -= unit
    if any(value % 2 if ring == "f2" else value for value in total.values()):
        raise ValueError("the products do not add up to the tensor")


def sums(us, vs, ws):
    """The sum of all products, by the places of the three factors; what is imaginary beside what is real."""
    total = defaultdict(int)
    for u, v, w in zip(us, vs, ws, strict=True):
        for i, a in u:
            for j, b in v:
                ab = times(a, b)
                for k, c in w:
                    x, y = times(ab, c)
                    total[i, j, k] += x
                    total[i, j, k, "imaginary"] += y
    return total


def scaled(rows, width, ring):
    """The common denominator of all entries, and of each row the places and whole values that are not zero."""
    table = []
    for row in rows:
        entries = [tuple(map(Fraction, entry)) if isinstance(entry, list) else (Fraction(entry), 0) for entry in row]
        if len(entries) != width or not all(IN_RING[ring](*entry) for entry in entries):
            raise ValueError("a row has the wrong length, or an entry is not in the ring")
        table.append(entries)
    scale = lcm(*(part.denominator for row in table for entry in row for part in entry))
    return scale, [
        [(place, (int(x * scale), int(y * scale))) for place, (x, y) in enumerate(row) if x or y] for row in table
    ]


def times(a, b):
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


IN_RING = {
    "f2": lambda x, y: y == 0 and x in (0, 1),
    "zt": lambda x, y: y == 0 and x in (-1, 0, 1),
    "z": lambda x, y: y == 0 and x.denominator == 1,
    "half": lambda x, y: y == 0 and x.denominator & (x.denominator - 1) == 0,
    "q": lambda _, y: y == 0,
    "c": lambda *_: True,
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
