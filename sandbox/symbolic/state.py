"""Programs with state: what can reach the result in this step or a later one."""

from collections.abc import Iterator
from dataclasses import replace

from sandbox.symbolic.program import Instruction, Program


def step_operands(program: Program) -> tuple[int, ...]:
    """The operands of the last word of a program with state: the result, then the new value of every slot."""
    return program.instructions[program.output - len(program.inputs)].arguments


def slot_registers(program: Program) -> range:
    """The input registers that are slots."""
    return range(len(program.inputs) - program.n_slots, len(program.inputs))


def needed_slots(program: Program) -> tuple[int, ...]:
    """Registers of the slots that can reach the result in this step or a later one, in order."""
    return tuple(sorted(_reachable_slots(program)))


def roots(program: Program) -> tuple[int, ...]:
    """The operands from which everything that matters is reached: the output, or with state what it is made of."""
    if not program.n_slots:
        return (program.output,)
    operands = step_operands(program)
    first = len(program.inputs) - program.n_slots
    return (operands[0], *(operands[1 + slot - first] for slot in needed_slots(program)))


def _reachable_slots(program: Program) -> Iterator[int]:
    slots = slot_registers(program)
    new_value_of = dict(zip(slots, step_operands(program)[1:], strict=True))
    seen: set[int] = set()
    pending = [step_operands(program)[0]]
    while pending:
        operand = pending.pop()
        if operand in seen or operand < 0:
            continue
        seen.add(operand)
        if operand in new_value_of:
            yield operand
            pending.append(new_value_of[operand])
        elif operand >= len(program.inputs):
            pending.extend(program.instructions[operand - len(program.inputs)].arguments)


def without_idle_slots(program: Program) -> Program:
    """The same program where slots that cannot reach the result are handed through."""
    result, *new_values = step_operands(program)
    needed = set(needed_slots(program))
    kept = tuple(new if slot in needed else slot for slot, new in zip(slot_registers(program), new_values, strict=True))
    position = program.output - len(program.inputs)
    last = Instruction(program.instructions[position].function, (result, *kept))
    instructions = (*program.instructions[:position], last, *program.instructions[position + 1 :])
    return replace(program, instructions=instructions)
