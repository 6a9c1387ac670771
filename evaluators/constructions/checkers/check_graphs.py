"""Re-check a certificate about graphs: python check_graphs.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, product

try:
    from flint import arb, ctx, fmpq
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 400


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    value = Fraction(certificate["value"])
    QUANTITIES[certificate["verifier"]](certificate["construction"], value, **certificate["parameters"])


def require(holds, otherwise):
    if not holds:
        raise ValueError(otherwise)


def girth_five(edges, value, n):
    there = {frozenset(edge) for edge in edges}
    require(all(len(edge) == 2 and edge <= set(range(n)) for edge in there), "an edge is a loop or leaves the graph")
    require(len(there) == len(edges) == value, "the number of edges is not the claimed one")
    around = {v: {w for edge in there if v in edge for w in edge - {v}} for v in range(n)}
    for a, b in combinations(range(n), 2):
        common = len(around[a] & around[b])
        require(common <= (0 if frozenset((a, b)) in there else 1), f"a triangle or a cycle of four with {a} and {b}")


def cycle_power_independent(words, value, n, d):
    require(len({tuple(word) for word in words}) == len(words) == value, "not that many different words")
    require(all(len(word) == d and set(word) <= set(range(n)) for word in words), "a word is not of the space")
    for one, other in combinations(words, 2):
        apart = any((a - b) % n not in (0, 1, n - 1) for a, b in zip(one, other, strict=True))
        require(apart, f"the words {one} and {other} can be confused")


def sidorenko(rows, value, n):
    w = [[Fraction(entry) for entry in row] for row in rows]
    k = len(w)
    require(k <= n and all(len(row) == k and all(0 <= x <= 1 for x in row) for row in w), "not a graphon")
    require(all(w[i][j] == w[j][i] for i in range(k) for j in range(k)), "not symmetric")
    edge = sum(map(sum, w)) / k**2
    total = 0
    for a in product(range(k), repeat=5):
        term = 1
        for j in range(5):  # the vertex j on the right is joined to j, j - 1 and j - 2 on the left
            term *= sum(w[a[j]][b] * w[a[j - 1]][b] * w[a[j - 2]][b] for b in range(k))
        total += term
    require(0 < edge < 1 and total > 0, "a density is 0 or 1")
    require(exact(value) <= exact(Fraction(total) / k**10).log() / exact(edge).log(), "the quotient is smaller")


def turan_tetrahedron(pattern, value, n):
    weights = [Fraction(weight) for weight in pattern["weights"]]
    triples = {tuple(sorted(three)) for three in pattern["triples"]}
    require(len(weights) <= n and min(weights) >= 0 and sum(weights) == 1, "the weights are not shares")
    for four in combinations_with_replacement(range(len(weights)), 4):
        require(not all(three in triples for three in combinations(four, 3)), f"a tetrahedron in the parts {four}")
    density = sum(weights[a] * weights[b] * weights[c] for abc in product(range(len(weights)), repeat=3)
                  if tuple(sorted(abc)) in triples for a, b, c in [abc])  # fmt: skip
    require(density == value, "the density is not the claimed one")


def exact(number):
    return arb(fmpq(number.numerator, number.denominator))


QUANTITIES = {
    "girth_five": girth_five,
    "cycle_power_independent": cycle_power_independent,
    "sidorenko": sidorenko,
    "turan_tetrahedron": turan_tetrahedron,
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
