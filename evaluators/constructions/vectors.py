"""Kissing configurations and lattice packings: vectors of whole numbers."""

from typing import Any

import numpy as np
from flint import arb, fmpq, fmpz_mat

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import float_of, points_picture
from evaluators.constructions.rounding import lower
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_vectors.py"
LARGEST = 1 << 128
BITS = 160
MOST_NODES = 2_000_000


def kissing(data: Any, parameters: Parameters) -> Measured:
    """How many vectors there are, none longer than the shortest distance between two of them.

    Spheres of that distance's half around the vectors' directions, pushed out to the sphere of the longest, then touch
    a central one without overlap.
    """
    dimension = int(parameters["d"])
    vectors = reading.whole_points(
        data, "the set of vectors", dimension=dimension, most=3000, low=-LARGEST, high=LARGEST
    )
    if not vectors:
        raise RejectedError("there are no vectors")
    matrix = fmpz_mat([list(vector) for vector in vectors])
    gram = np.array((matrix * matrix.transpose()).tolist(), dtype=object)
    norms = gram.diagonal()
    longest = max(norms)
    if min(norms) == 0:
        raise RejectedError(f"vector {int(np.argmin(norms)) + 1} is zero")
    for index in range(1, len(vectors)):
        squares = norms[index] + norms[:index] - 2 * gram[index, :index]
        near = int(np.argmin(squares))
        if squares[near] < longest:
            raise RejectedError(
                f"vectors {near + 1} and {index + 1} are nearer to each other than the longest vector is long"
            )
    return Measured(
        value=fmpq(len(vectors)),
        construction=[list(vector) for vector in vectors],
        details={
            "norm_ratio": float_of(fmpq(int(min(norms)), int(longest))),
            "rank": float(matrix.rank()),
        },
        picture=points_picture(f"{len(vectors)} vectors, two coordinates of each", vectors) if dimension > 1 else None,
    )


def lattice_packing(data: Any, parameters: Parameters) -> Measured:
    """The density of the lattice packing of spheres that a basis of whole numbers spans."""
    dimension = int(parameters["d"])
    rows = reading.whole_points(data, "the basis", dimension=dimension, count=dimension, low=-(10**9), high=10**9)
    matrix = fmpz_mat([list(row) for row in rows])
    determinant = abs(int(matrix.det()))
    if determinant == 0:
        raise RejectedError("the vectors of the basis are dependent")
    reduced = matrix.lll()
    shortest, n_shortest = shortest_vectors(reduced)
    basis = [[int(value) for value in row] for row in reduced.tolist()]
    with working(bits=BITS):
        half = arb(dimension) / 2
        value = lower(arb.pi() ** half / (half + 1).gamma() * (arb(shortest).sqrt() / 2) ** dimension / determinant)
    return Measured(
        value=value,
        is_exact=False,
        construction=basis,
        details={"contacts": float(n_shortest), "shortest": min(float(shortest), 1e300)},
        picture=points_picture("two coordinates of each vector of the basis", basis),
    )


def shortest_vectors(basis: fmpz_mat) -> tuple[int, int]:
    """The squared length of the shortest vectors of a lattice, and how many there are (Fincke and Pohst 1985).

    Exact: the quadratic form is decomposed over the rational numbers, and every vector within the bound is visited.
    """
    rows = [[int(value) for value in row] for row in basis.tolist()]
    n = len(rows)
    gram = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in rows] for x in rows]
    diagonal, factors = _decomposed(gram)
    best = min(gram[i][i] for i in range(n))
    counts = {best: 0}
    nodes = 0
    stack: list[tuple[int, list[int], fmpq]] = [(n - 1, [], fmpq(0))]
    while stack:
        level, chosen, used = stack.pop()
        if level < 0:
            square = int(used.p)
            if square:
                best = min(best, square)
                counts[square] = counts.get(square, 0) + 1
            continue
        shift = sum((factors[level][level + 1 + k] * value for k, value in enumerate(chosen)), fmpq(0))
        reach = (best - used) / diagonal[level]
        centre = int((-shift).floor())
        for step in (1, -1):
            number = centre + (1 if step == 1 else 0)
            while (number + shift) ** 2 <= reach:
                nodes += 1
                stack.append((level - 1, [number, *chosen], used + diagonal[level] * (number + shift) ** 2))
                number += step
        if nodes > MOST_NODES:
            raise RejectedError("the basis is too skew to look for its shortest vectors")
    return best, counts[best]


def _decomposed(gram: list[list[int]]) -> tuple[list[fmpq], list[list[fmpq]]]:
    """The form as a sum of diagonal[i] * (x_i + sum over j > i of factors[i][j] x_j)^2."""
    n = len(gram)
    rest = [[fmpq(value) for value in row] for row in gram]
    diagonal, factors = [], [[fmpq(0)] * n for _ in range(n)]
    for i in range(n):
        diagonal.append(rest[i][i])
        for j in range(i + 1, n):
            factors[i][j] = rest[i][j] / rest[i][i]
        for j in range(i + 1, n):
            for k in range(i + 1, n):
                rest[j][k] -= factors[i][j] * factors[i][k] * diagonal[i]
    return diagonal, factors


VERIFIERS = (
    Verifier(
        name="kissing",
        quantity="number of vectors",
        direction="max",
        checker=CHECKER,
        measure=kissing,
        parameters=(Whole(name="d", low=2, high=24),),
    ),
    Verifier(
        name="lattice_packing",
        quantity="density",
        direction="max",
        checker=CHECKER,
        measure=lattice_packing,
        parameters=(Whole(name="d", low=2, high=9),),
    ),
)
