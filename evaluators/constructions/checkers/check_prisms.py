"""Re-check the volume of a union of slanted prisms: python check_prisms.py CERTIFICATE.json (standard library)."""

import json
import sys
from fractions import Fraction
from itertools import pairwise, product


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    if certificate["verifier"] != "kakeya_space":
        raise ValueError("the certificate is about something else")
    n, rows = certificate["parameters"]["n"], certificate["construction"]
    if len(rows) != n * n or any(len(row) != 2 for row in rows):
        raise ValueError("the number of prisms is not what it should be")
    feet = [[Fraction(x) for x in row] for row in rows]
    slopes = [(Fraction(i, n), Fraction(j, n)) for i, j in product(range(n), repeat=2)]
    cuts = {Fraction(0), Fraction(1)}
    for axis in (0, 1):
        sides = {(foot[axis] + shift, slope[axis]) for foot, slope in zip(feet, slopes, strict=True)
                 for shift in (0, Fraction(1, n))}  # fmt: skip
        for (a, s), (b, t) in product(sides, repeat=2):
            if s > t and 0 < b - a < s - t:
                cuts.add((b - a) / (s - t))
    volume = Fraction(0)
    for low, high in pairwise(sorted(cuts)):
        volume += (high - low) * gauss(feet, slopes, n, low, high)
    if volume != Fraction(certificate["value"]):
        raise ValueError("the construction does not have the claimed value")


def gauss(feet, slopes, n, low, high):
    """The mean of a quadratic function, from its values at a quarter, a half and three quarters."""
    a, b, c = (section(feet, slopes, n, low + (high - low) * Fraction(k, 4)) for k in (1, 2, 3))
    return (2 * a - b + 2 * c) / 3


def section(feet, slopes, n, height):
    """The area of the union of squares of side 1/n, strip by strip, in whole numbers."""
    unit = n * height.denominator
    for foot in feet:
        for x in foot:
            unit = unit * x.denominator // gcd(unit, x.denominator)
    side = unit // n
    corners = [[int((x + height * s) * unit) for x, s in zip(foot, slope, strict=True)]
               for foot, slope in zip(feet, slopes, strict=True)]  # fmt: skip
    ends = sorted({x + shift for x, _ in corners for shift in (0, side)})
    corners.sort(key=lambda corner: corner[1])
    area = 0
    for left, right in pairwise(ends):
        reach, length = None, 0
        for x, y in corners:
            if x <= left < x + side:
                length += side if reach is None or y > reach else y + side - reach
                reach = y + side
        area += (right - left) * length
    return Fraction(area, unit * unit)


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


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
