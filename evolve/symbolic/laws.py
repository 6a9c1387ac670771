"""What can be told about a structure before its constants are fitted: how it goes at x = 0, and whether it is odd.

A relative error needs a program that vanishes at x = 0 exactly as its target does. For almost all constants that is
a property of the structure alone: x has order 1 there, a constant 0, a product the sum, a sum the smaller one. Parity
is told in the same pass. A structure that breaks the target's law costs no fit.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.kernel import compiled
from evolve.symbolic.tape import IntArray
from sandbox.symbolic.vocabulary import OP_ABS, OP_ADD, OP_DIV, OP_MUL, OP_NEG, OP_SQUARE, OP_SUB

ANY_ORDER = 1 << 20  # a structure's order that is not known
CodeArray = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]

NO_LAW = (-ANY_ORDER, ANY_ORDER)
TOUCHES = 1e-4  # points this near to 0, in parts of the interval, mean that the interval begins there
NO_PARITY, ODD, EVEN = 0, 1, 2


@compiled
def _order(op: int, left: int, right: int) -> int:
    """The order of vanishing at 0 of one operation's result; `ANY_ORDER` where it is not known."""
    unary = op in (OP_NEG, OP_ABS, OP_SQUARE)
    if left == ANY_ORDER or (not unary and right == ANY_ORDER):
        return ANY_ORDER
    if op in (OP_ADD, OP_SUB):
        return min(left, right)
    if op == OP_MUL:
        return left + right
    if op == OP_DIV:
        return left - right
    if op == OP_SQUARE:
        return 2 * left
    return left if unary else ANY_ORDER


@compiled
def _parity(op: int, left: int, right: int) -> int:
    """The parity of one operation's result."""
    if op == OP_NEG:
        return left
    if op in (OP_ABS, OP_SQUARE):
        return EVEN if left != NO_PARITY else NO_PARITY
    if left == NO_PARITY or right == NO_PARITY:
        return NO_PARITY
    if op in (OP_ADD, OP_SUB):
        return left if left == right else NO_PARITY
    if op in (OP_MUL, OP_DIV):
        return EVEN if left == right else ODD
    return NO_PARITY


class Laws(NamedTuple):
    """What a structure must keep: the range of its order at x = 0, and its parity."""

    least_order: int
    most_order: int
    parity: int


def laws_of(target: FitTarget) -> Laws:
    """The laws of a target."""
    least, most = order_at_zero(target)
    return Laws(least, most, {"odd": ODD, "even": EVEN}.get(target.symmetry or "", NO_PARITY))


def order_at_zero(target: FitTarget) -> tuple[int, int]:
    """The least and the largest order at x = 0 that a program may have; `NO_LAW` where 0 is not in the interval."""
    points = np.atleast_2d(target.points)
    if points.shape[0] > 1:
        return NO_LAW
    sizes = np.abs(points[0])
    near, next_to = np.argsort(sizes, kind="stable")[:2]
    if sizes[near] == 0.0 or sizes[near] > TOUCHES * sizes.max():
        return NO_LAW
    if not target.relative:
        return 0, ANY_ORDER
    slope = np.log(abs(target.values[next_to] / target.values[near])) / np.log(sizes[next_to] / sizes[near])
    order = round(float(slope))
    return (order, order) if abs(slope - order) < 0.01 else NO_LAW


@compiled
def keeps_laws(code: IntArray, n: int, laws: Laws, with_parity: bool, scratch: IntArray) -> bool:
    """Whether a genome of one input has an order at 0 in the laws' range and, if asked for, their parity.

    An order that is not known passes. `scratch` is (2, more than n).
    """
    orders, parities = scratch[0], scratch[1]
    orders[0], parities[0] = 1, ODD
    for i in range(n):
        a, b = code[i, 1], code[i, 2]
        left, right = orders[a] if a >= 0 else 0, orders[b] if b >= 0 else 0
        orders[i + 1] = _order(code[i, 0], left, right)
        parities[i + 1] = _parity(code[i, 0], parities[a] if a >= 0 else EVEN, parities[b] if b >= 0 else EVEN)
    if orders[n] != ANY_ORDER and not laws.least_order <= orders[n] <= laws.most_order:
        return False
    return not with_parity or laws.parity == NO_PARITY or parities[n] == laws.parity


@compiled
def lawful(codes: CodeArray, laws: Laws) -> BoolArray:
    """Which of the structures (structures, operations, 3) keep the laws, parity aside."""
    n = codes.shape[1]
    kept, code = np.zeros(len(codes), np.bool_), np.zeros((n, 3), np.int64)
    scratch = np.zeros((2, n + 1), np.int64)
    for k in range(len(codes)):
        for i in range(n):
            for j in range(3):
                code[i, j] = codes[k, i, j]
        kept[k] = keeps_laws(code, n, laws, False, scratch)
    return kept
