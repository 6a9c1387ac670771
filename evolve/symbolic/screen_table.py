"""The values of all small expressions at a few points: what a screen of millions of programs is combined from.

Expressions come in the order of their operations; of those with equal values only the first stays. Every value is
computed on the CPU by the interpreter of the search: screens on other devices begin with the same bits.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.moves import Grammar
from evolve.symbolic.tape import FloatArray, IntArray, forward, is_unary
from sandbox.symbolic.vocabulary import OP_ADD, OP_MAX, OP_MIN, OP_MUL, OP_NEG, OP_SUB

CONSTANTS: Final = (1.0, 2.0, 0.5, float(np.pi))
"""Constants that expressions are made of; a fit changes them later."""

MOST_POINTS: Final = 64
MOST_MADE: Final = 100_000
"""Expressions of one number of operations that are made at most, drawn at random where there are more."""

LARGEST: Final = 1e9
LEAST_SPREAD: Final = 1e-6
"""A value that varies by no more than this part of its size is as good as constant."""

LEAF: Final = -1
SYMMETRIC: Final = frozenset({OP_ADD, OP_MUL, OP_MIN, OP_MAX, OP_SUB})
"""Operations of which one order of operands is tried; a difference changes its sign only, which a factor undoes."""

_BITS_APART: Final = 20  # values that agree to so many of their last bits are taken as equal


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTable:
    """Expressions as rows: inputs, constants, then operations on earlier rows.

    `tape[row]` is (opcode, left, right), the opcode `LEAF` for the first `n_inputs + len(CONSTANTS)` rows; the right
    row of an operation on one value is its left one. `size[row]` counts operations, `n_constants[row]` constants.
    """

    values: FloatArray  # (rows, points)
    tape: IntArray  # (rows, 3)
    size: IntArray  # (rows,)
    n_constants: IntArray  # (rows,)
    n_inputs: int

    @property
    def n_leaves(self) -> int:
        """Rows that are no operations."""
        return self.n_inputs + len(CONSTANTS)

    @property
    def varying(self) -> IntArray:
        """The rows that depend on an input."""
        rows = np.arange(len(self.size))
        return rows[(rows < self.n_inputs) | (rows >= self.n_leaves)]


def chosen_points(target: FitTarget) -> IntArray:
    """Positions of a power of two of the target's points, evenly chosen."""
    n = target.values.size
    count = MOST_POINTS
    while count > n:
        count //= 2
    return np.round(np.linspace(0, n - 1, count)).astype(np.int64)


def value_table(target: FitTarget, grammar: Grammar, *, n_rows: int, rng: np.random.Generator) -> ValueTable:
    """About `n_rows` expressions, the smallest first; of the largest, those with few constants, then some at random."""
    points = np.atleast_2d(target.points)[:, chosen_points(target)].astype(np.float64)
    constants = np.repeat(np.array(CONSTANTS)[:, None], points.shape[1], axis=1)
    table = ValueTable(
        values=np.ascontiguousarray(np.concatenate([points, constants])),
        tape=np.full((len(points) + len(CONSTANTS), 3), LEAF),
        size=np.zeros(len(points) + len(CONSTANTS), np.int64),
        n_constants=np.repeat([0, 1], [len(points), len(CONSTANTS)]),
        n_inputs=len(points),
    )
    seen = set(_fingerprints(table.values).tolist())
    while len(table.size) < n_rows:
        larger = _next_size(table, grammar, seen, rng, n_rows - len(table.size))
        if len(larger.size) == len(table.size):
            break
        table = larger
    return table


def _next_size(table: ValueTable, grammar: Grammar, seen: set[int], rng: np.random.Generator, room: int) -> ValueTable:
    """The table with new expressions of one operation more than its largest."""
    size = int(table.size[-1]) + 1
    tape = _candidates(table, grammar, size)
    if len(tape) > MOST_MADE:
        tape = tape[np.sort(rng.permutation(len(tape))[:MOST_MADE])]
    n, n_points = len(table.size), table.values.shape[1]
    values = np.concatenate([table.values, np.zeros((len(tape), n_points))])
    forward(tape, len(tape), n, values, n_points)
    made = values[n:]
    kept = np.flatnonzero(_is_useful(made))
    marks = _fingerprints(made[kept])
    _, first = np.unique(marks, return_index=True)
    fresh = [position for position in np.sort(first).tolist() if int(marks[position]) not in seen]
    n_constants = table.n_constants[tape[kept, 1]] + np.where(
        _is_unary(tape[kept]), 0, table.n_constants[tape[kept, 2]]
    )
    if len(fresh) > room:
        drawn = rng.permutation(fresh)
        fresh = sorted(drawn[np.argsort(n_constants[drawn], kind="stable")[:room]].tolist())
    seen.update(marks[fresh].tolist())
    kept = kept[fresh]
    return ValueTable(
        values=np.concatenate([table.values, made[kept]]),
        tape=np.concatenate([table.tape, tape[kept]]),
        size=np.concatenate([table.size, np.full(len(kept), size)]),
        n_constants=np.concatenate([table.n_constants, n_constants[fresh]]),
        n_inputs=table.n_inputs,
    )


def _candidates(table: ValueTable, grammar: Grammar, size: int) -> IntArray:
    """Every operation whose operands have `size - 1` operations together."""
    of_size = [np.flatnonzero(table.size == k) for k in range(size)]
    parts = []
    for opcode in grammar.unary.tolist():
        if opcode != OP_NEG:
            parts.append(_rows(opcode, of_size[size - 1], of_size[size - 1]))
    for opcode in grammar.binary.tolist():
        for k in range(size):
            left, right = (each.ravel() for each in np.meshgrid(of_size[k], of_size[size - 1 - k], indexing="ij"))
            wanted = left <= right if opcode in SYMMETRIC else left != right
            parts.append(_rows(opcode, left[wanted], right[wanted]))
    return np.concatenate(parts) if parts else np.zeros((0, 3), np.int64)


def _rows(opcode: int, left: IntArray, right: IntArray) -> IntArray:
    return np.stack([np.full(len(left), opcode), left, right], axis=1)


def _is_unary(tape: IntArray) -> npt.NDArray[np.bool_]:
    """Whether rows are operations on one value."""
    return np.array([is_unary(opcode) for opcode in tape[:, 0].tolist()], dtype=bool)


def _is_useful(values: FloatArray) -> npt.NDArray[np.bool_]:
    with np.errstate(all="ignore"):
        size = np.abs(values).max(axis=1)
        spread = values.max(axis=1) - values.min(axis=1)
        useful: npt.NDArray[np.bool_] = (size < LARGEST) & (spread > LEAST_SPREAD * size)
    return useful


def _fingerprints(values: FloatArray) -> npt.NDArray[np.uint64]:
    """A number for each row, equal where the values agree to about nine digits (unless that is at a border)."""
    words = np.ascontiguousarray(values + 0.0).view(np.uint64)  # both zeros are one
    words = (words + np.uint64(1 << (_BITS_APART - 1))) >> np.uint64(_BITS_APART)
    marks = np.zeros(len(values), np.uint64)
    for column in range(words.shape[1]):
        marks = (marks ^ words[:, column]) * np.uint64(0x9E3779B97F4A7C15)
        marks ^= marks >> np.uint64(29)
    return marks
