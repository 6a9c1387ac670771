"""Re-check a bound of the sign uncertainty principle: python check_laguerre.py CERTIFICATE.json (needs python-flint).

f(x) = p(2 pi x^2) exp(-pi x^2) is its own Fourier transform if p is a sum of Laguerre polynomials L_0, L_2, L_4, ...
with the parameter -1/2. If p(0) = 0 and p changes its sign for the last time at r, from minus to plus, r / (2 pi) is an
upper bound of the constant.
"""

import json
import sys
from fractions import Fraction

try:
    from flint import arb, ctx, fmpq, fmpq_mat, fmpq_poly
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 300


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    numbers = [exact(text) for text in certificate["construction"]]
    if len(numbers) != certificate["parameters"]["n"]:
        raise ValueError("the number of coefficients or roots is not what it should be")
    polynomial = {"uncertainty_hermite": hermite, "uncertainty_laguerre": laguerre}[certificate["verifier"]](numbers)
    if polynomial[polynomial.degree()] <= 0 or polynomial(0) != 0:
        raise ValueError("the polynomial is not positive at last, or not 0 at 0")
    changes = [root.real for root, times in polynomial.numer().complex_roots() if times % 2 and root.imag == 0]
    bound = 2 * arb.pi() * arb(exact(certificate["value"]))
    if not any(change > 0 for change in changes) or not all(change <= bound for change in changes):
        raise ValueError("the last sign change is beyond the claimed bound, or there is none")


def exact(text):
    number = Fraction(text)
    return fmpq(number.numerator, number.denominator)


def laguerre_polynomial(n):
    """The sum over k of (-1)^k binomial(n - 1/2, n - k) z^k / k!."""
    coefficients, term = [], fmpq(1)
    for k in range(n):  # binomial(n - 1/2, n)
        term *= (fmpq(2 * k + 1, 2)) / (k + 1)
    for k in range(n + 1):
        coefficients.append(term)
        term *= -fmpq(n - k) / ((fmpq(2 * k + 1, 2)) * (k + 1))
    return fmpq_poly(coefficients)


def hermite(given):
    """Multiples of H_0, H_4, ..., where H_2n(x) = (-4)^n n! L_n(x^2), and one of the next that makes the sum 0 at 0."""
    total, factor = fmpq_poly([0]), fmpq(1)
    for k, coefficient in enumerate(given):
        total += coefficient * factor * laguerre_polynomial(2 * k)
        factor *= 16 * (2 * k + 1) * (2 * k + 2)
    last = laguerre_polynomial(2 * len(given))
    return total - total(0) / last(0) * last


def laguerre(roots):
    """The sum of L_0, L_2, ... with a simple root at 0 and double roots at the given places."""
    basis = [laguerre_polynomial(2 * k) for k in range(2 * len(roots) + 2)]
    rows = [[p(fmpq(0)) for p in basis]]
    rows += [[p(root) for p in basis] for root in roots] + [[p.derivative()(root) for p in basis] for root in roots]
    found = fmpq_mat([row[:-1] for row in rows]).solve(fmpq_mat([[-row[-1]] for row in rows]))
    total = basis[-1]
    for k, polynomial in enumerate(basis[:-1]):
        total += found[k, 0] * polynomial
    for root in roots:  # a double root changes no sign: divide it out
        total, rest = divmod(total, fmpq_poly([-root, 1]) ** 2)
        if rest != 0:
            raise ValueError("a root is not double")
    return total


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
