"""Re-check Chebyshev's certificates and others: python check_arithmetic.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction
from math import factorial, lcm, prod

try:
    from flint import arb, ctx, fmpq
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 400


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    value = Fraction(certificate["value"])
    QUANTITIES[certificate["verifier"]](certificate["construction"], value, certificate["parameters"]["n"])


def require(holds, otherwise="the construction does not have the claimed value"):
    if not holds:
        raise ValueError(otherwise)


def prime_number_certificate(rows, value, _):
    """With sum f(k) / k = 0 the sum of f(k) floor(x / k) is minus that of f(k) (x mod k) / k, which is periodic."""
    weights = {int(key): Fraction(weight) for key, weight in rows}
    require(len(weights) == len(rows) and min(weights) >= 1, "a key is there twice, or below 1")
    require(sum(weight / key for key, weight in weights.items()) == 0, "the sum of f(k) / k is not 0")
    scale = lcm(*(weight.denominator * key for key, weight in weights.items()))
    terms = [(key, int(-weight * scale / key)) for key, weight in weights.items()]
    largest = max(sum(number * (x % key) for key, number in terms) for x in range(lcm(*weights)))
    total = -sum((exact(weight) * arb(key).log() / key for key, weight in weights.items()), arb(0))
    require(exact(value) <= total / exact(max(Fraction(largest, scale), Fraction(1))))


def factorial_factors(factors, value, n):
    require(len(factors) == n and all(type(x) is int and x >= 1 for x in factors), "not that many whole numbers")
    require(factorial(n) % prod(factors) == 0, "the product does not divide the factorial")
    require(min(factors) == value)


def maximal_function(rows, value, n):
    masses = sorted((Fraction(place), Fraction(mass)) for place, mass in rows)
    require(len(masses) <= n and all(mass >= 0 for _, mass in masses), "too many masses, or a negative one")
    events = []
    for i, (start, _) in enumerate(masses):
        total = Fraction(0)
        for end, mass in masses[i:]:
            total += mass
            if end - total / 2 < start + total / 2:
                events += [(end - total / 2, 1), (start + total / 2, -1)]
    length, depth, before = Fraction(0), 0, None
    for place, step in sorted(events):
        if depth:
            length += place - before
        depth, before = depth + step, place
    require(length / sum(mass for _, mass in masses) == value)


def exact(number):
    return arb(fmpq(number.numerator, number.denominator))


QUANTITIES = {
    "prime_number_certificate": prime_number_certificate,
    "factorial_factors": factorial_factors,
    "maximal_function": maximal_function,
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
