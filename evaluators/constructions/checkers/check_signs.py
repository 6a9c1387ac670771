"""Re-check a certificate about signs: python check_signs.py CERTIFICATE.json (standard library)."""

import cmath
import json
import sys
from fractions import Fraction
from math import cos, log2, pi, sqrt


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    construction = certificate["construction"]
    rows = construction if isinstance(construction[0], list) else [construction]
    if any(type(sign) is not int or abs(sign) != 1 for row in rows for sign in row):
        raise ValueError("an entry is neither 1 nor -1")
    QUANTITIES[certificate["verifier"]](construction, Fraction(certificate["value"]), **certificate["parameters"])


def require(holds, otherwise="the construction does not have the claimed value"):
    if not holds:
        raise ValueError(otherwise)


def fourier(values, roots):
    """The discrete Fourier transform of a list whose length is a power of two."""
    if len(values) == 1:
        return values
    even, odd = fourier(values[0::2], roots[0::2]), fourier(values[1::2], roots[0::2])
    turned = [root * value for root, value in zip(roots, odd, strict=True)]
    return [a + b for a, b in zip(even, turned, strict=True)] + [a - b for a, b in zip(even, turned, strict=True)]


def moduli(signs, n):
    """An upper bound of the largest modulus on the unit circle and a lower one of the least, from m points.

    Between them the squared modulus is at most 1 / cos(pi (n - 1) / m) times larger (Ehlich and Zeller). It is smaller
    by at most 1/8 of the squared step times (n - 1)^2 / 2 times its largest value (Bernstein). Rounding is bounded as
    in Higham's book, section 24.1. The points are taken in turns, each a short transform of the turned coefficients.
    """
    require(len(signs) == n, "the number of coefficients is not what it should be")
    m, size = 1 << (512 * n - 1).bit_length(), 1 << max(9, (n - 1).bit_length())
    roots = [cmath.exp(-2j * pi * k / size) for k in range(size // 2)]
    largest, least = 0.0, float(n)
    for turn in range(m // size // 2 + 1):  # the other half is the mirror image
        turned = [sign * cmath.exp(-2j * pi * turn * k / m) for k, sign in enumerate(signs)]
        found = list(map(abs, fourier(turned + [0.0] * (size - n), roots)))
        largest, least = max(largest, *found), min(least, *found)
    rounding = 64 * 2.0**-53 * log2(size) * sqrt(size * n)
    largest = (largest + rounding) / sqrt(cos(pi * (n - 1) / m)) * (1 + 1e-14)
    dip = (pi * (n - 1) * largest / (2 * m)) ** 2
    return largest, sqrt(max((least - rounding) ** 2 - dip, 0.0)) if least > rounding else 0.0


def divisor_of(n, divisor):
    return {"one": 1.0, "coefficients": sqrt(n), "coefficients_and_one": sqrt(n + 1)}[divisor]


# The certificate's own allowance for rounding is larger than the ones here.


def flat_polynomial(signs, value, n, divisor):
    require(float(value) * divisor_of(n, divisor) >= moduli(signs, n)[0] * (1 - 1e-14))


def lifted_polynomial(signs, value, n, divisor):
    require(float(value) * divisor_of(n, divisor) <= moduli(signs, n)[1] * (1 + 1e-14))


def narrow_polynomial(signs, value, n, divisor):
    largest, least = moduli(signs, n)
    require(float(value) * divisor_of(n, divisor) >= (largest - least) * (1 - 1e-14))


def merit_factor(signs, value, n):
    require(len(signs) == n)
    energy = sum(sum(a * b for a, b in zip(signs, signs[shift:], strict=False)) ** 2 for shift in range(1, n))
    require(Fraction(n * n, 2 * energy) == value)


def low_discrepancy(signs, value, d):
    require(len(signs) == value)
    for step in range(1, len(signs) + 1):
        total = 0
        for sign in signs[step - 1 :: step]:
            total += sign
            require(abs(total) <= d, f"a progression of step {step} exceeds {d}")


def largest_determinant(rows, value, n):
    """Fraction-free elimination (Bareiss)."""
    require(len(rows) == n and all(len(row) == n for row in rows))
    a, previous = [list(row) for row in rows], 1
    for k in range(n):
        pivot = next((row for row in range(k, n) if a[row][k]), None)
        require(pivot is not None or value == 0)
        if pivot is None:
            return
        a[k], a[pivot] = a[pivot], a[k]
        for row in a[k + 1 :]:
            pairs = zip(row[k + 1 :], a[k][k + 1 :], strict=True)
            row[k + 1 :] = [(a[k][k] * x - row[k] * y) // previous for x, y in pairs]
        previous = a[k][k]
    require(abs(previous) == value)


def matrix_discrepancy(rows, value, n):
    require(len(rows) == n and all(len(row) == n for row in rows))
    columns = list(zip(*rows, strict=True))
    sums, signs = [sum(row) for row in rows], [1] * n
    least = max(map(abs, sums))
    for step in range(1, 2 ** (n - 1)):  # one sign changes at a time (Gray code); the last stays: x and -x are alike
        place = (step & -step).bit_length() - 1
        signs[place] = -signs[place]
        sums = [total + 2 * signs[place] * entry for total, entry in zip(sums, columns[place], strict=True)]
        least = min(least, max(map(abs, sums)))
    require(value >= 0 and value**2 * n <= least**2)


QUANTITIES = {
    "flat_polynomial": flat_polynomial,
    "lifted_polynomial": lifted_polynomial,
    "narrow_polynomial": narrow_polynomial,
    "merit_factor": merit_factor,
    "low_discrepancy": low_discrepancy,
    "largest_determinant": largest_determinant,
    "matrix_discrepancy": matrix_discrepancy,
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
