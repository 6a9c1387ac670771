"""Rings, stacks and probability measures: exact sums, entropies in ball arithmetic."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
from flint import arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import float_of, points_picture, polygons_picture, steps_picture
from evaluators.constructions.rounding import lower
from evaluators.constructions.steps import on_common_scale
from evaluators.constructions.verdict import Choice, Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_measures.py"
BITS = 160
SLACK = fmpq(1, 10**6)


def ring_loading(data: Any, parameters: Parameters) -> Measured:
    """The least largest load over all ways to route m pairs (u, v), u + v <= 1; cuts after 1..m or 1..m - 1 of them."""
    m = int(parameters["m"])
    pairs = reading.points(data, "the list of pairs", count=m, dimension=2)
    for index, pair in enumerate(pairs):
        if min(pair) < 0 or sum(pair, fmpq(0)) > 1 + SLACK:
            raise RejectedError(f"pair {index + 1} is not 0 or more with a sum of at most 1")
    scale = max(max(u + v for u, v in pairs), fmpq(1))
    pairs = [[u / scale, v / scale] for u, v in pairs]
    values, unit = on_common_scale([value for pair in pairs for value in pair])
    kind: Any = np.int64 if 4 * m * unit < 1 << 62 else object
    chosen = ((np.arange(2**m)[:, None] >> np.arange(m)) & 1).astype(bool)
    loads = np.where(chosen, np.array(values[1::2], dtype=kind), -np.array(values[0::2], dtype=kind))
    prefixes = np.cumsum(loads, axis=1)
    cuts = prefixes if parameters["cuts"] == "all" else prefixes[:, :-1]
    least = min(np.abs(2 * cuts - prefixes[:, -1:]).max(1))
    return Measured(
        value=fmpq(int(least), unit),
        construction=[[str(value) for value in pair] for pair in pairs],
        details={
            "full_share": sum(u + v == 1 for u, v in pairs) / m,
            "mean": float_of(sum((u for u, _ in pairs), fmpq(0)) / m),
        },
        picture=points_picture(f"{m} pairs", pairs),
    )


def block_stacking(data: Any, parameters: Parameters) -> Measured:
    """How far a stack of n blocks of length 1, one on each, reaches over the edge of a table at 0; top block first."""
    n = int(parameters["n"])
    centres = reading.rationals(data, "the list of centres", count=n)
    weight = fmpq(0)
    for index in range(1, n):
        weight += centres[index - 1]
        mean = weight / index
        placed = min(max(centres[index], mean - fmpq(1, 2)), mean + fmpq(1, 2))
        if abs(placed - centres[index]) > SLACK:
            raise RejectedError(f"the upper {index} blocks topple: their centre is not above block {index + 1}")
        centres[index] = placed
    mean = sum(centres, fmpq(0)) / n
    if mean > SLACK:
        raise RejectedError(f"the stack topples: its centre is {float_of(mean):.9g} beyond the table's edge")
    centres = [centre - max(mean, fmpq(0)) for centre in centres]
    blocks = [_block(centre, n - 1 - index) for index, centre in enumerate(centres)]
    return Measured(
        value=max(centres) + fmpq(1, 2),
        construction=[str(centre) for centre in centres],
        details={"spread": float_of(max(centres) - min(centres)), "centre": float_of(-mean)},
        picture=polygons_picture(f"{n} blocks", blocks),
    )


def _block(centre: fmpq, level: int) -> list[list[float]]:
    x = float_of(centre)
    low, high = level / 5, (level + 1) / 5
    return [[x - 0.5, low], [x + 0.5, low], [x + 0.5, high], [x - 0.5, high]]


def _masses(data: Any, where: str, most: int) -> list[fmpq]:
    masses = reading.rationals(data, where, most=most)
    if not masses or min(masses) < 0 or sum(masses, fmpq(0)) <= 0:
        raise RejectedError(f"{where} are not 0 or more with a positive sum")
    total = sum(masses, fmpq(0))
    return [mass / total for mass in masses]


def beat_the_average(data: Any, parameters: Parameters) -> Measured:
    """P[X1 + X2 + X3 < 2 X4] for independent X with atoms 0 or more; masses are divided by their sum."""
    rows = reading.points(data, "the list of atoms", dimension=2, most=int(parameters["n"]))
    masses = _masses([str(row[1]) for row in rows], "the masses", int(parameters["n"]))
    places, _ = on_common_scale([row[0] for row in rows])
    if min(places) < 0:
        raise RejectedError("an atom is below 0")
    reading.distinct(places, "the list of atoms")
    three: dict[int, fmpq] = {0: fmpq(1)}
    for _ in range(3):
        sums: dict[int, fmpq] = defaultdict(lambda: fmpq(0))
        for (place, mass), (atom, share) in product(three.items(), zip(places, masses, strict=True)):
            sums[place + atom] += mass * share
        three = sums
    ordered = sorted(three.items())
    value, position, below = fmpq(0), 0, fmpq(0)
    for atom, share in sorted(zip(places, masses, strict=True)):
        while position < len(ordered) and ordered[position][0] < 2 * atom:
            below += ordered[position][1]
            position += 1
        value += share * below
    return Measured(
        value=value,
        construction=[[str(row[0]), str(mass)] for row, mass in zip(rows, masses, strict=True)],
        details={"atoms": float(len(rows)), "largest_mass": float_of(max(masses))},
        picture=steps_picture("masses of the atoms", masses),
    )


SLOPES = {"three": ((1, 0), (1, 1), (0, 1)), "four": ((1, 0), (1, 1), (1, 2), (0, 1))}
"""The projections x + r y whose entropies are bounded: r = 0, 1, infinity, or r = 0, 1, 2, infinity."""


def arithmetic_kakeya(data: Any, parameters: Parameters) -> Measured:
    """H(X - Y) over the largest entropy of X + r Y for the slopes r, for a distribution on points of whole numbers."""
    rows = reading.rows(data, "the list of atoms", most=int(parameters["n"]))
    atoms = [
        tuple(
            reading.wholes(reading.rows(row, f"atom {i + 1}", count=3)[:2], f"atom {i + 1}", low=-(10**6), high=10**6)
        )
        for i, row in enumerate(rows)
    ]
    reading.distinct(atoms, "the list of atoms")
    masses = _masses([row[2] for row in rows], "the masses", int(parameters["n"]))
    with working(bits=BITS):
        bounded = [_entropy(atoms, masses, a, b) for a, b in SLOPES[str(parameters["slopes"])]]
        largest = bounded[0]
        for each in bounded[1:]:
            largest = largest.max(each)
        if not largest > 0:
            raise RejectedError("all the mass is in one place")
        value = lower(_entropy(atoms, masses, 1, -1) / largest)
    return Measured(
        value=value,
        is_exact=False,
        construction=[[x, y, str(mass)] for (x, y), mass in zip(atoms, masses, strict=True)],
        details={"atoms": float(len(atoms)), "largest_mass": float_of(max(masses))},
        picture=points_picture("atoms", atoms),
    )


def _entropy(atoms: Sequence[tuple[int, ...]], masses: Sequence[fmpq], a: int, b: int) -> arb:
    merged: dict[int, fmpq] = defaultdict(lambda: fmpq(0))
    for (x, y), mass in zip(atoms, masses, strict=True):
        merged[a * x + b * y] += mass
    return -sum((arb(mass) * arb(mass).log() for mass in merged.values() if mass > 0), arb(0))


def edges_and_triangles(data: Any, parameters: Parameters) -> Measured:
    """Minus the area under a curve over the points of weighted complete multipartite graphs, less ten gaps.

    A row of weights a is the point x = 1 - sum a^2, y = 1 - 3 sum a^2 + 2 sum a^3. From each point the curve rises with
    slope 3 to the height of the next, where it stays; a gap is the largest distance of neighbours in x.
    """
    rows = [
        _masses(row, f"row {index + 1} of the weights", 20)
        for index, row in enumerate(reading.rows(data, "the rows of weights", most=int(parameters["n"])))
    ]
    points = sorted({(fmpq(0), fmpq(0)), (fmpq(1), fmpq(1)), *map(_densities, rows)})
    area, gap = fmpq(0), fmpq(0)
    for (x, y), (u, v) in pairwise(points):
        width = u - x
        gap = max(gap, width)
        rising = min(max((v - y) / 3, fmpq(0)), width)
        area += y * width + 3 * rising * (width - rising / 2)
    return Measured(
        value=-(area + 10 * gap),
        construction=[[str(value) for value in row] for row in rows],
        details={"rows": float(len(rows)), "largest_gap": float_of(gap)},
        picture=points_picture("edge and triangle densities", points),
    )


def _densities(weights: Sequence[fmpq]) -> tuple[fmpq, fmpq]:
    squares = sum((a * a for a in weights), fmpq(0))
    cubes = sum((a * a * a for a in weights), fmpq(0))
    return 1 - squares, 1 - 3 * squares + 2 * cubes


VERIFIERS = (
    Verifier(
        name="ring_loading",
        quantity="least largest load",
        direction="max",
        checker=CHECKER,
        measure=ring_loading,
        parameters=(Whole(name="m", low=2, high=16), Choice(name="cuts", options=("all", "inner"))),
    ),
    Verifier(
        name="block_stacking",
        quantity="overhang",
        direction="max",
        checker=CHECKER,
        measure=block_stacking,
        parameters=(Whole(name="n", low=1, high=400),),
    ),
    Verifier(
        name="beat_the_average",
        quantity="probability",
        direction="max",
        checker=CHECKER,
        measure=beat_the_average,
        parameters=(Whole(name="n", low=2, high=60),),
    ),
    Verifier(
        name="arithmetic_kakeya",
        quantity="quotient of entropies",
        direction="max",
        checker=CHECKER,
        measure=arithmetic_kakeya,
        parameters=(Whole(name="n", low=2, high=400), Choice(name="slopes", options=tuple(SLOPES))),
    ),
    Verifier(
        name="edges_and_triangles",
        quantity="minus area and ten gaps",
        direction="max",
        checker=CHECKER,
        measure=edges_and_triangles,
        parameters=(Whole(name="n", low=1, high=500),),
    ),
)
