"""Patterns of triples without a tetrahedron: weights of parts, and the order in which triples are put in."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np

from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.vectors import IntArray, Quantity, simple_fraction

ORDERS = {1: 1.0, 2: 3.0, 3: 6.0}


def turan_tetrahedron(n_parts: int) -> Quantity:
    """The density of the pattern's triples; a vector holds the parts' weights, then a rank for each possible triple.

    Triples are put in from the highest rank down, as long as no four vertices have all of theirs in.
    """
    triples = list(combinations_with_replacement(range(n_parts), 3))
    chosen = _greedy(triples, n_parts)
    parts = np.array(triples)
    orders = np.array([ORDERS[len(set(three))] for three in triples])

    def terms(x: FloatArray) -> FloatArray:
        picked, shares = chosen(x[n_parts:]), x[:n_parts] / max(float(x[:n_parts].sum()), 1e-12)
        return np.array([orders[picked] @ shares[parts[picked]].prod(1)])

    def slopes(x: FloatArray, _: IntArray) -> FloatArray:
        picked, total = chosen(x[n_parts:]), max(float(x[:n_parts].sum()), 1e-12)
        shares = x[:n_parts] / total
        found, three = np.zeros(len(x)), shares[parts[picked]]
        for k in range(3):
            np.add.at(found, parts[picked, k], orders[picked] * three[:, k - 1] * three[:, k - 2])
        found[:n_parts] = (found[:n_parts] - found[:n_parts] @ shares) / total
        return found[None, :]

    def inside(x: FloatArray) -> FloatArray:
        top = float(x[:n_parts].max())
        return np.concatenate([x[:n_parts] / top if top > 0.0 else np.ones(n_parts), x[n_parts:]])

    return Quantity(
        low=0.0,
        high=1.0,
        start=lambda rng: rng.random(n_parts + len(triples)),
        terms=terms,
        slopes=slopes,
        inside=inside,
        cost=0.02 * (n_parts / 4.0) ** 4,
    )


def _greedy(triples: Sequence[tuple[int, ...]], n_parts: int) -> Callable[[FloatArray], IntArray]:
    """What picks triples by their ranks."""
    place = {three: index for index, three in enumerate(triples)}
    fours = [
        sorted({place[three] for three in combinations(four, 3)})
        for four in combinations_with_replacement(range(n_parts), 4)
    ]
    holds = [[number for number, four in enumerate(fours) if index in four] for index in range(len(triples))]

    def chosen(ranks: FloatArray) -> IntArray:
        missing, found = [len(four) for four in fours], []
        for index in np.argsort(-ranks, kind="stable"):
            if all(missing[number] > 1 for number in holds[index]):
                found.append(int(index))
                for number in holds[index]:
                    missing[number] -= 1
        return np.array(found, np.intp)

    return chosen


def pattern_of(x: FloatArray, n_parts: int) -> dict[str, list[str] | list[list[int]]]:
    """The weights, where they nearly are simple fractions as these, and the triples that are in."""
    triples = list(combinations_with_replacement(range(n_parts), 3))
    kept = [list(triples[index]) for index in sorted(_greedy(triples, n_parts)(x[n_parts:]))]
    weights = [str(simple_fraction(weight)) for weight in x[:n_parts]]
    return {"weights": weights, "triples": kept}


def pattern_vector(pattern: dict[str, list[Any]], n_parts: int) -> FloatArray:
    """A vector that makes the same pattern."""
    kept = {tuple(three) for three in pattern["triples"]}
    ranks = [float(three in kept) for three in combinations_with_replacement(range(n_parts), 3)]
    return np.concatenate([[float(Fraction(weight)) for weight in pattern["weights"]], ranks])
