"""Moves of points that hold for any object made of points: the rows of an array, shape (n, d)."""

import numpy as np

from sandbox.toolbox.linear import FloatArray


def jittered(points: FloatArray, size: float, rng: np.random.Generator) -> FloatArray:
    """All points, each moved by normal amounts of this size."""
    return np.asarray(points + rng.normal(0.0, size, points.shape), np.float64)


def relocated(points: FloatArray, fresh: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Fresh points in place of as many others, drawn by chance."""
    moved = points.copy()
    moved[rng.choice(len(points), len(fresh), replace=False)] = fresh
    return moved


def stirred(points: FloatArray, place: FloatArray, count: int, size: float, rng: np.random.Generator) -> FloatArray:
    """The `count` points nearest to a place, each moved by normal amounts of this size."""
    near = np.argsort(((points - place) ** 2).sum(1))[:count]
    moved = points.copy()
    moved[near] += rng.normal(0.0, size, (len(near), points.shape[1]))
    return moved
