"""Re-check a certificate about norms of a function: python check_inequalities.py CERTIFICATE.json (python-flint)."""

import json
import sys
from fractions import Fraction
from itertools import accumulate, pairwise
from math import comb, factorial

try:
    from flint import arb, ctx, fmpq
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 400


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    values = [Fraction(text) for text in certificate["construction"]]
    parameters, value = dict(certificate["parameters"]), Fraction(certificate["value"])
    if not 1 <= len(values) <= parameters.pop("n") or not any(values):
        raise ValueError("the number of values is not what it should be, or all are 0")
    if not QUANTITIES[certificate["verifier"]](values, value, **parameters):
        raise ValueError("the construction does not have the claimed value")


def exact(number):
    return arb(fmpq(number.numerator, number.denominator))


def product(a, b):
    found = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            found[i + j] += x * y
    return found


def spline(order, x):
    """The density of a sum of so many uniform random numbers, at a whole number."""
    return Fraction(sum((-1) ** i * comb(order, i) * (x - i) ** (order - 1) for i in range(x)), factorial(order - 1))


def hausdorff_young(heights, value, k):
    """The 2k-norm of the transform to the power 2k is the integral of (f * ... * f)^2, k factors f."""
    power = [Fraction(1)]
    for _ in range(k):
        power = product(power, heights)
    total = Fraction(0)
    for shift in range(1 - k, k):
        weight = spline(2 * k, k + shift)
        total += weight * sum(power[i] * power[i + shift] for i in range(len(power)) if 0 <= i + shift < len(power))
    p = arb(2 * k) / (2 * k - 1)
    norm = sum(((exact(abs(h)).log() * p).exp() for h in heights if h), arb(0))
    return exact(value).log() <= exact(total).log() / (2 * k) - norm.log() / p


def interpolation_inequality(values, value, inequality):
    at = [Fraction(0), *values, Fraction(0)]
    cut = []  # the same function with its zeros among the nodes: (width, left, right)
    for a, b in pairwise(at):
        if a * b < 0:
            cut += [(a / (a - b), a, Fraction(0)), (b / (b - a), Fraction(0), b)]
        else:
            cut.append((Fraction(1), a, b))
    norm = {q: sum(w * sum(abs(a) ** i * abs(b) ** (q - i) for i in range(q + 1)) / (q + 1) for w, a, b in cut)
            for q in (1, 2, 6)}  # fmt: skip
    slope = sum((b - a) ** 2 for a, b in pairwise(at))
    top = max(map(abs, at))
    if inequality == "nash":
        return norm[2] ** 3 == value * slope * norm[1] ** 4
    if inequality == "agmon":
        return top**4 == value * norm[2] * slope
    if inequality == "sextic":
        return norm[6] == value * slope * norm[2] ** 2
    heights = [0, *accumulate(w * (a + b) / 2 for w, a, b in cut)]
    reach = (max(heights) - min(heights)) / 2
    return inequality == "landau" and top**2 == value * reach * max(abs(b - a) for a, b in pairwise(at))


QUANTITIES = {"hausdorff_young": hausdorff_young, "interpolation_inequality": interpolation_inequality}

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
