"""Re-check a certificate about sums and differences: python check_sums.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction

try:
    from flint import arb, ctx, fmpq
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 400


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    QUANTITIES[certificate["verifier"]](certificate["construction"], certificate["parameters"], Value(certificate))


class Value:
    """The claimed value, and ways to hold it against what the construction has."""

    def __init__(self, certificate):
        self.claimed = Fraction(certificate["value"])

    def equals(self, found):
        if self.claimed != found:
            raise ValueError(f"the value is {float(found)!r}")

    def at_most(self, ball):
        if not arb(fmpq(self.claimed.numerator, self.claimed.denominator)) <= ball:
            raise ValueError(f"the value is about {ball}")


def whole_set(numbers, low, high):
    if len(set(numbers)) != len(numbers) or any(type(x) is not int or not low <= x <= high for x in numbers):
        raise ValueError("not a set of different whole numbers in range")
    return set(numbers)


def counts(a):
    return len({x + y for x in a for y in a}), len({x - y for x in a for y in a})


def more_sums(numbers, parameters, value):
    n_sums, n_differences = counts(whole_set(numbers, 0, parameters["n"] - 1))
    value.equals(Fraction(n_sums, n_differences))


def theta(numbers, parameters, value):
    u = whole_set(numbers, 0, 1 << 62)
    n_sums, n_differences = counts(u)
    if 0 not in u or len(u) > parameters["n"] or n_differences >= 2 * max(u) + 1:
        raise ValueError("0 is not in the set, it is too large, or all differences are there")
    value.at_most(1 + (arb(n_differences) / n_sums).log() / arb(2 * max(u) + 1).log())


def bounded(numbers, parameters):
    a = whole_set(numbers, -(1 << 62), 1 << 62)
    if len(a) > parameters["n"] or max(a) - min(a) > parameters["span"]:
        raise ValueError("the set is too large")
    return len(a), *counts(a)


def sum_difference_one(numbers, parameters, value):
    size, n_sums, n_differences = bounded(numbers, parameters)
    value.at_most((arb(n_sums) / size).log() / (arb(n_differences) / size).log())


def sum_difference_two(numbers, parameters, value):
    _, n_sums, n_differences = bounded(numbers, parameters)
    value.at_most(arb(n_differences).log() / arb(n_sums).log())


def difference_basis(numbers, parameters, value):
    b = whole_set(numbers, -(1 << 62), 1 << 62)
    if len(b) > parameters["n"]:
        raise ValueError("the set is too large")
    differences = {x - y for x in b for y in b}
    reach = 0
    while reach + 1 in differences:
        reach += 1
    value.equals(Fraction(len(b) ** 2, reach))


def golomb_ruler(numbers, parameters, value):
    n = parameters["n"]
    marks = whole_set(numbers, -(1 << 62), 1 << 62)
    if len(marks) != n or len({x - y for x in marks for y in marks}) != n * (n - 1) + 1:
        raise ValueError("a distance is there twice, or the number of marks is wrong")
    value.equals(max(marks) - min(marks))


def square_free_differences(construction, parameters, value):
    m = construction["m"]
    a = whole_set(construction["residues"], 0, m - 1)
    if any(m % (d * d) == 0 for d in range(2, m)) or m > parameters["n"]:
        raise ValueError("the modulus is not squarefree, or too large")
    if {(x - y) % m for x in a for y in a if x != y} & {x * x % m for x in range(m)}:
        raise ValueError("two residues differ by a square")
    value.at_most((1 + arb(len(a)).log() / arb(m).log()) / 2)


def no_squarefree_products(numbers, parameters, value):
    a = whole_set(numbers, 1, parameters["n"])
    for product in {x * y for x in a for y in a}:
        if all((product + 1) % (d * d) for d in range(2, parameters["n"] + 1)):
            raise ValueError(f"{product} + 1 is squarefree")
    value.equals(len(a))


QUANTITIES = {
    "more_sums_than_differences": more_sums,
    "sums_differences": theta,
    "sum_difference_one": sum_difference_one,
    "sum_difference_two": sum_difference_two,
    "difference_basis": difference_basis,
    "golomb_ruler": golomb_ruler,
    "square_free_differences": square_free_differences,
    "no_squarefree_products": no_squarefree_products,
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
