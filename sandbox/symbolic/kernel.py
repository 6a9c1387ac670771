"""The interpreter's inner loops, compiled by numba. Indices are unsigned: signed ones keep loops from vectorising."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.extending import intrinsic

# The operations, one number for each kind of row (see `ProgramBatch`). Few kinds on purpose: a special loop for a plain
# sum saves less than the extra jumps cost. They are in this file because numba's cache does not see others change.

# Two registers.
ADD: Final = 0
SUB: Final = 1
MUL: Final = 2
DIV: Final = 3
MIN: Final = 4
MAX: Final = 5

# A register and the row's constants.
AFFINE: Final = 6
DIV_CONSTANT: Final = 7
CONSTANT_DIV: Final = 8
MIN_CONSTANT: Final = 9
MAX_CONSTANT: Final = 10
FILL: Final = 11

# One register.
ABS: Final = 12
SQRT: Final = 13
EXP: Final = 14
LOG: Final = 15
SIN: Final = 16
COS: Final = 17
TANH: Final = 18

LAST_OF_TWO: Final = MAX
LAST_WITH_CONSTANT: Final = FILL
SCALING: Final = frozenset({ADD, SUB, MUL, DIV, AFFINE, DIV_CONSTANT, CONSTANT_DIV})
"""The operations whose rows scale and shift their result."""

Floats = npt.NDArray[np.floating[Any]]
Index = np.uint64
Code = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]
"""Rows, lengths, outputs and constants of a batch."""

Row = tuple[Any, Index, Index, Index]
"""Operation, and where the target, the left and the right register begin."""

Three = tuple[Any, Any, Any]
"""A row's constants: operand, scale, shift."""

BLOCK: Final = 512
"""Points per block: a handful of registers of this length fit a 32 KiB first-level cache."""

STRIDE: Final = BLOCK + 24
"""From one register to the next: a whole number of cache lines, not a multiple of a page."""


def _bits(_context: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(number), generate


_positive_bits: Any = intrinsic(_bits)
"""The bits of a float64 that is not negative, as an integer.

Their order is the order of the numbers, with infinity above them and NaN on top: a maximum over them is exact, loses no
NaN and compiles to vector instructions, which a maximum of floats does not.
"""


_inlined = njit(nogil=True, error_model="numpy", inline="always")


@_inlined
def _two_registers(row: Row, registers: Floats, constants: Three, n: Index) -> None:
    operation, d, a, b = row
    _, scale, shift = constants
    if operation == ADD:
        for i in range(n):
            registers[d + i] = (registers[a + i] + registers[b + i]) * scale + shift
    elif operation == SUB:
        for i in range(n):
            registers[d + i] = (registers[a + i] - registers[b + i]) * scale + shift
    elif operation == MUL:
        for i in range(n):
            registers[d + i] = (registers[a + i] * registers[b + i]) * scale + shift
    elif operation == DIV:
        for i in range(n):
            registers[d + i] = (registers[a + i] / registers[b + i]) * scale + shift
    else:
        _extreme(operation == MIN, registers, d, a, b, n)


@_inlined
def _extreme(smaller: bool, registers: Floats, d: Index, a: Index, b: Index, n: Index) -> None:
    """Minimum or maximum with NaN winning, as numpy has it."""
    if smaller:
        for i in range(n):
            left, right = registers[a + i], registers[b + i]
            registers[d + i] = left if left <= right or left != left else right
    else:
        for i in range(n):
            left, right = registers[a + i], registers[b + i]
            registers[d + i] = left if left >= right or left != left else right


@_inlined
def _with_constant(row: Row, registers: Floats, constants: Three, n: Index) -> None:
    operation, d, a, _ = row
    constant, scale, shift = constants
    if operation == AFFINE:
        for i in range(n):
            registers[d + i] = registers[a + i] * scale + shift
    elif operation == DIV_CONSTANT:
        for i in range(n):
            registers[d + i] = (registers[a + i] / constant) * scale + shift
    elif operation == CONSTANT_DIV:
        for i in range(n):
            registers[d + i] = (constant / registers[a + i]) * scale + shift
    elif operation == FILL:
        for i in range(n):
            registers[d + i] = constant
    else:
        _extreme_with_constant(operation == MIN_CONSTANT, registers, d, a, constant, n)


@_inlined
def _extreme_with_constant(smaller: bool, registers: Floats, d: Index, a: Index, constant: Any, n: Index) -> None:
    for i in range(n):
        left = registers[a + i]
        chosen = left <= constant if smaller else left >= constant
        registers[d + i] = left if chosen or left != left else constant


@_inlined
def _one_register(row: Row, registers: Floats, n: Index) -> None:  # noqa: C901, PLR0912 - one loop per function
    operation, d, a, _ = row
    if operation == ABS:
        for i in range(n):
            registers[d + i] = abs(registers[a + i])
    elif operation == SQRT:
        for i in range(n):
            registers[d + i] = np.sqrt(registers[a + i])
    elif operation == EXP:
        for i in range(n):
            registers[d + i] = np.exp(registers[a + i])
    elif operation == LOG:
        for i in range(n):
            registers[d + i] = np.log(registers[a + i])
    elif operation == SIN:
        for i in range(n):
            registers[d + i] = np.sin(registers[a + i])
    elif operation == COS:
        for i in range(n):
            registers[d + i] = np.cos(registers[a + i])
    else:
        for i in range(n):
            registers[d + i] = np.tanh(registers[a + i])


@_inlined
def _run_program(p: int, code: Code, registers: Floats, n: Index) -> Index:
    """Run one program over the block in the input registers; where its output lies."""
    rows, lengths, outputs, constants = code
    stride = Index(STRIDE)
    for k in range(lengths[p]):
        operation = rows[p, k, 0]
        row = operation, Index(rows[p, k, 1]) * stride, Index(rows[p, k, 2]) * stride, Index(rows[p, k, 3]) * stride
        three = constants[p, k, 0], constants[p, k, 1], constants[p, k, 2]
        if operation <= LAST_OF_TWO:
            _two_registers(row, registers, three, n)
        elif operation <= LAST_WITH_CONSTANT:
            _with_constant(row, registers, three, n)
        else:
            _one_register(row, registers, n)
    return Index(outputs[p]) * stride


@_inlined
def _largest_error(registers: Floats, d: Index, target: Floats, weights: Floats, start: Index, n: Index) -> Any:
    largest = _positive_bits(0.0)
    for i in range(n):
        error = abs((np.float64(registers[d + i]) - target[start + i]) * weights[start + i])
        largest = max(largest, _positive_bits(error))
    return largest


@njit(nogil=True, error_model="numpy", cache=True)
def run_blocks(  # noqa: PLR0913, PLR0917 - the arrays of one batch
    code: Code, points: Floats, target: Floats, weights: Floats, registers: Floats, outputs: Floats, errors: Any
) -> None:
    """Run every program over every block of points.

    Fills `outputs` with the values if it has rows, else raises `errors` (bits of a float64) to the largest error.
    """
    n_points = points.shape[1]
    for begin in range(0, n_points, BLOCK):
        start, n = Index(begin), Index(min(BLOCK, n_points - begin))
        for k in range(points.shape[0]):
            offset = Index(k) * Index(STRIDE)
            for i in range(n):
                registers[offset + i] = points[k, start + i]
        for p in range(errors.shape[0]):
            d = _run_program(p, code, registers, n)
            if outputs.shape[0] > 0:
                for i in range(n):
                    outputs[p, start + i] = registers[d + i]
            else:
                errors[p] = max(errors[p], _largest_error(registers, d, target, weights, start, n))
