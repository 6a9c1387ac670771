"""Typed changes to programs over any vocabulary, for problems whose constants no table can fit.

Children are live: no instruction is left that the output does not need. Constants stand for values of the type
`real`; operands of other types are always registers.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from sandbox.symbolic.canonical import live
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import Function, Vocabulary

CONSTANT_TYPE = "real"
ATTEMPTS = 40
CONSTANT_SHARE = 0.3  # how often a new operand of type `real` is a constant

_Change = Callable[["_Draft", np.random.Generator], bool]


class _Draft:
    """A program while it is changed: instructions that own their operands, constants as floats among them."""

    def __init__(self, program: Program, vocabulary: Vocabulary, input_types: Sequence[str]) -> None:
        self.vocabulary = vocabulary
        self.n_inputs = len(program.inputs)
        self.types = list(input_types)
        self.functions: list[int] = []
        self.operands: list[list[int | float]] = []
        self.output: int | float = program.output
        if program.output < 0:
            self.output = program.constants[-1 - program.output]
        for instruction in program.instructions:
            self.functions.append(instruction.function)
            self.operands.append([a if a >= 0 else program.constants[-1 - a] for a in instruction.arguments])

    def type_of(self, register: int) -> str:
        if register < self.n_inputs:
            return self.types[register]
        return self.vocabulary.functions[self.functions[register - self.n_inputs]].result_type

    def registers(self, wanted: str, limit: int) -> list[int]:
        return [r for r in range(limit) if self.type_of(r) == wanted]

    def operand(self, wanted: str, limit: int, rng: np.random.Generator) -> int | float | None:
        """A random operand of a type, reading registers below `limit`; None if there is none."""
        registers = self.registers(wanted, limit)
        if wanted == CONSTANT_TYPE and (not registers or rng.random() < CONSTANT_SHARE):
            return float(rng.choice((-1.0, 1.0)) * 2.0 ** rng.uniform(-4.0, 4.0))
        return registers[int(rng.integers(len(registers)))] if registers else None

    def slots(self) -> list[tuple[int, int]]:
        """All places that read an operand; (number of instructions, 0) is the output."""
        inner = [(i, k) for i, operands in enumerate(self.operands) for k in range(len(operands))]
        return [*inner, (len(self.functions), 0)]

    def slot_type(self, slot: tuple[int, int]) -> str:
        i, k = slot
        if i < len(self.functions):
            return self.vocabulary.functions[self.functions[i]].argument_types[k]
        return CONSTANT_TYPE if isinstance(self.output, float) else self.type_of(self.output)

    def read(self, slot: tuple[int, int]) -> int | float:
        return self.output if slot[0] == len(self.functions) else self.operands[slot[0]][slot[1]]

    def write(self, slot: tuple[int, int], operand: int | float) -> None:
        if slot[0] == len(self.functions):
            self.output = operand
        else:
            self.operands[slot[0]][slot[1]] = operand

    def open_gap(self, at: int, size: int) -> None:
        """Renumber registers for `size` instructions to come before instruction `at`."""
        first = self.n_inputs + at

        def moved(operand: int | float) -> int | float:
            return operand + size if isinstance(operand, int) and operand >= first else operand

        self.operands = [[moved(a) for a in operands] for operands in self.operands]
        self.output = moved(self.output)

    def insert(self, at: int, function: int, operands: list[int | float]) -> None:
        self.open_gap(at, 1)
        self.functions.insert(at, function)
        self.operands.insert(at, operands)

    def program(self, original: Program) -> Program:
        """The draft as a program without dead instructions."""
        constants: list[float] = []

        def slot(operand: int | float) -> int:
            if isinstance(operand, float):
                constants.append(operand)
                return -len(constants)
            return operand

        instructions = tuple(
            Instruction(f, tuple(slot(a) for a in operands))
            for f, operands in zip(self.functions, self.operands, strict=True)
        )
        output = slot(self.output)
        program = replace(original, constants=tuple(constants), instructions=instructions, output=output)
        return _without_dead(program)


def mutate(
    program: Program,
    vocabulary: Vocabulary,
    rng: np.random.Generator,
    *,
    max_operations: int,
    input_types: Sequence[str] | None = None,
) -> Program | None:
    """A changed copy of a program: another structure or other constants; None if every attempt left it as it was.

    `input_types` are the inputs' types, "real" where not given.
    """
    types = ["real"] * len(program.inputs) if input_types is None else list(input_types)
    for _ in range(ATTEMPTS):
        draft = _Draft(program, vocabulary, types)
        changes = min(1 + int(rng.geometric(0.6)), 5) - 1
        done = [_CHANGES[int(rng.choice(len(_CHANGES), p=_WEIGHTS))](draft, rng) for _ in range(changes)]
        child = draft.program(program)
        if any(done) and child != program and len(child.instructions) <= max_operations:
            return child
    return None


def crossover(
    receiver: Program,
    donor: Program,
    vocabulary: Vocabulary,
    rng: np.random.Generator,
    *,
    max_operations: int,
    input_types: Sequence[str] | None = None,
) -> Program | None:
    """A copy of `receiver` in which one operand reads a part of `donor`; None if no graft fitted.

    Both programs must have the same number of inputs.
    """
    if len(receiver.inputs) != len(donor.inputs):
        raise ValueError(f"programs of {len(receiver.inputs)} and {len(donor.inputs)} inputs cannot be crossed")
    types = ["real"] * len(receiver.inputs) if input_types is None else list(input_types)
    for _ in range(ATTEMPTS if donor.instructions else 0):
        draft = _Draft(receiver, vocabulary, types)
        part = _Draft(_cut(donor, int(rng.integers(len(donor.instructions)))), vocabulary, types)
        slots = [s for s in draft.slots() if draft.slot_type(s) == part.slot_type((len(part.functions), 0))]
        if not slots:
            continue
        slot = slots[int(rng.integers(len(slots)))]
        at, size, n_inputs = slot[0], len(part.functions), draft.n_inputs
        part.open_gap(0, at)
        draft.open_gap(at, size)
        draft.functions[at:at] = part.functions
        draft.operands[at:at] = part.operands
        draft.write((slot[0] + size, slot[1]), n_inputs + at + size - 1)
        child = draft.program(receiver)
        if child != receiver and len(child.instructions) <= max_operations:
            return child
    return None


def _cut(program: Program, last: int) -> Program:
    """The part of a program that computes instruction `last`."""
    part = replace(program, instructions=program.instructions[: last + 1], output=len(program.inputs) + last)
    return _without_dead(part)


def _without_dead(program: Program) -> Program:
    kept = live(program)
    n_inputs = len(program.inputs)
    place = {n_inputs + i: n_inputs + position for position, i in enumerate(kept)}
    constants: list[float] = []

    def slot(operand: int) -> int:
        if operand < 0:
            constants.append(program.constants[-1 - operand])
            return -len(constants)
        return place.get(operand, operand)

    instructions = tuple(
        Instruction(program.instructions[i].function, tuple(slot(a) for a in program.instructions[i].arguments))
        for i in kept
    )
    output = slot(program.output)
    return replace(program, constants=tuple(constants), instructions=instructions, output=output)


def _insert(draft: _Draft, rng: np.random.Generator) -> bool:
    """Put a function between an operand and its reader."""
    slots = draft.slots()
    slot = slots[int(rng.integers(len(slots)))]
    wanted, operand, at = draft.slot_type(slot), draft.read(slot), slot[0]
    fitting = [
        k for k, f in enumerate(draft.vocabulary.functions) if f.result_type == wanted and wanted in f.argument_types
    ]
    if not fitting:
        return False
    function = fitting[int(rng.integers(len(fitting)))]
    types = draft.vocabulary.functions[function].argument_types
    through = [k for k, name in enumerate(types) if name == wanted]
    kept = through[int(rng.integers(len(through)))]
    operands: list[int | float] = []
    for k, name in enumerate(types):
        chosen = operand if k == kept else draft.operand(name, draft.n_inputs + at, rng)
        if chosen is None:
            return False
        operands.append(chosen)
    if all(isinstance(a, float) for a in operands):
        return False
    draft.insert(at, function, operands)
    draft.write((slot[0] + 1, slot[1]), draft.n_inputs + at)
    return True


def _delete(draft: _Draft, rng: np.random.Generator) -> bool:
    """Let the readers of an instruction read one of its operands of the same type."""
    if not draft.functions:
        return False
    i = int(rng.integers(len(draft.functions)))
    register = draft.n_inputs + i
    function = draft.vocabulary.functions[draft.functions[i]]
    same = [
        a for a, name in zip(draft.operands[i], function.argument_types, strict=True) if name == function.result_type
    ]
    if not same:
        return False
    operand = same[int(rng.integers(len(same)))]
    for slot in draft.slots():
        if draft.read(slot) == register and isinstance(draft.read(slot), int):
            draft.write(slot, operand)
    return True


def _rewire(draft: _Draft, rng: np.random.Generator) -> bool:
    """Let one reader read something else of the same type."""
    slots = draft.slots()
    slot = slots[int(rng.integers(len(slots)))]
    operand = draft.operand(draft.slot_type(slot), draft.n_inputs + slot[0], rng)
    if operand is None or (slot[0] == len(draft.functions) and isinstance(operand, float)):
        return False
    draft.write(slot, operand)
    return True


def _replace(draft: _Draft, rng: np.random.Generator) -> bool:
    """Use another function of the same types."""
    if not draft.functions:
        return False
    i = int(rng.integers(len(draft.functions)))
    held = draft.vocabulary.functions[draft.functions[i]]
    others = [k for k, f in enumerate(draft.vocabulary.functions) if f is not held and _same_types(f, held)]
    if not others:
        return False
    draft.functions[i] = others[int(rng.integers(len(others)))]
    return True


def _swap(draft: _Draft, rng: np.random.Generator) -> bool:
    """Exchange two operands of the same type in one instruction."""
    if not draft.functions:
        return False
    i = int(rng.integers(len(draft.functions)))
    function = draft.vocabulary.functions[draft.functions[i]]
    types = function.argument_types
    pairs = [(j, k) for j in range(len(types)) for k in range(j) if types[j] == types[k]]
    if not pairs or function.commutative:
        return False
    j, k = pairs[int(rng.integers(len(pairs)))]
    operands = draft.operands[i]
    operands[j], operands[k] = operands[k], operands[j]
    return True


def _perturb(draft: _Draft, rng: np.random.Generator) -> bool:
    """Scale some constants, flip a sign now and then."""
    slots = [slot for slot in draft.slots() if isinstance(draft.read(slot), float)]
    if not slots:
        return False
    share, spread = rng.random(), 2.0 ** rng.uniform(-5.0, 1.0)
    certain = int(rng.integers(len(slots)))
    for position, slot in enumerate(slots):
        if position == certain or rng.random() < share:
            value = float(draft.read(slot)) * float(np.exp(spread * rng.normal()))
            if isfinite(value):  # what is not has no literal
                draft.write(slot, -value if rng.random() < 0.05 else value)
    return True


def _same_types(a: Function, b: Function) -> bool:
    return a.argument_types == b.argument_types and a.result_type == b.result_type


_CHANGES: tuple[_Change, ...] = (_insert, _delete, _rewire, _replace, _swap, _perturb)
_WEIGHTS = (0.28, 0.2, 0.2, 0.1, 0.04, 0.18)
