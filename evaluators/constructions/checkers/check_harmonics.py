"""Re-check the norms of a spherical harmonic: python check_harmonics.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction
from math import factorial

try:
    from flint import arb, ctx, fmpq, fmpq_poly
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 300


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    if certificate["verifier"] != "harmonic_norm":
        raise ValueError("the certificate is about something else")
    degree = certificate["parameters"]["degree"]
    coefficients = [exact(text) for text in certificate["construction"]]
    if len(coefficients) != 2 * degree + 1:
        raise ValueError("the number of coefficients is not what it should be")
    square = sum((c * c for c in coefficients), arb(0))
    if not exact(certificate["value"]) ** 4 * square**2 <= mean_of_fourth_power(coefficients, degree):
        raise ValueError("the construction does not have the claimed value")


def exact(text):
    number = Fraction(text)
    return arb(fmpq(number.numerator, number.denominator))


def legendre_polynomial(n):
    """Rodrigues: the n-th derivative of (z^2 - 1)^n over 2^n n!."""
    found = fmpq_poly([-1, 0, 1]) ** n
    for _ in range(n):
        found = found.derivative()
    return found / (2**n * factorial(n))


def mean_of_fourth_power(coefficients, degree):
    """By Gauss and Legendre in height; over the angle as the constant term of the fourth power of a Laurent series.

    u = sum over m of h_m(z) (a_m cos m phi + b_m sin m phi),
    h_m^2 = 2 (2D + 1) (D - m)! / (D + m)! (1 - z^2)^m P^(m)^2, without the 2 for m = 0.
    """
    derivatives = [legendre_polynomial(degree)]
    for _ in range(degree):
        derivatives.append(derivatives[-1].derivative())
    n_nodes, total = 2 * degree + 2, arb(0)
    for node in range(n_nodes):
        z, weight = arb.legendre_p_root(n_nodes, node, weight=True)
        waves = []
        for m, p in enumerate(derivatives):
            factor = fmpq((2 if m else 1) * (2 * degree + 1) * factorial(degree - m), factorial(degree + m))
            height = arb(0)
            for c in reversed(p.coeffs()):
                height = height * z + arb(c)
            height *= (arb(factor) * (1 - z * z) ** m).sqrt()
            a, b = (coefficients[0], arb(0)) if m == 0 else coefficients[2 * m - 1 : 2 * m + 1]
            waves.append((height * a, height * b))
        total += weight * constant_term(waves)
    return total / 2


def constant_term(waves):
    """The mean over phi of (sum of a_m cos m phi + b_m sin m phi)^4, by the coefficients of its square."""
    d = len(waves) - 1
    complex_at = {0: (waves[0][0], arb(0))}
    for m in range(1, d + 1):
        a, b = waves[m]
        complex_at[m], complex_at[-m] = (a / 2, -b / 2), (a / 2, b / 2)
    square = {k: [arb(0), arb(0)] for k in range(-2 * d, 2 * d + 1)}
    for i, (a, b) in complex_at.items():
        for j, (x, y) in complex_at.items():
            square[i + j][0] += a * x - b * y
            square[i + j][1] += a * y + b * x
    return sum((a * a + b * b for a, b in square.values()), arb(0))


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
