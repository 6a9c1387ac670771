"""Re-check a certificate about finite fields: python check_fields.py CERTIFICATE.json (standard library)."""

import json
import sys
from fractions import Fraction
from itertools import product


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    p = certificate["parameters"]["p"]
    if p < 2 or any(p % k == 0 for k in range(2, p)):
        raise ValueError("p is no prime")
    value = Fraction(certificate["value"])
    QUANTITIES[certificate["verifier"]](certificate["construction"], value, **certificate["parameters"])


def the_set(points, value, p, d):
    found = {tuple(point) for point in points}
    if len(found) != value or any(len(x) != d or not set(x) <= set(range(p)) for x in found):
        raise ValueError("not that many different points of the space")
    return found


def directions(p, d):
    for step in product(range(p), repeat=d):
        if any(step) and next(x for x in step if x) == 1:
            yield step


def line(point, step, p):
    return [tuple((x + times * y) % p for x, y in zip(point, step, strict=True)) for times in range(p)]


def kakeya(points, value, p, d):
    found = the_set(points, value, p, d)
    for step in directions(p, d):
        if not any(found.issuperset(line(point, step, p)) for point in found):
            raise ValueError(f"no line in the direction {step}")


def nikodym(points, value, p, d):
    found = the_set(points, value, p, d)
    steps = list(directions(p, d))
    for point in product(range(p), repeat=d):
        if not any(found.issuperset(line(point, step, p)[1:]) for step in steps):
            raise ValueError(f"no line through {point}")


def sum_product(numbers, value, p, n):
    a = set(numbers)
    if len(a) != n or len(numbers) != n or not all(type(x) is int and 0 < x < p for x in a):
        raise ValueError("not that many nonzero elements of the field")
    if max(len({(x + y) % p for x in a for y in a}), len({x * y % p for x in a for y in a})) != value:
        raise ValueError("the larger number of sums and products is another")


QUANTITIES = {"kakeya": kakeya, "nikodym": nikodym, "sum_product": sum_product}

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
