# ruff: noqa: C901, PLR0911, PLR0912 compiled: one branch an opcode
"""A linked program and its derivatives: every operand is a row of one table, one column per point.

Rows are the inputs, then the instructions, then the constants. One forward sweep fills the values; one reverse sweep
gives the derivative of the output by every constant, at the cost of about two forward sweeps whatever their number.
"""

from math import cos, exp, log, sin, sqrt, tanh

import numpy as np
import numpy.typing as npt

from evolve.symbolic.kernel import compiled
from sandbox.symbolic.vocabulary import (
    OP_ABS,
    OP_ADD,
    OP_COS,
    OP_DIV,
    OP_EXP,
    OP_LOG,
    OP_MAX,
    OP_MIN,
    OP_MUL,
    OP_NEG,
    OP_SIN,
    OP_SQRT,
    OP_SQUARE,
    OP_SUB,
    OP_TANH,
)

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

N_OPCODES = 15


@compiled
def is_unary(opcode: int) -> bool:
    """Whether the opcode reads one operand."""
    return OP_NEG <= opcode <= OP_TANH or opcode == OP_SQUARE


@compiled
def apply_scalar(opcode: int, a: float, b: float) -> float:
    """One operation on two numbers."""
    if opcode == OP_ADD:
        return a + b
    if opcode == OP_SUB:
        return a - b
    if opcode == OP_MUL:
        return a * b
    if opcode == OP_DIV:
        return a / b
    if opcode == OP_NEG:
        return -a
    if opcode == OP_ABS:
        return abs(a)
    if opcode == OP_SQRT:
        return sqrt(a) if a >= 0.0 else np.nan
    if opcode == OP_EXP:
        return exp(a)
    if opcode == OP_LOG:
        return log(a) if a > 0.0 else np.nan
    if opcode == OP_SIN:
        return sin(a)
    if opcode == OP_COS:
        return cos(a)
    if opcode == OP_TANH:
        return tanh(a)
    if opcode == OP_MIN:
        return min(a, b)
    if opcode == OP_MAX:
        return max(a, b)
    return a * a


@compiled
def forward(tape: IntArray, n: int, first: int, values: FloatArray, n_points: int) -> None:
    """Fill the rows `first .. first+n-1` of `values`; the rows of inputs and constants must be there already."""
    for i in range(n):
        code, a, b, row = tape[i, 0], tape[i, 1], tape[i, 2], first + i
        if code == OP_ADD:
            for p in range(n_points):
                values[row, p] = values[a, p] + values[b, p]
        elif code == OP_SUB:
            for p in range(n_points):
                values[row, p] = values[a, p] - values[b, p]
        elif code == OP_MUL:
            for p in range(n_points):
                values[row, p] = values[a, p] * values[b, p]
        elif code == OP_DIV:
            for p in range(n_points):
                values[row, p] = values[a, p] / values[b, p]
        else:
            for p in range(n_points):
                values[row, p] = apply_scalar(code, values[a, p], values[b, p])


@compiled
def _partial_left(code: int, a: float, b: float, value: float) -> float:
    """Derivative by the first operand of an operation other than + - * /."""
    if code == OP_NEG:
        return -1.0
    if code == OP_ABS:
        return 1.0 if a >= 0.0 else -1.0
    if code == OP_SQRT:
        return 0.5 / value
    if code == OP_EXP:
        return value
    if code == OP_LOG:
        return 1.0 / a
    if code == OP_SIN:
        return cos(a)
    if code == OP_COS:
        return -sin(a)
    if code == OP_TANH:
        return 1.0 - value * value
    if code == OP_MIN:
        return 1.0 if a <= b else 0.0
    if code == OP_MAX:
        return 1.0 if a >= b else 0.0
    return 2.0 * a


@compiled
def backward(tape: IntArray, n: int, first: int, values: FloatArray, adjoints: FloatArray, n_points: int) -> None:
    """Turn the output's row of `adjoints` (set by the caller) into the rows of all operands; all other rows start at 0.

    The rows of constants then hold the derivatives of the output by them, times what the caller put in.
    """
    for i in range(n - 1, -1, -1):
        code, a, b, row = tape[i, 0], tape[i, 1], tape[i, 2], first + i
        if code == OP_ADD:
            for p in range(n_points):
                adjoints[a, p] += adjoints[row, p]
            for p in range(n_points):
                adjoints[b, p] += adjoints[row, p]
        elif code == OP_SUB:
            for p in range(n_points):
                adjoints[a, p] += adjoints[row, p]
            for p in range(n_points):
                adjoints[b, p] -= adjoints[row, p]
        elif code == OP_MUL:
            for p in range(n_points):
                adjoints[a, p] += adjoints[row, p] * values[b, p]
            for p in range(n_points):
                adjoints[b, p] += adjoints[row, p] * values[a, p]
        elif code == OP_DIV:
            for p in range(n_points):
                adjoints[row, p] /= values[b, p]
            for p in range(n_points):
                adjoints[a, p] += adjoints[row, p]
            for p in range(n_points):
                adjoints[b, p] -= adjoints[row, p] * values[row, p]
        else:
            for p in range(n_points):
                adjoints[a, p] += adjoints[row, p] * _partial_left(code, values[a, p], values[b, p], values[row, p])
            if code in (OP_MIN, OP_MAX):
                for p in range(n_points):
                    share = 1.0 - _partial_left(code, values[a, p], values[b, p], values[row, p])
                    adjoints[b, p] += adjoints[row, p] * share
