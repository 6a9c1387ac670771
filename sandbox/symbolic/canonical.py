"""What a program is up to renaming, dead code, repetition and order: canonical form, fingerprint and counts."""

import hashlib
import math
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from sandbox.symbolic.precise import exact_value, nearest_pair
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.state import needed_slots, roots, step_operands, without_idle_slots
from sandbox.symbolic.vocabulary import (
    OP_ABS,
    OP_ADD,
    OP_DIV,
    OP_MAX,
    OP_MIN,
    OP_MUL,
    OP_NEG,
    OP_SQUARE,
    OP_SUB,
    Function,
    Vocabulary,
)

_INPUT: Final = 0
_CALL: Final = 1
_CONSTANT: Final = 2

_Key = tuple[int, str]
"""Names a value: its kind, and an input's padded number, a call's digest or a constant's exact text."""

_EXACT: Final[dict[int, Callable[..., Fraction]]] = {
    OP_ADD: operator.add,
    OP_SUB: operator.sub,
    OP_MUL: operator.mul,
    OP_DIV: operator.truediv,
    OP_NEG: operator.neg,
    OP_ABS: abs,
    OP_MIN: min,
    OP_MAX: max,
    OP_SQUARE: lambda a: a * a,
}
"""Operations that fold constants with low parts: exactly, then rounded to a pair."""


def live(program: Program) -> tuple[int, ...]:
    """Positions of the instructions that the output needs, in order.

    With state: those that can reach the result in this step or a later one, and the last word.
    """
    first = len(program.inputs)
    needed = {*roots(program), program.output} if program.n_slots else {program.output}
    for i in range(len(program.instructions) - 1, -1, -1):
        if first + i in needed and not (program.n_slots and first + i == program.output):
            needed.update(program.instructions[i].arguments)
    return tuple(i for i in range(len(program.instructions)) if first + i in needed)


def chain_lengths(program: Program) -> dict[int, int]:
    """For every live instruction that depends on an input: operations on its longest chain from an input."""
    first = len(program.inputs)
    length_of: dict[int, int] = {}
    for i in live(program):
        if program.n_slots and first + i == program.output:
            continue
        arguments = program.instructions[i].arguments
        chains = [
            0 if a < first else length_of[a - first] for a in arguments if 0 <= a < first or a - first in length_of
        ]
        if chains:
            length_of[i] = 1 + max(chains)
    return length_of


def operation_count(program: Program) -> int:
    """Operations that cost something: live instructions that depend on an input.

    Repeated work counts each time it is written; count `canonical(program, vocabulary)` to have it count once. The
    last word of a program with state is no operation.
    """
    return len(chain_lengths(program))


def depth(program: Program) -> int:
    """Operations on the longest chain from an input to the output."""
    return max(chain_lengths(program).values(), default=0)


def counts(program: Program, vocabulary: Vocabulary) -> dict[str, int]:
    """How often each function is used, over the operations that `operation_count` counts."""
    used = chain_lengths(program)
    return dict(Counter(vocabulary.functions[program.instructions[i].function].name for i in used))


def numbered(program: Program) -> Program:
    """The same program with one constant slot per use, numbered in order of use, and unused slots dropped.

    `parse` always answers such a program, so for these `parse(render(p)) == p`.
    """
    slots: list[int] = []

    def slot(operand: int) -> int:
        if operand >= 0:
            return operand
        slots.append(-1 - operand)
        return -len(slots)

    instructions = tuple(Instruction(i.function, tuple(slot(a) for a in i.arguments)) for i in program.instructions)
    output = slot(program.output)
    return Program(
        name=program.name,
        inputs=program.inputs,
        constants=tuple(program.constants[k] for k in slots),
        instructions=instructions,
        output=output,
        constants_low=tuple(program.lows[k] for k in slots),
        n_slots=program.n_slots,
    )


def canonical(program: Program, vocabulary: Vocabulary) -> Program:
    """The program's representative: equal for programs that compute the same thing in the same way.

    Dead code is dropped, repeated work is done once, finite constant arithmetic is folded, commutative arguments are
    ordered (inputs, calls, constants), instructions come in depth-first order, constants are numbered in order of
    use. No law of real arithmetic is applied: every kept operation rounds as before. Constants with low parts are
    folded exactly, and rounded once. Slots that cannot reach the result are handed through. Idempotent.
    """
    if program.n_slots:
        program = without_idle_slots(program)
    nodes: dict[_Key, tuple[int, tuple[_Key, ...]]] = {}
    first = len(program.inputs)
    key_of: dict[int, _Key] = {register: (_INPUT, f"{register:06d}") for register in range(first)}

    def key(operand: int) -> _Key:
        if operand >= 0:
            return key_of[operand]
        return _constant_key(program.constants[-1 - operand], program.lows[-1 - operand])

    for i in live(program):
        instruction = program.instructions[i]
        function = vocabulary.functions[instruction.function]
        arguments = tuple(key(a) for a in instruction.arguments)
        position = instruction.function
        if function.commutative:
            arguments = tuple(sorted(arguments))
        elif function.mirror >= 0:
            position, arguments = function.mirror, arguments[::-1]
        folded = _folded(function, arguments)
        if folded is not None:
            key_of[first + i] = folded
            continue
        digest = _digest(function.name, *(f"{kind}{text}" for kind, text in arguments))
        key_of[first + i] = (_CALL, digest)
        nodes[(_CALL, digest)] = (position, arguments)
    return _emitted(program, nodes, [*map(key, _state_first(program)), key(program.output)])


def fingerprint(program: Program, vocabulary: Vocabulary, *, structure_only: bool = False) -> str:
    """Hex digest, equal for programs with equal canonical form whatever their names.

    With `structure_only` the values of the constants do not matter. A program and the same program with repeated
    work merged share a fingerprint: judge the canonical form, so that whichever comes first is worth the same. The
    names of slots do not matter either: with m and v exchanged throughout an update rule is the same.
    """
    return form_fingerprint(canonical(program, vocabulary), vocabulary, structure_only=structure_only)


def form_fingerprint(form: Program, vocabulary: Vocabulary, *, structure_only: bool = False) -> str:
    """The `fingerprint` of a program that is in canonical form already."""
    if form.n_slots:
        return _step_digest(form, vocabulary, structure_only=structure_only)
    if structure_only:
        return _structure_digest(form, vocabulary)
    constants = (text for _, text in map(_constant_key, form.constants, form.lows))
    lines = [f"{len(form.inputs)} {form.output}", *constants]
    lines += [f"{vocabulary.functions[i.function].name} {i.arguments}" for i in form.instructions]
    return _digest(*lines)


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _constant_key(value: float, low: float) -> _Key:
    return (_CONSTANT, value.hex() if low == 0.0 else f"{value.hex()} {low.hex()}")


def _constant(key: _Key) -> tuple[float, float]:
    """The constant that a key names, and its low part."""
    value, _, low = key[1].partition(" ")
    return float.fromhex(value), float.fromhex(low) if low else 0.0


def _folded(function: Function, arguments: tuple[_Key, ...]) -> _Key | None:
    """The constant that a call of a compiled function on constants amounts to, if it is finite."""
    if (function.opcode < 0 and not function.folds) or any(kind != _CONSTANT for kind, _ in arguments):
        return None
    constants = [_constant(key) for key in arguments]
    if any(low for _, low in constants):
        return _folded_exactly(function, constants)
    with np.errstate(all="ignore"):
        value = float(function.apply(*(np.float64(value) for value, _ in constants)))
    return _constant_key(value, 0.0) if math.isfinite(value) else None


def _folded_exactly(function: Function, constants: Sequence[tuple[float, float]]) -> _Key | None:
    operation = _EXACT.get(function.opcode)
    if operation is None or not all(math.isfinite(value) for value, _ in constants):
        return None
    try:
        return _constant_key(*nearest_pair(operation(*(exact_value(*constant) for constant in constants))))
    except (ZeroDivisionError, OverflowError):
        return None


def _state_first(program: Program) -> tuple[int, ...]:
    """The new slot values that the result is computed from: written before it, in the order of the slots."""
    if not program.n_slots:
        return ()
    result, *new_values = step_operands(program)
    first = len(program.inputs)
    used = {result}
    for i in range(len(program.instructions) - 1, -1, -1):
        if first + i in used:
            used.update(program.instructions[i].arguments)
    return tuple(new for new in new_values if new in used and new >= first)


def _emitted(program: Program, nodes: Mapping[_Key, tuple[int, tuple[_Key, ...]]], roots: Sequence[_Key]) -> Program:
    """Write the nodes that the roots need in depth-first order (without recursion: programs may be long).

    The last root is the output.
    """
    register_of: dict[_Key, int] = {}
    constants: list[tuple[float, float]] = []
    instructions: list[Instruction] = []

    def operand(key: _Key) -> int:
        kind, text = key
        if kind == _INPUT:
            return int(text)
        if kind == _CALL:
            return register_of[key]
        constants.append(_constant(key))
        return -len(constants)

    pending = list(reversed(roots))
    while pending:
        key = pending[-1]
        if key not in nodes or key in register_of:
            pending.pop()
            continue
        function, arguments = nodes[key]
        missing = [a for a in arguments if a in nodes and a not in register_of]
        if missing:
            pending.extend(reversed(missing))
            continue
        pending.pop()
        instructions.append(Instruction(function, tuple(operand(a) for a in arguments)))
        register_of[key] = len(program.inputs) + len(instructions) - 1
    written_output = operand(roots[-1])
    return Program(
        name=program.name,
        inputs=program.inputs,
        constants=tuple(value for value, _ in constants),
        instructions=tuple(instructions),
        output=written_output,
        constants_low=tuple(low for _, low in constants),
        n_slots=program.n_slots,
    )


def _structure_digest(form: Program, vocabulary: Vocabulary) -> str:
    first = len(form.inputs)
    digests = _digests(form, vocabulary, [f"i{register}" for register in range(first)], structure_only=True)
    output = "c" if form.output < 0 else digests[form.output]
    return _digest(output, str(first), str(len(form.instructions)), str(len(form.constants)))


def _digests(form: Program, vocabulary: Vocabulary, inputs: list[str], *, structure_only: bool) -> list[str]:
    """A digest of what each register is computed from, given names for the inputs."""
    digests = list(inputs)
    for instruction in form.instructions:
        function = vocabulary.functions[instruction.function]
        arguments = [
            digests[a]
            if a >= 0
            else "c"
            if structure_only
            else _constant_key(form.constants[-1 - a], form.lows[-1 - a])[1]
            for a in instruction.arguments
        ]
        digests.append(_digest(function.name, *(sorted(arguments) if function.commutative else arguments)))
    return digests


def _step_digest(form: Program, vocabulary: Vocabulary, *, structure_only: bool) -> str:
    """What the result is computed from, whatever the slots are called.

    A slot is told apart by what it becomes, unfolded as many steps as tell any two programs of its size apart.
    """
    signature = vocabulary.signature
    types = signature.input_types if signature is not None else ()
    slots = needed_slots(form)
    first_slot = len(form.inputs) - form.n_slots
    names = [f"i{k}" if k < first_slot else f"slot of {types[k]}" for k in range(len(form.inputs))]
    result, *new_values = step_operands(form)
    for _ in range(2 * len(slots)):
        digests = _digests(form, vocabulary, names, structure_only=structure_only)
        for slot in slots:
            names[slot] = digests[new_values[slot - first_slot]]
    digests = _digests(form, vocabulary, names, structure_only=structure_only)
    return _digest(
        digests[result], str(len(slots)), str(len(form.instructions)), *sorted(names[slot] for slot in slots)
    )
