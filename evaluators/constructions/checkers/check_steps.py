"""Re-check a certificate about step functions: python check_steps.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction
from itertools import pairwise
from math import lcm

try:
    from flint import arb, ctx, fmpq
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 400


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    parameters = certificate["parameters"]
    if certificate["verifier"] == "young_convolution":
        young(certificate["construction"], parameters["n"], Fraction(certificate["value"]))
        return
    heights = [Fraction(value) for value in certificate["construction"]]
    if not 1 <= len(heights) <= parameters["n"]:
        raise ValueError("the number of steps is not what it should be")
    scale = lcm(*(height.denominator for height in heights))
    steps = [int(height * scale) for height in heights]
    if QUANTITIES[certificate["verifier"]](steps, scale, parameters) != Fraction(certificate["value"]):
        raise ValueError("the construction does not have the claimed value")


def product(a, b):
    """The product of two polynomials with whole coefficients, by one product of whole numbers."""
    bits = 2 * max(abs(value) for value in (*a, *b)).bit_length() + len(a).bit_length() + 2
    whole = packed(a, bits) * packed(b, bits)
    negative, whole = whole < 0, abs(whole)
    found, carry, mask = [], 0, (1 << bits) - 1
    digits = whole.to_bytes((whole.bit_length() + 7) // 8 + 1, "little")
    for k in range(len(a) + len(b) - 1):
        start = k * bits
        piece = int.from_bytes(digits[start // 8 : (start + bits + 7) // 8 + 1], "little") >> (start % 8) & mask
        piece += carry
        carry = (piece + (1 << (bits - 1))) >> bits  # a negative coefficient borrows from the next
        found.append(piece - (carry << bits))
    return [-value for value in found] if negative else found


def packed(values, bits):
    while len(values) > 1:
        pairs = zip(values[0::2], [*values[1::2], 0] if len(values) % 2 else values[1::2], strict=True)
        values, bits = [low + (high << bits) for low, high in pairs], 2 * bits
    return values[0]


def positive(steps):
    if any(value < 0 for value in steps) or not any(steps):
        raise ValueError("a step is negative, or all are zero")


def first(steps, _, parameters):
    positive(steps)
    support = {"half": 2, "one": 1}[parameters["support"]]
    return Fraction(support * len(steps) * max(product(steps, steps)), sum(steps) ** 2)


def second(steps, _, __):
    positive(steps)
    at = [0, *product(steps, steps), 0]
    square = sum(a * a + a * b + b * b for a, b in pairwise(at))
    return Fraction(square, 3 * sum(at) * max(at))


def third(steps, _, parameters):
    if sum(steps) <= 0:
        raise ValueError("the integral is not positive")
    found = product(steps, steps)
    peak = {"signed": max(found), "absolute": max(map(abs, found))}[parameters["peak"]]
    return Fraction(2 * len(steps) * peak, sum(steps) ** 2)


def smallest(steps, _, parameters):
    positive(steps)
    right = product(steps, steps[::-1])[len(steps) - 1 :] + [0] * parameters["m"]
    return Fraction(parameters["m"] * min(right[: parameters["m"] + 1]), sum(steps) ** 2)


def overlap(steps, scale, _):
    if not all(0 <= value <= scale for value in steps) or 2 * sum(steps) != len(steps) * scale:
        raise ValueError("a height is not from 0 to 1, or their mean is not 1/2")
    peak = max(product(steps, [scale - value for value in steps][::-1]))
    return Fraction(2 * peak, len(steps) * scale**2)


def gagliardo_nirenberg(values, *_):
    at = [0, *values, 0]
    fourth = Fraction(sum(a**4 + a**3 * b + a**2 * b**2 + a * b**3 + b**4 for a, b in pairwise(at)), 5)
    second = Fraction(sum(a * a + a * b + b * b for a, b in pairwise(at)), 3)
    return fourth**4 / (second**6 * sum((b - a) ** 2 for a, b in pairwise(at)) ** 2)


def young(pair, n, value):
    f, g = ([Fraction(x) for x in pair[name]] for name in "fg")
    if not all(1 <= len(x) <= n and min(x) >= 0 and any(x) for x in (f, g)):
        raise ValueError("a function is empty, too long, negative or zero")
    scale = lcm(*(x.denominator for x in (*f, *g)))
    at = [0, *product([int(x * scale) for x in f], [int(x * scale) for x in g]), 0]
    square = Fraction(sum(a * a + a * b + b * b for a, b in pairwise(at)), 3 * scale**4)
    norms = [sum((exact(x) ** (arb(4) / 3) for x in heights if x), arb(0)) for heights in (f, g)]
    if not exact(value) <= exact(square).sqrt() / (norms[0] * norms[1]) ** (arb(3) / 4):
        raise ValueError("the quotient is smaller")


def exact(number):
    return arb(fmpq(number.numerator, number.denominator))


QUANTITIES = {
    "gagliardo_nirenberg": gagliardo_nirenberg,
    "first_autocorrelation": first,
    "second_autocorrelation": second,
    "third_autocorrelation": third,
    "smallest_autocorrelation": smallest,
    "erdos_overlap": overlap,
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
