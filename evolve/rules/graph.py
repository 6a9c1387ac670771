"""A program as a graph of calls, the form in which it is changed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Union

from sandbox.symbolic.program import Instruction, Program

Operand = Union["Call", int, float]
"""What a call reads: another call, an input (its register, an int) or a literal (a float)."""


class Call:
    """One call of a word; two places that hold the same `Call` share its value."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: int, arguments: list[Operand]) -> None:
        self.function = function
        self.arguments = arguments


def graph_of(program: Program) -> Call:
    """The program's last call (the comma) with everything it reads, free to be changed.

    Raises:
        ValueError: the program returns no call.
    """
    n_inputs = len(program.inputs)
    calls: list[Call] = []
    constants = program.constants
    for instruction in program.instructions:
        arguments: list[Operand] = [
            a if 0 <= a < n_inputs else calls[a - n_inputs] if a >= 0 else constants[-1 - a]
            for a in instruction.arguments
        ]
        calls.append(Call(instruction.function, arguments))
    if program.output < n_inputs:
        raise ValueError(f"the program {program.name} returns no call")
    return calls[program.output - n_inputs]


def calls_of(root: Call) -> list[Call]:
    """Every call below `root` and `root` itself, each once, arguments before what reads them."""
    order: list[Call] = []
    seen: set[Call] = set()
    stack: list[tuple[Call, Iterator[Operand]]] = [(root, iter(root.arguments))]
    seen.add(root)
    while stack:
        call, rest = stack[-1]
        for operand in rest:
            if isinstance(operand, Call) and operand not in seen:
                seen.add(operand)
                stack.append((operand, iter(operand.arguments)))
                break
        else:
            order.append(call)
            stack.pop()
    return order


def reads(call: Operand, wanted: Call) -> bool:
    """Whether an operand is `wanted` or needs its value."""
    return isinstance(call, Call) and (call is wanted or wanted in set(calls_of(call)))


def program_of(root: Call, parent: Program) -> Program:
    """The graph as a straight-line program, with one constant slot per use; calls that nothing reads are gone.

    Inputs and name are those of `parent`.
    """
    n_inputs = len(parent.inputs)
    register_of: dict[Call, int] = {}
    constants: list[float] = []
    instructions: list[Instruction] = []
    for call in calls_of(root):
        arguments: list[int] = []
        for operand in call.arguments:
            if isinstance(operand, Call):
                arguments.append(register_of[operand])
            elif isinstance(operand, int):
                arguments.append(operand)
            else:
                constants.append(operand)
                arguments.append(-len(constants))
        register_of[call] = n_inputs + len(instructions)
        instructions.append(Instruction(call.function, tuple(arguments)))
    return replace(
        parent,
        constants=tuple(constants),
        instructions=tuple(instructions),
        output=n_inputs + len(instructions) - 1,
        constants_low=None,
    )


def copied(root: Call) -> Call:
    """An independent copy of the graph below `root`."""
    copy_of: dict[Call, Call] = {}
    for call in calls_of(root):
        arguments: list[Operand] = [copy_of[a] if isinstance(a, Call) else a for a in call.arguments]
        copy_of[call] = Call(call.function, arguments)
    return copy_of[root]


def live_slots(root: Call, state: tuple[int, ...]) -> set[int]:
    """Positions in `state` of the slots that the update needs, now or in a later step."""
    slot_of = {register: k for k, register in enumerate(state)}
    needed: set[int] = set()
    pending: list[Operand] = [root.arguments[0]]
    seen: set[Call] = set()
    while pending:
        operand = pending.pop()
        if isinstance(operand, Call):
            if operand not in seen:
                seen.add(operand)
                pending.extend(operand.arguments)
        elif isinstance(operand, int) and operand in slot_of and slot_of[operand] not in needed:
            needed.add(slot_of[operand])
            pending.append(root.arguments[1 + slot_of[operand]])
    return needed


def drop_dead_slots(root: Call, state: tuple[int, ...]) -> int:
    """Hand through every slot that the update never needs; answers how many were written in vain."""
    needed = live_slots(root, state)
    dead = [k for k, register in enumerate(state) if k not in needed and root.arguments[1 + k] != register]
    for k in dead:
        root.arguments[1 + k] = state[k]
    return len(dead)
