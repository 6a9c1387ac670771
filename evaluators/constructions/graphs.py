"""Graphs and hypergraphs without forbidden parts, independent sets of powers, homomorphism densities."""

from collections.abc import Iterator, Sequence
from itertools import combinations, combinations_with_replacement, product
from math import cos, pi, sin
from typing import Any

from flint import arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import points_picture
from evaluators.constructions.rounding import lower
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_graphs.py"
BITS = 160


def girth_five(data: Any, parameters: Parameters) -> Measured:
    """The number of edges of a graph on n vertices without triangles and without cycles of four edges."""
    n = int(parameters["n"])
    rows = reading.whole_points(data, "the list of edges", dimension=2, most=n * n, low=0, high=n - 1)
    edges = [(min(row), max(row)) for row in rows]
    reading.distinct(edges, "the list of edges")
    neighbours: list[set[int]] = [set() for _ in range(n)]
    for a, b in edges:
        if a == b:
            raise RejectedError(f"the edge {a}, {b} is a loop")
        neighbours[a].add(b)
        neighbours[b].add(a)
    for a, b in edges:
        if common := neighbours[a] & neighbours[b]:
            raise RejectedError(f"a triangle: {a}, {b}, {min(common)}")
    joined: dict[tuple[int, int], int] = {}
    for middle, around in enumerate(neighbours):
        for pair in combinations(sorted(around), 2):
            if pair in joined:
                raise RejectedError(f"a cycle of four: {pair[0]}, {joined[pair]}, {pair[1]}, {middle}")
            joined[pair] = middle
    degrees = [len(around) for around in neighbours]
    circle = [(cos(2 * pi * k / n), sin(2 * pi * k / n)) for k in range(n)]
    return Measured(
        value=fmpq(len(edges)),
        construction=sorted(map(list, edges)),
        details={"largest_degree": float(max(degrees)), "degree_spread": float(max(degrees) - min(degrees))},
        picture=points_picture(f"{len(edges)} edges", circle, edges),
    )


def cycle_power_independent(data: Any, parameters: Parameters) -> Measured:
    """The size of an independent set of the d-th strong power of the cycle of length n."""
    n, d = int(parameters["n"]), int(parameters["d"])
    words = reading.whole_points(data, "the set of words", dimension=d, most=n**d, low=0, high=n - 1)
    reading.distinct(words, "the set of words")
    there = set(words)
    for word in words:
        for step in product((-1, 0, 1), repeat=d):
            other = tuple((letter + move) % n for letter, move in zip(word, step, strict=True))
            if any(step) and other in there and other != word:
                raise RejectedError(f"the words {list(word)} and {list(other)} can be confused")
    used = sum(len({word[place] for word in words}) for place in range(d))
    return Measured(
        value=fmpq(len(words)),
        construction=[list(word) for word in words],
        details={"letters": used / d},
    )


MOEBIUS = tuple((a, (a + 1 + b) % 5) for a in range(5) for b in range(3))
"""K5,5 without a cycle of ten edges: each of five vertices is joined to three of the other five."""


def sidorenko(data: Any, parameters: Parameters) -> Measured:
    """The quotient log t(H, W) / log t(K2, W) for a symmetric step graphon and H = K5,5 without a cycle of ten edges.

    Sidorenko's conjecture says that it is at most 15, the number of edges of H.
    """
    matrix = _graphon(data, int(parameters["n"]))
    n = len(matrix)
    edge = sum((value for row in matrix for value in row), fmpq(0)) / n**2
    if not 0 < edge < 1:
        raise RejectedError("all entries are 0 or all are 1: the logarithm of the density is no divisor")
    around = [[a for a, b in MOEBIUS if b == right] for right in range(5)]
    total = fmpq(0)
    for left in product(range(n), repeat=5):
        term = fmpq(1)
        for neighbours in around:
            term *= sum((_product(matrix[left[a]][b] for a in neighbours) for b in range(n)), fmpq(0))
            if term == 0:
                break
        total += term
    if total == 0:
        raise RejectedError("the density of H is 0: the quotient is infinite")
    with working(bits=BITS):
        value = lower((arb(total / fmpq(n) ** 10)).log() / arb(edge).log())
    return Measured(
        value=value,
        is_exact=False,
        construction=[[str(value) for value in row] for row in matrix],
        details={"edge_density": float(arb(edge).mid()), "parts": float(n)},
    )


def _product(values: Iterator[fmpq]) -> fmpq:
    found = fmpq(1)
    for value in values:
        found *= value
    return found


def _graphon(data: Any, most: int) -> list[list[fmpq]]:
    n = len(reading.rows(data, "the matrix", most=most))
    matrix = [list(row) for row in reading.points(data, "the matrix", dimension=n)]
    if n == 0:
        raise RejectedError("the matrix is empty")
    for i, j in product(range(n), repeat=2):
        if not 0 <= matrix[i][j] <= 1:
            raise RejectedError(f"entry {i + 1}, {j + 1} is not from 0 to 1")
        if matrix[i][j] != matrix[j][i]:
            raise RejectedError(f"entries {i + 1}, {j + 1} and {j + 1}, {i + 1} differ: the matrix is not symmetric")
    return matrix


def turan_tetrahedron(data: Any, parameters: Parameters) -> Measured:
    """The limit density of the blow-up of a pattern of triples that holds no tetrahedron.

    Vertices lie in parts with weights; three of them are an edge if the kinds of their parts, in ascending order and
    possibly equal, are one of the pattern's triples.
    """
    weights = reading.rationals(reading.member(data, "weights"), "the weights", most=int(parameters["n"]))
    total = sum(weights, fmpq(0))
    if not weights or min(weights) < 0 or total <= 0:
        raise RejectedError("the weights are not 0 or more with a positive sum")
    rows = reading.whole_points(
        reading.member(data, "triples"), "the triples", dimension=3, most=10_000, low=0, high=len(weights) - 1
    )
    triples = [tuple(sorted(row)) for row in rows]
    reading.distinct(triples, "the triples")
    edges = set(triples)
    for four in combinations_with_replacement(range(len(weights)), 4):
        if all(three in edges for three in combinations(four, 3)):
            raise RejectedError(f"a tetrahedron: vertices in the parts {list(four)}")
    shares = [weight / total for weight in weights]
    density = sum((_orders(three) * shares[three[0]] * shares[three[1]] * shares[three[2]] for three in edges), fmpq(0))
    return Measured(
        value=density,
        construction={"weights": [str(share) for share in shares], "triples": sorted(map(list, edges))},
        details={"parts": float(len(weights)), "triples": float(len(edges))},
    )


def _orders(three: Sequence[int]) -> int:
    return {1: 1, 2: 3, 3: 6}[len(set(three))]


VERIFIERS = (
    Verifier(
        name="girth_five",
        quantity="number of edges",
        direction="max",
        checker=CHECKER,
        measure=girth_five,
        parameters=(Whole(name="n", low=3, high=500),),
    ),
    Verifier(
        name="cycle_power_independent",
        quantity="number of words",
        direction="max",
        checker=CHECKER,
        measure=cycle_power_independent,
        parameters=(Whole(name="n", low=4, high=15), Whole(name="d", low=1, high=6)),
    ),
    Verifier(
        name="sidorenko",
        quantity="quotient log t(H, W) / log t(K2, W)",
        direction="max",
        checker=CHECKER,
        measure=sidorenko,
        parameters=(Whole(name="n", low=1, high=6),),
    ),
    Verifier(
        name="turan_tetrahedron",
        quantity="edge density",
        direction="max",
        checker=CHECKER,
        measure=turan_tetrahedron,
        parameters=(Whole(name="n", low=1, high=12),),
    ),
)
