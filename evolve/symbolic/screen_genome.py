"""From a pair that a screen found to the program that it stands for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from evolve.symbolic.normal_form import CONSTANT, UNUSED
from evolve.symbolic.screen_pairs import FIRST_ALONE
from evolve.symbolic.screen_table import CONSTANTS, ValueTable
from evolve.symbolic.screen_targets import NONE, SQUARE, Targets
from evolve.symbolic.tape import FloatArray, IntArray, is_unary
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL, OP_SUB

NOTHING: Final = 1e-7
"""A term this small beside the target's values, or a factor this near to 1, is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A pair that fits: rows of the table, the opcode that joins them, the target's number, and the score."""

    score: float
    opcode: int
    left: int
    right: int
    target: int


def genomes(found: Found, table: ValueTable, targets: Targets) -> Iterator[tuple[IntArray, FloatArray]]:
    """The program as code and constants of a genome, not in normal form yet; and without parts that are nothing."""
    factor, term = _least_squares(found, table, targets)
    outer = targets.outer[found.target]
    yield _program(found, table, outer, factor, term)
    scale = float(np.abs(targets.plain[found.target]).max())
    is_factor, is_term = abs(factor - 1.0) >= NOTHING, abs(term) >= NOTHING * scale
    if not (is_factor and is_term):
        yield _program(found, table, outer, factor if is_factor else None, term if is_term else None)


def _least_squares(found: Found, table: ValueTable, targets: Targets) -> tuple[float, float]:
    """The factor and the term that bring the pair nearest to its target."""
    value, wanted = _joined(found, table), targets.plain[found.target]
    rest = value - value.mean()
    factor = float((rest * wanted).sum() / (rest * rest).sum())
    return factor, float(wanted.mean() - factor * value.mean())


def _joined(found: Found, table: ValueTable) -> FloatArray:
    left, right = table.values[found.left], table.values[found.right]
    joined: FloatArray = {
        FIRST_ALONE: lambda: left,
        OP_ADD: lambda: left + right,
        OP_SUB: lambda: left - right,
        OP_MUL: lambda: left * right,
        OP_DIV: lambda: left / right,
    }[found.opcode]()
    return joined


def _program(
    found: Found, table: ValueTable, outer: int, factor: float | None, term: float | None
) -> tuple[IntArray, FloatArray]:
    writer = _Writer(table)
    last = writer.register(found.left)
    if found.opcode != FIRST_ALONE:
        last = writer.add(found.opcode, last, writer.register(found.right))
    if factor is not None:
        last = writer.add(OP_MUL, last, CONSTANT, 0.0, factor)
    if term is not None:
        last = writer.add(OP_ADD, last, CONSTANT, 0.0, term)
    if outer == OP_DIV:
        writer.add(OP_DIV, CONSTANT, last, 1.0)
    elif outer == SQUARE:
        writer.add(OP_MUL, last, last)
    elif outer != NONE:
        writer.add(outer, last, UNUSED)
    return np.array(writer.code, np.int64).reshape(-1, 3), np.array(writer.constants).reshape(-1, 2)


class _Writer:
    """Writes instructions of a genome, every row of the table once."""

    def __init__(self, table: ValueTable) -> None:
        self.code: list[tuple[int, int, int]] = []
        self.constants: list[tuple[float, float]] = []
        self._table = table
        self._register_of = {row: row for row in range(table.n_inputs)}

    def add(self, opcode: int, left: int, right: int, a: float = 0.0, b: float = 0.0) -> int:
        """One instruction, with the values of operands that are constants; the register of its result."""
        self.code.append((opcode, left, right))
        self.constants.append((a, b))
        return self._table.n_inputs + len(self.code) - 1

    def register(self, row: int) -> int:
        """The register that holds a row which is no constant; its instructions are written if they are not there."""
        if row not in self._register_of:
            opcode, left, right = self._table.tape[row].tolist()
            (first, a), (second, b) = self._operand(left), self._operand(right)
            self._register_of[row] = self.add(opcode, first, UNUSED if is_unary(opcode) else second, a, b)
        return self._register_of[row]

    def _operand(self, row: int) -> tuple[int, float]:
        """The operand of a row, and its value if it is a constant."""
        if self._table.n_inputs <= row < self._table.n_leaves:
            return CONSTANT, CONSTANTS[row - self._table.n_inputs]
        return self.register(row), 0.0
