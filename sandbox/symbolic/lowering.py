"""From a program to the interpreter's rows; products and sums with constants join the row that made the value."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from sandbox.symbolic.canonical import live
from sandbox.symbolic.kernel import (
    ABS,
    ADD,
    AFFINE,
    CONSTANT_DIV,
    COS,
    DIV,
    DIV_CONSTANT,
    EXP,
    FILL,
    LAST_OF_TWO,
    LOG,
    MAX,
    MAX_CONSTANT,
    MIN,
    MIN_CONSTANT,
    MUL,
    SCALING,
    SIN,
    SQRT,
    SUB,
    TANH,
)
from sandbox.symbolic.program import Program
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
    Function,
    Vocabulary,
)

NO_SCALE: Final = 1.0
NO_SHIFT: Final = -0.0
"""Adding minus zero changes nothing, not even the sign of a zero."""

_OF_TWO: Final = {OP_ADD: ADD, OP_SUB: SUB, OP_MUL: MUL, OP_DIV: DIV, OP_MIN: MIN, OP_MAX: MAX}
_OF_ONE: Final = {
    OP_ABS: ABS,
    OP_SQRT: SQRT,
    OP_EXP: EXP,
    OP_LOG: LOG,
    OP_SIN: SIN,
    OP_COS: COS,
    OP_TANH: TANH,
}
_WITH_CONSTANT: Final = {OP_MIN: MIN_CONSTANT, OP_MAX: MAX_CONSTANT, OP_DIV: DIV_CONSTANT}


@dataclass(slots=True)
class Row:
    """`target = operation(left, right or constant) * scale + shift`, each step rounded."""

    operation: int
    target: int
    left: int = 0
    right: int = 0
    constant: float = 0.0
    scale: float = NO_SCALE
    shift: float = NO_SHIFT

    @property
    def is_open(self) -> bool:
        """Whether it can take another scale or shift after what it has."""
        return self.operation in SCALING and _is_no_shift(self.shift)

    @property
    def reads(self) -> tuple[int, ...]:
        """The registers it reads."""
        if self.operation == FILL:
            return ()
        return (self.left, self.right) if self.operation <= LAST_OF_TWO else (self.left,)


@dataclass(frozen=True, slots=True)
class _Register:
    number: int
    row: Row | None = None
    """The row that writes it, if that row may still be changed: nothing else reads the register."""


class Lowering:
    """One program as rows over registers, and the register of its output."""

    def __init__(self, program: Program, vocabulary: Vocabulary) -> None:
        self.rows: list[Row] = []
        self._first = len(program.inputs)
        needed = live(program)
        uses = Counter(a for i in needed for a in program.instructions[i].arguments)
        uses[program.output] += 1
        value_of: dict[int, _Register | float] = {k: _Register(k) for k in range(self._first)}
        value_of |= {-1 - k: float(constant) for k, constant in enumerate(program.constants)}
        for i in needed:
            instruction = program.instructions[i]
            arguments = [value_of[a] for a in instruction.arguments]
            value = self._lowered(vocabulary.functions[instruction.function], arguments)
            if isinstance(value, _Register) and uses[self._first + i] > 1:
                value = _Register(value.number)
            value_of[self._first + i] = value
        output = value_of[program.output]
        self.output = (output if isinstance(output, _Register) else self._row(FILL, constant=output)).number
        self.n_registers = self._first
        self._reuse_registers()

    def _lowered(self, function: Function, arguments: list[_Register | float]) -> _Register | float:
        if function.opcode < 0:
            raise ValueError(f"the function {function.name} has no compiled form: run the program with `evaluate`")
        registers = [argument for argument in arguments if isinstance(argument, _Register)]
        if not registers:
            with np.errstate(all="ignore"):
                return float(function.apply(*(np.float64(a) for a in arguments if isinstance(a, float))))
        if len(arguments) == 1:
            return self._one(function.opcode, registers[0])
        if len(registers) == 2:
            return self._row(_OF_TWO[function.opcode], registers[0].number, registers[1].number)
        constant_first = isinstance(arguments[0], float)
        constant = float(arguments[0 if constant_first else 1])  # type: ignore[arg-type]
        return self._with_constant(function.opcode, registers[0], constant, constant_first=constant_first)

    def _one(self, opcode: int, value: _Register) -> _Register:
        if opcode == OP_SQUARE:
            return self._row(MUL, value.number, value.number)
        if opcode == OP_NEG:
            return self._scaled(value, -1.0)
        return self._row(_OF_ONE[opcode], value.number)

    def _with_constant(self, opcode: int, value: _Register, constant: float, *, constant_first: bool) -> _Register:
        if opcode == OP_MUL:
            return self._scaled(value, constant)
        if opcode == OP_ADD:
            return self._shifted(value, constant)
        if opcode == OP_SUB:
            return (
                self._shifted(self._scaled(value, -1.0), constant)
                if constant_first
                else self._shifted(value, -constant)
            )
        operation = CONSTANT_DIV if opcode == OP_DIV and constant_first else _WITH_CONSTANT[opcode]
        return self._row(operation, value.number, constant=constant)

    def _scaled(self, value: _Register, factor: float) -> _Register:
        """The value times a factor: in its own row if that rounds as before, else in a new one."""
        row = value.row
        if row is None or not row.is_open or (row.scale != NO_SCALE and factor != -1.0):
            return self._scaled(self._row(AFFINE, value.number), factor)
        row.scale *= factor
        return value

    def _shifted(self, value: _Register, term: float) -> _Register:
        """The value plus a constant, in its own row if possible."""
        row = value.row
        if row is None or not row.is_open:
            return self._shifted(self._row(AFFINE, value.number), term)
        row.shift = term
        return value

    def _row(self, operation: int, left: int = 0, right: int = 0, *, constant: float = 0.0) -> _Register:
        row = Row(operation, self._first + len(self.rows), left, right, constant)
        self.rows.append(row)
        return _Register(row.target, row)

    def _reuse_registers(self) -> None:
        """Give values few registers, so that they stay in the fastest cache; inputs keep theirs."""
        last_reader = {register: row for row in self.rows for register in row.reads}
        register_of = {k: k for k in range(self._first)}
        free: list[int] = []
        for row in self.rows:
            value, reads = row.target, row.reads
            if not free:
                free.append(self.n_registers)
                self.n_registers += 1
            row.target = register_of[value] = free.pop()
            row.left, row.right = register_of.get(row.left, 0), register_of.get(row.right, 0)
            done = {read for read in reads if read >= self._first and last_reader[read] is row and read != self.output}
            free += [register_of[read] for read in sorted(done)]
        self.output = register_of[self.output]


def _is_no_shift(shift: float) -> bool:
    return shift == 0.0 and math.copysign(1.0, shift) < 0.0
