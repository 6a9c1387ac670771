# ruff: noqa: C901, PLR0912 compiled: one branch an opcode
"""Residuals of a linked program and their derivatives in double-double arithmetic (about 31 digits), compiled.

The same rows as in `tape`, each a sum of two float64 numbers, with the arithmetic of
`sandbox.symbolic.double_double`.
"""

from typing import NamedTuple

import numpy as np

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.kernel import compiled
from evolve.symbolic.pairs import add_pairs, divide_pairs, multiply_pairs, root_pair
from evolve.symbolic.tape import FloatArray, IntArray, apply_scalar
from sandbox.symbolic.vocabulary import (
    OP_ABS,
    OP_ADD,
    OP_DIV,
    OP_MAX,
    OP_MIN,
    OP_MUL,
    OP_NEG,
    OP_SQRT,
    OP_SQUARE,
    OP_SUB,
)


class ExactTable(NamedTuple):
    """Values of a fit target's function to twice the digits, and room for a program's values."""

    target: FloatArray  # (points,)
    target_low: FloatArray
    scale: FloatArray  # what differences are multiplied by
    highs: FloatArray  # (rows, points); inputs in the first rows
    lows: FloatArray
    residual: FloatArray
    adjoints: FloatArray  # (rows, points)
    adjoint_lows: FloatArray


def exact_table(target: FitTarget, n_rows: int) -> ExactTable:
    """Room for programs of at most `n_rows` inputs, operations and constants together."""
    points, n_points = np.atleast_2d(target.points), target.values.size
    highs = np.zeros((n_rows, n_points))
    highs[: len(points)] = points
    low = np.zeros(n_points) if target.values_low is None else np.asarray(target.values_low, np.float64)
    scale = np.asarray(target.scale, np.float64)
    values = np.asarray(target.values, np.float64)
    others = (np.zeros_like(highs) for _ in range(3))
    return ExactTable(values, low, scale, highs, next(others), np.zeros(n_points), next(others), next(others))


@compiled
def _chosen(opcode: int, a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """Absolute value, minimum and maximum."""
    if opcode == OP_ABS:
        return (-a, -a_low) if a < 0.0 else (a, a_low)
    less = a < b or (a == b and a_low < b_low)
    return (a, a_low) if less == (opcode == OP_MIN) else (b, b_low)


@compiled
def _forward(tape: IntArray, n: int, first: int, highs: FloatArray, lows: FloatArray) -> bool:
    """Fill the rows of the instructions; False if one has no double-double form."""
    n_points = highs.shape[1]
    for i in range(n):
        code, a, b, row = tape[i, 0], tape[i, 1], tape[i, 2], first + i
        if code == OP_ADD:
            for p in range(n_points):
                highs[row, p], lows[row, p] = add_pairs(highs[a, p], lows[a, p], highs[b, p], lows[b, p])
        elif code == OP_SUB:
            for p in range(n_points):
                highs[row, p], lows[row, p] = add_pairs(highs[a, p], lows[a, p], -highs[b, p], -lows[b, p])
        elif code == OP_MUL:
            for p in range(n_points):
                highs[row, p], lows[row, p] = multiply_pairs(highs[a, p], lows[a, p], highs[b, p], lows[b, p])
        elif code == OP_DIV:
            for p in range(n_points):
                highs[row, p], lows[row, p] = divide_pairs(highs[a, p], lows[a, p], highs[b, p], lows[b, p])
        elif code == OP_SQUARE:
            for p in range(n_points):
                highs[row, p], lows[row, p] = multiply_pairs(highs[a, p], lows[a, p], highs[a, p], lows[a, p])
        elif code == OP_SQRT:
            for p in range(n_points):
                highs[row, p], lows[row, p] = root_pair(highs[a, p], lows[a, p])
        elif code == OP_NEG:
            for p in range(n_points):
                highs[row, p], lows[row, p] = -highs[a, p], -lows[a, p]
        elif code in (OP_ABS, OP_MIN, OP_MAX):
            for p in range(n_points):
                highs[row, p], lows[row, p] = _chosen(code, highs[a, p], lows[a, p], highs[b, p], lows[b, p])
        else:
            return False
        for p in range(n_points):
            if not abs(highs[row, p]) + abs(lows[row, p]) < np.inf:
                highs[row, p], lows[row, p] = apply_scalar(code, highs[a, p], highs[b, p]), 0.0
    return True


@compiled
def exact_residuals_of(
    tape: IntArray, n: int, n_inputs: int, constants: FloatArray, lows: FloatArray, table: ExactTable
) -> bool:
    """Errors of the linked program as of real arithmetic, into `table.residual`; False if there is no exact form."""
    first = n_inputs + n
    n_points = table.target.size
    for k in range(constants.size):
        for p in range(n_points):
            table.highs[first + k, p] = constants[k]
            table.lows[first + k, p] = lows[k]
    if not _forward(tape, n, n_inputs, table.highs, table.lows):
        return False
    last = first - 1
    for p in range(n_points):
        error = (table.highs[last, p] - table.target[p]) + (table.lows[last, p] - table.target_low[p])
        table.residual[p] = error * table.scale[p]
    return True


@compiled
def _pass_on(table: ExactTable, row: int, p: int, high: float, low: float) -> None:
    """Add to the adjoint of a row at a point."""
    table.adjoints[row, p], table.adjoint_lows[row, p] = add_pairs(
        table.adjoints[row, p], table.adjoint_lows[row, p], high, low
    )


@compiled
def exact_derivatives_of(tape: IntArray, n: int, n_inputs: int, n_constants: int, table: ExactTable) -> None:
    """Derivatives of the errors by each constant into its row of the adjoints, after `exact_residuals_of`.

    A derivative that is not finite, as where a value passes through infinity, is zero.
    """
    first, n_points = n_inputs + n, table.target.size
    highs, lows, adjoints, adjoint_lows = table.highs, table.lows, table.adjoints, table.adjoint_lows
    adjoints[: first + n_constants] = 0.0
    adjoint_lows[: first + n_constants] = 0.0
    for p in range(n_points):
        adjoints[first - 1, p] = table.scale[p]
    for i in range(n - 1, -1, -1):
        code, a, b, row = tape[i, 0], tape[i, 1], tape[i, 2], n_inputs + i
        for p in range(n_points):
            g, g_low = adjoints[row, p], adjoint_lows[row, p]
            if code == OP_ADD:
                _pass_on(table, a, p, g, g_low)
                _pass_on(table, b, p, g, g_low)
            elif code == OP_SUB:
                _pass_on(table, a, p, g, g_low)
                _pass_on(table, b, p, -g, -g_low)
            elif code == OP_MUL:
                high, low = multiply_pairs(g, g_low, highs[b, p], lows[b, p])
                other, other_low = multiply_pairs(g, g_low, highs[a, p], lows[a, p])
                _pass_on(table, a, p, high, low)
                _pass_on(table, b, p, other, other_low)
            elif code == OP_DIV:
                high, low = divide_pairs(g, g_low, highs[b, p], lows[b, p])
                _pass_on(table, a, p, high, low)
                high, low = multiply_pairs(high, low, highs[row, p], lows[row, p])
                _pass_on(table, b, p, -high, -low)
            elif code == OP_SQUARE:
                high, low = multiply_pairs(g, g_low, highs[a, p], lows[a, p])
                _pass_on(table, a, p, 2.0 * high, 2.0 * low)
            elif code == OP_SQRT:
                high, low = divide_pairs(g, g_low, 2.0 * highs[row, p], 2.0 * lows[row, p])
                _pass_on(table, a, p, high, low)
            elif code == OP_NEG or (code == OP_ABS and highs[a, p] < 0.0):
                _pass_on(table, a, p, -g, -g_low)
            else:
                taken = code == OP_ABS or (highs[row, p] == highs[a, p] and lows[row, p] == lows[a, p])
                _pass_on(table, a if taken else b, p, g, g_low)
    for row in range(first, first + n_constants):
        for p in range(n_points):
            if not abs(adjoints[row, p]) + abs(adjoint_lows[row, p]) < np.inf:
                adjoints[row, p], adjoint_lows[row, p] = 0.0, 0.0
