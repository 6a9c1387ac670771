"""Re-check a bound from a radial function: python check_radial.py CERTIFICATE.json (needs python-flint).

f(x) = p(2 pi |x|^2) exp(-pi |x|^2) with p = sum c_k L_k, Laguerre polynomials of the parameter d / 2 - 1, has the
Fourier transform with the polynomial q = sum (-1)^k c_k L_k.
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
    d, n = certificate["parameters"]["d"], certificate["parameters"]["n"]
    value = arb(exact(certificate["value"]))
    QUANTITIES[certificate["verifier"]](certificate["construction"], value, d, n)


def exact(text):
    number = Fraction(text)
    return fmpq(number.numerator, number.denominator)


def laguerre(d, n):
    """The sum over k of (-1)^k binomial(n + alpha, n - k) z^k / k! with alpha = d / 2 - 1."""
    top, term = fmpq(d, 2) - 1, fmpq(1)
    for k in range(1, n + 1):
        term *= (top + k) / k
    coefficients = []
    for k in range(n + 1):
        coefficients.append(term)
        term *= -fmpq(n - k) / ((top + k + 1) * (k + 1))
    return fmpq_poly(coefficients)


def double(roots, n):
    found = [exact(text) for text in roots]
    if len(found) > n or len(set(found)) != len(found) or any(not root > 0 for root in found):
        raise ValueError("the roots are too many, not different, or not above 0")
    return found


def solution(rows, right):
    return fmpq_mat(rows).solve(fmpq_mat([[x] for x in right]))


def combined(found, basis):
    total = fmpq_poly([0])
    for k, polynomial in enumerate(basis):
        total += found[k, 0] * polynomial
    return total


def sign_changes(polynomial):
    """Places above 0 where the sign changes."""
    roots = polynomial.numer().complex_roots()
    return [root.real for root, times in roots if times % 2 and root.imag == 0 and not root.real <= 0]


def sphere_packing_bound(construction, value, d, n):
    """f(0) = F(0) = 1, F >= 0 and f <= 0 from r on: the density is at most the volume of a ball of radius r / 2."""
    inside, outside = (double(construction[name], n) for name in ("roots", "transform_roots"))
    size = 2 * (len(inside) + len(outside)) + 2
    basis = [laguerre(d, k) for k in range(size)]
    signed = [(-1) ** k * p for k, p in enumerate(basis)]
    rows = [[p(fmpq(0)) for p in basis], [p(fmpq(0)) for p in signed]]
    for family, places in ((basis, inside), (signed, outside)):
        for place in places:
            rows += [[p(place) for p in family], [p.derivative()(place) for p in family]]
    found = solution(rows, [1, 1] + [0] * (size - 2))
    f, transform = combined(found, basis), combined(found, signed)
    if f[f.degree()] > 0 or transform[transform.degree()] < 0:
        raise ValueError("the function is not negative at last, or its transform not positive")
    if sign_changes(transform):
        raise ValueError("the transform changes its sign")
    for change in sign_changes(f):
        radius = (change / (2 * arb.pi())).sqrt()
        if not arb.pi() ** (arb(d) / 2) / (arb(d) / 2 + 1).gamma() * (radius / 2) ** d <= value:
            raise ValueError("a sign change lies beyond the claimed bound")


def uncertainty_minus(construction, value, d, n):
    """g is minus its own Fourier transform, 0 at 0, and changes its sign for the last time at r."""
    roots = double(construction, n)
    basis = [laguerre(d, 2 * k + 1) for k in range(2 * len(roots) + 2)]
    rows = [[p(fmpq(0)) for p in basis[:-1]]]
    right = [-basis[-1](fmpq(0))]
    for root in roots:
        rows += [[p(root) for p in basis[:-1]], [p.derivative()(root) for p in basis[:-1]]]
        right += [-basis[-1](root), -basis[-1].derivative()(root)]
    g = combined(solution(rows, right), basis[:-1]) + basis[-1]
    changes = sign_changes(g)
    if g(fmpq(0)) != 0 or not changes or not all(c <= 2 * arb.pi() * value**2 for c in changes):
        raise ValueError("a sign change lies beyond the claimed bound, or there is none")


QUANTITIES = {"sphere_packing_bound": sphere_packing_bound, "uncertainty_minus": uncertainty_minus}

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
