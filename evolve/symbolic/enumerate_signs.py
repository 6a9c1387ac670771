# ruff: noqa: PLR0912 compiled: one branch a kind of step
"""Signs of structures: u + c and c - u, a - b and b - a are one step until the structure is done.

A structure is enumerated with its values up to sign. Which of its steps are then written with a minus is settled here:
once for f, and once more for -f where that is another family of functions.
"""

import numpy as np
import numpy.typing as npt

from evolve.symbolic.enumerate_forms import DIFFERENCE, PRODUCT, QUOTIENT, RECIPROCAL, SCALE, SHIFT, SQUARE, SUM
from evolve.symbolic.kernel import compiled
from evolve.symbolic.normal_form import CONSTANT
from evolve.symbolic.tape import IntArray
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL, OP_SUB

CodeArray = npt.NDArray[np.int8]


@compiled
def _set_signs(steps: IntArray, signs: IntArray, n: int, n_inputs: int, pattern: int) -> int:
    """Let registers stand for the negative of their values; returns what becomes of the structure.

    A step with a constant, a sum and a difference may have either sign, as a bit of `pattern` says; a product has that
    of its factors. 0: this cannot be written. 1: signs of steps change. 2: only constants change.
    """
    same = True
    for i in range(n):
        kind, left, right = steps[i, 0], signs[steps[i, 1]], signs[steps[i, 2]]
        chosen = -1 if pattern >> i & 1 else 1
        if kind in (PRODUCT, SQUARE, QUOTIENT):
            if chosen < 0:  # patterns are of those steps that choose
                return 0
            chosen = left * right
        elif kind == SUM:
            if left != chosen and right != chosen:
                return 0
            same = same and left == chosen and right == chosen
        elif kind == DIFFERENCE:
            if left != chosen and right == chosen:
                return 0
            same = same and left == chosen and right == chosen
        elif kind == SHIFT:
            same = same and left == chosen
        signs[n_inputs + i] = chosen
    return 2 if same else 1


@compiled
def _differences(steps: IntArray, signs: IntArray, n: int, n_inputs: int) -> int:
    """Which steps are written with a minus with the signs in `signs`, as bits; those with constants first."""
    bits = 0
    for i in range(n):
        kind = steps[i, 0]
        if kind in (SUM, DIFFERENCE):
            differ = signs[steps[i, 1]] != signs[steps[i, 2]]
            if differ != (kind == DIFFERENCE):
                bits |= 1 << i
        elif kind == SHIFT and signs[n_inputs + i] != signs[steps[i, 1]]:
            bits |= 1 << (n + i)
    return bits


@compiled
def negation(steps: IntArray, signs: IntArray, n: int, n_inputs: int) -> int:
    """How -f is had where f is the structure: 2 by other constants, 1 by other signs (left in `signs`), 0 not.

    -1 if other signs make the same family with more sums in place of differences: that structure stands for it.
    """
    found, chosen, own = 0, 0, 0
    for r in range(n_inputs):
        signs[r] = 1
    for pattern in range(1 << n):
        fits = _set_signs(steps, signs, n, n_inputs, pattern)
        if fits == 0:
            continue
        bits = _differences(steps, signs, n, n_inputs)
        if pattern == 0:
            own = bits
        elif bits < own:
            return -1
        if fits > found and signs[n_inputs + n - 1] < 0:
            found, chosen = fits, pattern
    _set_signs(steps, signs, n, n_inputs, chosen)
    return found


@compiled
def write_code(steps: IntArray, signs: IntArray, n: int, n_inputs: int, code: CodeArray) -> None:
    """Write the structure with the signs in `signs` as a genome's code."""
    for i in range(n):
        kind, a, b = steps[i, 0], steps[i, 1], steps[i, 2]
        sign, left = signs[n_inputs + i], signs[a]
        if kind == SHIFT:
            if sign == left:
                code[i, 0], code[i, 1], code[i, 2] = OP_ADD, a, CONSTANT
            else:
                code[i, 0], code[i, 1], code[i, 2] = OP_SUB, CONSTANT, a
        elif kind == SCALE:
            code[i, 0], code[i, 1], code[i, 2] = OP_MUL, a, CONSTANT
        elif kind == RECIPROCAL:
            code[i, 0], code[i, 1], code[i, 2] = OP_DIV, CONSTANT, a
        elif kind in (PRODUCT, SQUARE):
            code[i, 0], code[i, 1], code[i, 2] = OP_MUL, a, b
        elif kind == QUOTIENT:
            code[i, 0], code[i, 1], code[i, 2] = OP_DIV, a, b
        else:
            right = signs[b] if kind == SUM else -signs[b]
            if sign == left and sign == right:
                code[i, 0], code[i, 1], code[i, 2] = OP_ADD, a, b
            elif sign == left:
                code[i, 0], code[i, 1], code[i, 2] = OP_SUB, a, b
            else:
                code[i, 0], code[i, 1], code[i, 2] = OP_SUB, b, a
