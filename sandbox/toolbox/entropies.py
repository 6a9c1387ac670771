"""Distributions on few points: quotients of the entropies of projections."""

import math

import numpy as np

from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.vectors import IntArray, Quantity

LEAST = 1e-15
LIGHT = 1e-9
SLOPES = {"three": ((1, 0), (1, 1), (0, 1)), "four": ((1, 0), (1, 1), (1, 2), (0, 1))}


def arithmetic_kakeya(side: int, slopes: str) -> Quantity:
    """H(X - Y) over the entropies of the bounded projections; a vector holds the masses of a square grid's points."""
    if slopes not in SLOPES:
        raise ValueError(f"slopes are {slopes!r}, expected one of {', '.join(SLOPES)}")
    x, y = (values.ravel() for values in np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    folds = [_fold(a * x + b * y) for a, b in (*SLOPES[slopes], (1, -1))]

    def entropies(mass: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Their values, and their derivatives by the masses, which need not add up to 1."""
        total = max(float(mass.sum()), LEAST)
        shares = mass / total
        values, changes = [], []
        for fold in folds:
            merged = np.maximum(np.bincount(fold, shares), LEAST)
            logs = -np.log(merged)
            values.append(float(merged @ logs))
            changes.append((logs[fold] - values[-1]) / total)
        return np.array(values), np.array(changes)

    def terms(mass: FloatArray) -> FloatArray:
        values, _ = entropies(mass)
        return np.asarray(values[-1] / np.maximum(values[:-1], LEAST), np.float64)

    def derivatives(mass: FloatArray, which: IntArray) -> FloatArray:
        values, changes = entropies(mass)
        below = np.maximum(values[which], LEAST)[:, None]
        return np.asarray(changes[-1] / below - values[-1] * changes[which] / below**2, np.float64)

    def start(rng: np.random.Generator) -> FloatArray:
        return np.asarray(rng.random(side * side) * (rng.random(side * side) < rng.uniform(0.2, 0.9)), np.float64)

    def inside(mass: FloatArray) -> FloatArray:
        top = float(mass.max())
        return np.where(mass < LIGHT * top, 0.0, mass / top) if top > LEAST else np.ones_like(mass)

    return Quantity(low=0.0, high=1.0, start=start, terms=terms, slopes=derivatives, inside=inside, cost=0.012)


def _fold(sums: IntArray) -> IntArray:
    return np.asarray(np.unique(sums, return_inverse=True)[1].ravel(), np.intp)


def side_for(n: int) -> int:
    """The side of the largest square grid with at most so many points."""
    return math.isqrt(n)


def atoms(mass: FloatArray) -> list[list[float]]:
    """Rows of x, y and mass of the points that have any."""
    side = math.isqrt(len(mass))
    return [[place // side, place % side, float(value)] for place, value in enumerate(mass) if value > 0.0]


def masses(rows: list[list[float]], side: int) -> FloatArray:
    """What `atoms` was made from."""
    found = np.zeros(side * side)
    for x, y, mass in rows:
        found[int(x) * side + int(y)] = mass
    return found
