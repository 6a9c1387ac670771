# ruff: noqa: C901 compiled: plain loops
"""How many constants of a structure count: the rank of its derivatives by them, exactly, modulo a prime.

Where the rank is below the number of constants, constants can move along a curve without any change of the function.
A shift that can so be brought to 0, or a scale to 1, needs no operation: a shorter structure gives the same functions.
"""

from typing import NamedTuple

import numpy as np

from evolve.symbolic.enumerate_field import ONE, ZERO, WordArray, inverse, mixed, negated, plus, times
from evolve.symbolic.enumerate_forms import DIFFERENCE, QUOTIENT, RECIPROCAL, SCALE, SHIFT, SUM
from evolve.symbolic.kernel import compiled
from evolve.symbolic.tape import IntArray


class Probe(NamedTuple):
    """Arrays for the derivatives of one structure."""

    values: WordArray  # (registers,)
    slopes: WordArray  # (registers,): derivatives of the output
    quotients: WordArray  # (operations,): the inverse of what the step divides by
    matrix: WordArray  # (constants, constants): a row for each point, a column for each constant
    pivots: IntArray


def allocate_probe(n: int, n_inputs: int) -> Probe:
    """Arrays for structures of `n` steps."""
    return Probe(
        np.zeros(n + n_inputs, np.uint64),
        np.zeros(n + n_inputs, np.uint64),
        np.zeros(n, np.uint64),
        np.zeros((n, n), np.uint64),
        np.zeros(n, np.int64),
    )


@compiled
def _constant(i: int) -> np.uint64:
    return mixed(np.uint64(12345), i)


@compiled
def _forward(probe: Probe, steps: IntArray, n: int, n_inputs: int, point: int) -> None:
    values = probe.values
    for r in range(n_inputs):
        values[r] = mixed(np.uint64(777 + r), point)
    for i in range(n):
        kind, left, row = steps[i, 0], values[steps[i, 1]], n_inputs + i
        if kind == SHIFT:
            values[row] = plus(left, _constant(i))
        elif kind == SCALE:
            values[row] = times(left, _constant(i))
        elif kind == RECIPROCAL:
            probe.quotients[i] = inverse(left)
            values[row] = times(probe.quotients[i], _constant(i))
        elif kind == SUM:
            values[row] = plus(left, values[steps[i, 2]])
        elif kind == DIFFERENCE:
            values[row] = plus(left, negated(values[steps[i, 2]]))
        elif kind == QUOTIENT:
            probe.quotients[i] = inverse(values[steps[i, 2]])
            values[row] = times(left, probe.quotients[i])
        else:
            values[row] = times(left, values[steps[i, 2]])


@compiled
def _backward(probe: Probe, steps: IntArray, n: int, n_inputs: int, line: int) -> int:
    """Write the derivatives by the constants, last step first, as a row of the matrix; returns their number."""
    values, slopes = probe.values, probe.slopes
    for r in range(n_inputs + n):
        slopes[r] = ZERO
    slopes[n_inputs + n - 1] = ONE
    k = 0
    for i in range(n - 1, -1, -1):
        kind, a, b = steps[i, 0], steps[i, 1], steps[i, 2]
        slope = slopes[n_inputs + i]
        if kind == SHIFT:
            probe.matrix[line, k] = slope
            slopes[a] = plus(slopes[a], slope)
        elif kind == SCALE:
            probe.matrix[line, k] = times(slope, values[a])
            slopes[a] = plus(slopes[a], times(slope, _constant(i)))
        elif kind == RECIPROCAL:
            slope = times(slope, probe.quotients[i])
            probe.matrix[line, k] = slope
            slopes[a] = plus(slopes[a], negated(times(slope, values[n_inputs + i])))
        elif kind in (SUM, DIFFERENCE):
            slopes[a] = plus(slopes[a], slope)
            slopes[b] = plus(slopes[b], slope if kind == SUM else negated(slope))
        elif kind == QUOTIENT:
            slope = times(slope, probe.quotients[i])
            slopes[a] = plus(slopes[a], slope)
            slopes[b] = plus(slopes[b], negated(times(slope, values[n_inputs + i])))
        else:
            slopes[a] = plus(slopes[a], times(slope, values[b]))
            slopes[b] = plus(slopes[b], times(slope, values[a]))
        k += 1 if kind <= RECIPROCAL else 0
    return k


@compiled
def _reduce(probe: Probe, k: int) -> int:
    """Bring the matrix to reduced echelon form; `pivots` has the row of each column's pivot or -1. The rank."""
    m, rank = probe.matrix, 0
    for column in range(k):
        probe.pivots[column] = -1
        row = rank
        while row < k and m[row, column] == ZERO:
            row += 1
        if row == k:
            continue
        scale = inverse(m[row, column])
        for j in range(k):
            value = times(m[row, j], scale)
            m[row, j] = m[rank, j]
            m[rank, j] = value
        for other in range(k):
            share = m[other, column]
            if other != rank and share != ZERO:
                for j in range(column, k):
                    m[other, j] = plus(m[other, j], negated(times(share, m[rank, j])))
        probe.pivots[column] = rank
        rank += 1
    return rank


@compiled
def is_redundant(probe: Probe, steps: IntArray, n: int, n_inputs: int) -> bool:
    """Whether a shift or a scale can be left out and the other constants make up for it."""
    k = 0
    for i in range(n):
        if steps[i, 0] <= RECIPROCAL:
            k += 1
    for point in range(k):
        _forward(probe, steps, n, n_inputs, point)
        _backward(probe, steps, n, n_inputs, point)
    rank = _reduce(probe, k)
    if rank == k:
        return False
    column = 0
    for i in range(n - 1, -1, -1):
        kind = steps[i, 0]
        if kind > RECIPROCAL:
            continue
        if kind != RECIPROCAL:
            row = probe.pivots[column]
            if row < 0:
                return True
            for j in range(k):
                if probe.pivots[j] < 0 and probe.matrix[row, j] != ZERO:
                    return True
        column += 1
    return False
