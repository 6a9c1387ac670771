"""Re-check an upper bound of an oval's lowest eigenvalue: python check_ovals.py CERTIFICATE.json (python-flint).

The radius of curvature r(t) = 1 + sum over k >= 2 of a_k cos kt + b_k sin kt closes the curve, whose length is 2 pi; it
is convex if r > 0. The quotient of a function f is the integral of (f'^2 + f^2) / r over the integral of f^2 r.
"""

import json
import sys
from fractions import Fraction

try:
    from flint import arb, arb_series, ctx, fmpq
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 160
ORDER = 24


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    if certificate["verifier"] != "oval_eigenvalue":
        raise ValueError("the certificate is about something else")
    n, value = certificate["parameters"]["n"], exact(certificate["value"])
    curve, function = ([[exact(x) for x in row] for row in certificate["construction"][name]]
                       for name in ("curve", "function"))  # fmt: skip
    if len(curve) > n or len(function) > n or any(len(row) != 2 for row in (*curve, *function)):
        raise ValueError("there are more waves than allowed")
    curve = [[arb(1), arb(0)], [arb(0), arb(0)], *curve]
    below = arb.pi() * 2 * mean_of_product(function, curve)
    if not below > 0 or not integral(function, curve, value * below) <= value * below:
        raise ValueError("the quotient is larger, or not certain")


def exact(text):
    number = Fraction(text)
    return arb(fmpq(number.numerator, number.denominator))


def mean_of_product(f, r):
    """The mean of f^2 r, by products of Fourier coefficients: (a - ib) / 2 at k and its conjugate at -k."""

    def coefficients(waves):
        found = {0: (waves[0][0], arb(0))} if waves else {}
        for k, (a, b) in enumerate(waves):
            if k:
                found[k], found[-k] = (a / 2, -b / 2), (a / 2, b / 2)
        return found

    left, right, total = coefficients(f), coefficients(r), arb(0)
    for i, (a, b) in left.items():
        for j, (c, d) in left.items():
            e, g = right.get(-i - j, (arb(0), arb(0)))
            total += (a * c - b * d) * e - (a * d + b * c) * g
    return total


def integral(f, r, aim):
    """The integral of (f'^2 + f^2) / r over a period, by Taylor's formula around middles of intervals, halved at need.

    The last coefficient, taken over the whole interval, bounds the rest. Where r is not certainly above 0 on a short
    interval there is no answer.
    """
    total, share = arb(0), arb(2) ** -62 * aim
    work = [(2 * arb.pi() * k / 32, 2 * arb.pi() * (k + 1) / 32) for k in range(32)]
    while work:
        low, high = work.pop()
        middle, half = (low + high) / 2, (high - low) / 2
        exactly = quotient(f, r, arb(middle.mid()), ORDER)
        around = quotient(f, r, middle.union(low).union(high), ORDER + 1)
        rest = None if around is None else 2 * half ** (ORDER + 1) * abs(around[ORDER]) / (ORDER + 1)
        if exactly is None or rest is None or not rest < share:
            if not half > arb(2) ** -12:
                raise ValueError("the radius of curvature is not certainly above 0")
            work += [(low, middle), (middle, high)]
            continue
        shift = middle - arb(middle.mid())
        total += sum((exactly[k] * ((half + shift) ** (k + 1) + (half - shift) ** (k + 1) * (-1) ** k) / (k + 1)
                      for k in range(ORDER)), arb(0))  # fmt: skip
        total += rest.union(-rest)
    return total


def quotient(f, r, place, order):
    """The Taylor coefficients of (f'^2 + f^2) / r at a place, or over an interval."""
    ctx.cap = order
    t = arb_series([place, 1], order)
    value, slope = waves(f, t, order)
    radius, _ = waves(r, t, order)
    if not radius[0] > 0:
        return None
    found = (slope * slope + value * value) / radius
    return [found[k] for k in range(order)]


def waves(rows, t, order):
    value, slope = arb_series([0], order), arb_series([0], order)
    for k, (a, b) in enumerate(rows):
        s, c = (t * k).sin(), (t * k).cos()
        value += a * c + b * s
        slope += k * (b * c - a * s)
    return value, slope


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
