"""Least squares in double-double arithmetic, for systems whose columns are dependent to all digits of float64."""

from typing import NamedTuple

import numpy as np

from evolve.symbolic.kernel import compiled
from evolve.symbolic.pairs import add_pairs, divide_pairs, multiply_pairs
from evolve.symbolic.tape import FloatArray, IntArray

DEPENDENT = 1e-27
"""A column whose part that is new is smaller than this part of it counts as dependent: its unknown is 0."""


class Solution(NamedTuple):
    """Factors as sums of float64 numbers, and the columns found dependent on others, whose factors are 0."""

    highs: FloatArray
    lows: FloatArray
    dependent: IntArray


def least_squares(columns: FloatArray, columns_low: FloatArray, goal: FloatArray) -> Solution:
    """Factors with which the columns (unknowns, rows) come nearest to the goal."""
    n = len(columns)
    scale = np.linalg.norm(columns, axis=1)
    scale = np.exp2(np.round(np.log2(np.where(scale > 0.0, scale, 1.0))))
    size = float(np.abs(goal).max())
    if not np.isfinite(size):
        return Solution(np.zeros(n), np.zeros(n), np.zeros(0, np.int64))
    size = float(np.exp2(np.round(np.log2(size)))) if size > 0.0 else 1.0
    order, zero = np.arange(n), np.zeros_like(goal)
    room = Room(np.zeros((n, n)), np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n))
    rank = _solve(columns / scale[:, None], columns_low / scale[:, None], goal / size, zero, order, room)
    return Solution(room.x * size / scale, room.x_low * size / scale, order[rank:])


class Room(NamedTuple):
    """What `_solve` writes: the triangle, the goal's factors by orthogonal columns, and by the columns themselves."""

    r: FloatArray
    r_low: FloatArray
    z: FloatArray
    z_low: FloatArray
    x: FloatArray
    x_low: FloatArray


@compiled
def _inner(a: FloatArray, a_low: FloatArray, b: FloatArray, b_low: FloatArray) -> tuple[float, float]:
    high, low = 0.0, 0.0
    for p in range(a.size):
        product, product_low = multiply_pairs(a[p], a_low[p], b[p], b_low[p])
        high, low = add_pairs(high, low, product, product_low)
    return high, low


@compiled
def _take_away(
    a: FloatArray, a_low: FloatArray, factor: float, factor_low: float, b: FloatArray, b_low: FloatArray
) -> None:
    for p in range(a.size):
        product, product_low = multiply_pairs(factor, factor_low, b[p], b_low[p])
        a[p], a_low[p] = add_pairs(a[p], a_low[p], -product, -product_low)


@compiled
def _solve(
    q: FloatArray,
    q_low: FloatArray,
    goal: FloatArray,
    goal_low: FloatArray,
    order: IntArray,
    room: Room,
) -> int:
    """Modified Gram-Schmidt with pivoting, without square roots; the goal is treated as one more column.

    Returns the number of columns that are not dependent: those are the first in `order`.
    """
    r, r_low, z, z_low, x, x_low = room
    n, rank = len(q), 0
    for k in range(n):
        best, largest = k, -1.0
        for j in range(k, n):
            norm = 0.0
            for p in range(q.shape[1]):
                norm += q[order[j], p] * q[order[j], p]
            if norm > largest:
                best, largest = j, norm
        order[k], order[best] = order[best], order[k]
        if not largest > DEPENDENT * DEPENDENT:
            break
        rank, a = k + 1, order[k]
        size, size_low = _inner(q[a], q_low[a], q[a], q_low[a])
        for j in range(k + 1, n):
            b = order[j]
            high, low = _inner(q[a], q_low[a], q[b], q_low[b])
            high, low = divide_pairs(high, low, size, size_low)
            r[a, b], r_low[a, b] = high, low
            _take_away(q[b], q_low[b], high, low, q[a], q_low[a])
        high, low = _inner(q[a], q_low[a], goal, goal_low)
        high, low = divide_pairs(high, low, size, size_low)
        z[a], z_low[a] = high, low
        _take_away(goal, goal_low, high, low, q[a], q_low[a])
    for k in range(rank - 1, -1, -1):
        a = order[k]
        high, low = z[a], z_low[a]
        for j in range(k + 1, rank):
            b = order[j]
            product, product_low = multiply_pairs(r[a, b], r_low[a, b], x[b], x_low[b])
            high, low = add_pairs(high, low, -product, -product_low)
        x[a], x_low[a] = high, low
    return rank


@compiled
def product_of_pairs(a: FloatArray, a_low: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Numbers of several rows times float64 weights."""
    high, low = np.empty_like(a), np.empty_like(a)
    for i in range(len(a)):
        for p in range(a.shape[1]):
            high[i, p], low[i, p] = multiply_pairs(a[i, p], a_low[i, p], weights[p], 0.0)
    return high, low


@compiled
def mean_of_pairs(
    a: FloatArray, a_low: FloatArray, points: IntArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weighted sums of the numbers of each row at some points: (rows, places) for (places, few) weights."""
    high, low = np.zeros((len(a), len(points))), np.zeros((len(a), len(points)))
    for i in range(len(a)):
        for place in range(len(points)):
            for k in range(points.shape[1]):
                p = points[place, k]
                product, product_low = multiply_pairs(a[i, p], a_low[i, p], weights[place, k], 0.0)
                high[i, place], low[i, place] = add_pairs(high[i, place], low[i, place], product, product_low)
    return high, low


@compiled
def sum_of_pairs(a: FloatArray, a_low: FloatArray, factors: FloatArray, factors_low: FloatArray) -> FloatArray:
    """The rows' sum with a factor each, rounded to float64."""
    total = np.zeros(a.shape[1])
    for p in range(a.shape[1]):
        high, low = 0.0, 0.0
        for i in range(len(a)):
            product, product_low = multiply_pairs(a[i, p], a_low[i, p], factors[i], factors_low[i])
            high, low = add_pairs(high, low, product, product_low)
        total[p] = high + low
    return total
