"""Re-check a set with small Sidon subsets: python check_sidon.py CERTIFICATE.json (standard library)."""

import json
import sys
from fractions import Fraction
from itertools import combinations


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    if certificate["verifier"] != "sidon_subset":
        raise ValueError("the certificate is about something else")
    numbers, value = certificate["construction"], Fraction(certificate["value"])
    if any(type(number) is not int for number in numbers) or not 4 <= len(numbers) <= certificate["parameters"]["n"]:
        raise ValueError("the set is not of the right size")
    for four in combinations(numbers, 4):
        if len({abs(a - b) for a, b in combinations(four, 2)} - {0}) < 5:
            raise ValueError("four numbers have fewer than five differences, or are not different")
    if value.denominator > len(numbers) or value * len(numbers) != largest(numbers):
        raise ValueError("the largest Sidon subset has another size")


def largest(numbers):
    """The most numbers without a bad triple or four: those with two equal differences; as sets of bits."""
    masks = []
    for size in (3, 4):
        for places in combinations(range(len(numbers)), size):
            found = [abs(numbers[a] - numbers[b]) for a, b in combinations(places, 2)]
            if len(set(found)) < len(found):
                masks.append(sum(1 << place for place in places))
    # By the last number of each: it is looked at when that one is added.
    last = [[mask for mask in masks if mask.bit_length() - 1 == place] for place in range(len(numbers))]
    best = 0

    def extend(place, chosen, size):
        nonlocal best
        best = max(best, size)
        if place == len(numbers) or size + len(numbers) - place <= best:
            return
        more = chosen | 1 << place
        if not any(mask & more == mask for mask in last[place]):
            extend(place + 1, more, size + 1)
        extend(place + 1, chosen, size)

    extend(0, 0, 0)
    return best


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
