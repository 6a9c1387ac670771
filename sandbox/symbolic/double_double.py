"""Evaluation in double-double arithmetic (about 31 digits), for errors that float64 rounding would hide.

Error-free sums and products after T. J. Dekker, 1971, https://doi.org/10.1007/BF01397083, and D. E. Knuth, The Art of
Computer Programming, volume 2, section 4.2.2; operations after Y. Hida, X. S. Li and D. H. Bailey, 2001.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.canonical import live
from sandbox.symbolic.program import Program
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
    Vocabulary,
)

Array = npt.NDArray[np.float64]
Pair = tuple[Array, Array]
"""A number as the unevaluated sum of a float64 and a much smaller one."""

_SPLITTER: Final = float(2**27 + 1)


def evaluate_double_double(program: Program, vocabulary: Vocabulary, points_hi: Array, points_lo: Array) -> Pair:
    """Values at the points `points_hi + points_lo` (each `[input, n]`) as a sum hi + lo, relative error about 1e-30.

    Constants are exact, with their low parts. Where a value overflows, divides by zero, or has a size outside about
    1e-290 .. 1e290, the result is what plain float64 gives there, with lo = 0.

    Raises:
        ValueError: the program uses a function without a double-double form (see `has_double_double`).
    """
    first = len(program.inputs)
    values: dict[int, Pair] = {k: (points_hi[k], points_lo[k]) for k in range(first)}

    def operand(k: int) -> Pair:
        if k >= 0:
            return values[k]
        n_points = points_hi.shape[1]
        return np.full(n_points, program.constants[-1 - k]), np.full(n_points, program.lows[-1 - k])

    with np.errstate(all="ignore"):
        for i in live(program):
            function = vocabulary.functions[program.instructions[i].function]
            operation = _OPERATIONS.get(function.opcode)
            if operation is None:
                raise ValueError(f"the function {function.name} has no double-double form")
            arguments = [operand(a) for a in program.instructions[i].arguments]
            hi, lo = operation(*arguments)
            plain = function.apply(*(argument[0] for argument in arguments))
            sound = np.isfinite(hi) & np.isfinite(lo)
            values[first + i] = (np.where(sound, hi, plain), np.where(sound, lo, 0.0))
        return operand(program.output)


def has_double_double(program: Program, vocabulary: Vocabulary) -> bool:
    """Whether `evaluate_double_double` can run the program."""
    return all(vocabulary.functions[program.instructions[i].function].opcode in _OPERATIONS for i in live(program))


def _sum(a: Array, b: Array) -> Pair:
    """The float64 sum and its exact rounding error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _normal(a: Array, b: Array) -> Pair:
    """The same as `_sum`, for `a` not smaller than `b`."""
    total = a + b
    return total, b - (total - a)


def _split(a: Array) -> Pair:
    high = _SPLITTER * a
    high = high - (high - a)
    return high, a - high


def _product(a: Array, b: Array) -> Pair:
    """The float64 product and its exact rounding error."""
    total = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return total, ((a_high * b_high - total) + a_high * b_low + a_low * b_high) + a_low * b_low


def _add(a: Pair, b: Pair) -> Pair:
    high, error = _sum(a[0], b[0])
    low, low_error = _sum(a[1], b[1])
    high, error = _normal(high, error + low)
    return _normal(high, error + low_error)


def _negative(a: Pair) -> Pair:
    return -a[0], -a[1]


def _subtract(a: Pair, b: Pair) -> Pair:
    return _add(a, _negative(b))


def _multiply(a: Pair, b: Pair) -> Pair:
    high, error = _product(a[0], b[0])
    return _normal(high, error + (a[0] * b[1] + a[1] * b[0]))


def _divide(a: Pair, b: Pair) -> Pair:
    """Long division: three float64 quotients, each of the remainder of the last."""
    zero = np.zeros_like(a[0])
    first = a[0] / b[0]
    remainder = _subtract(a, _multiply(b, (first, zero)))
    second = remainder[0] / b[0]
    remainder = _subtract(remainder, _multiply(b, (second, zero)))
    third = remainder[0] / b[0]
    return _add(_normal(first, second), (third, zero))


def _square_root(a: Pair) -> Pair:
    """One Newton step from the float64 root."""
    root = np.sqrt(a[0])
    zero = np.zeros_like(root)
    remainder = _subtract(a, _multiply((root, zero), (root, zero)))
    correction = np.where(root == 0.0, 0.0, remainder[0] / (2.0 * root))
    return _add((root, zero), (correction, zero))


def _choose(first: npt.NDArray[np.bool_], a: Pair, b: Pair) -> Pair:
    return np.where(first, a[0], b[0]), np.where(first, a[1], b[1])


def _is_less(a: Pair, b: Pair) -> npt.NDArray[np.bool_]:
    less: npt.NDArray[np.bool_] = np.isnan(a[0]) | (a[0] < b[0]) | ((a[0] == b[0]) & (a[1] < b[1]))
    return less


_OPERATIONS: Final[dict[int, Callable[..., Pair]]] = {
    OP_ADD: _add,
    OP_SUB: _subtract,
    OP_MUL: _multiply,
    OP_DIV: _divide,
    OP_NEG: _negative,
    OP_ABS: lambda a: _choose(a[0] < 0.0, _negative(a), a),
    OP_SQRT: _square_root,
    OP_MIN: lambda a, b: _choose(_is_less(a, b), a, b),
    OP_MAX: lambda a, b: _choose(_is_less(_negative(a), _negative(b)), a, b),
    OP_SQUARE: lambda a: _multiply(a, a),
}
