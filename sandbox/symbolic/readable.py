"""From a program with state to its text: nested expressions, slots under their names, shared values on own lines."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sandbox.symbolic.function import Function, Signature, Vocabulary
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.state import slot_registers, step_operands

MAX_WIDTH: Final = 90
"""A nested expression wider than this gets a line and a name of its own."""

_ATOM: Final = 10
_MINUS: Final = 3
_STRENGTH: Final = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "**": 4}


@dataclass(frozen=True, slots=True)
class _Text:
    """An expression and how strongly its outermost operator binds; a minus in front is computed later than read."""

    text: str
    strength: int = _ATOM
    is_minus: bool = False
    is_bare: bool = False


def write_step(program: Program, vocabulary: Vocabulary, signature: Signature, literals: Sequence[str]) -> str:
    """The text of a program with state; `literals` are its constants as they are written.

    `parse` reads it back to the same instructions in the same order: it computes operands from left to right, so a
    value that is used once is written where it is used only if nothing else has to be computed in between.
    """
    writer = _Writer(program, vocabulary, literals)
    for number, instruction in enumerate(program.instructions[: program.output - len(program.inputs)]):
        writer.write(number, instruction)
    result, *new_values = step_operands(program)
    pairs = zip(slot_registers(program), new_values, strict=True)
    new_value_of = {slot: new for slot, new in pairs if new != slot or writer.n_uses[slot] > 1}
    returned = writer.taken([result, *new_value_of.values()])
    read = [k for k in range(len(program.inputs) - program.n_slots) if writer.n_uses[k]]
    names = [program.inputs[k] for k in (*read, *new_value_of)] or [signature.inputs[0]]
    head = f"def {program.name}({', '.join(names)}):"
    return "\n".join([head, *writer.lines, f"    return {', '.join(each.text for each in returned)}"]) + "\n"


class _Writer:
    """The body so far: finished lines, and values that wait to be written where they are used."""

    def __init__(self, program: Program, vocabulary: Vocabulary, literals: Sequence[str]) -> None:
        self.lines: list[str] = []
        self._n_named = 0
        self.n_uses = Counter(operand for i in program.instructions for operand in i.arguments)
        self._program = program
        self._functions = vocabulary.functions
        self._literals = literals
        self._name_of = dict(enumerate(program.inputs))
        self._waiting: list[tuple[int, _Text]] = []
        self._last_read = {operand: n for n, i in enumerate(program.instructions) for operand in i.arguments}
        self._slot_of = {new: slot for slot, new in reversed(self._new_values())}
        self._taken_names = {*program.inputs, *(function.name for function in vocabulary.functions)}

    def write(self, number: int, instruction: Instruction) -> None:
        """Add one instruction; it waits for its use if it has exactly one."""
        register = len(self._program.inputs) + number
        text = _called(self._functions[instruction.function], self.taken(instruction.arguments))
        self._waiting.append((register, text))
        if self.n_uses[register] != 1 or len(text.text) > MAX_WIDTH:
            self._name_first(len(self._waiting))

    def taken(self, operands: Sequence[int]) -> list[_Text]:
        """The operands' texts; what waits and may not be written in place gets a line and a name before."""
        n = self._n_in_place(operands)
        below = [k for k, (register, _) in enumerate(self._waiting[: len(self._waiting) - n]) if register in operands]
        self._name_first(below[-1] + 1 if below else 0)
        in_place = dict(self._waiting[len(self._waiting) - n :])
        del self._waiting[len(self._waiting) - n :]
        return [in_place.get(operand) or _Text(self._named(operand)) for operand in operands]

    def _n_in_place(self, operands: Sequence[int]) -> int:
        """How many of the values that came last may be written in place: they are operands in their order.

        The reader turns a minus into an instruction when it has read all operands of a call: after a minus nothing
        may be computed but the minus of something that has a name.
        """
        for n in range(min(len(operands), len(self._waiting)), 0, -1):
            last = self._waiting[-n:]
            places = [operands.index(register) if register in operands else -1 for register, _ in last]
            texts = [text for _, text in last]
            keeps_order = not any(a.is_minus and not b.is_bare for a, b in pairwise(texts))
            if -1 not in places and places == sorted(places) and keeps_order:
                return n
        return 0

    def _name_first(self, n: int) -> None:
        for register, text in self._waiting[:n]:
            self._name_of[register] = self._new_name(register)
            self.lines.append(f"    {self._name_of[register]} = {text.text}")
        del self._waiting[:n]

    def _new_name(self, register: int) -> str:
        """A slot's name for its new value, where nothing reads the old one any more; else x1, x2, ..."""
        slot = self._slot_of.get(register)
        if slot is not None and self._last_read.get(slot, -1) <= register - len(self._program.inputs):
            return self._program.inputs[slot]
        self._n_named += 1
        while f"x{self._n_named}" in self._taken_names:
            self._n_named += 1
        return f"x{self._n_named}"

    def _new_values(self) -> list[tuple[int, int]]:
        return list(zip(slot_registers(self._program), step_operands(self._program)[1:], strict=True))

    def _named(self, operand: int) -> str:
        return self._literals[-1 - operand] if operand < 0 else self._name_of[operand]


def _called(function: Function, arguments: Sequence[_Text]) -> _Text:
    if function.symbol is not None and len(arguments) == 2:
        strength = _STRENGTH[function.symbol]
        left, right = arguments
        is_power = function.symbol == "**"
        left_text = _inside(left, strength + is_power)
        if is_power and left_text.startswith("-"):
            left_text = f"({left_text})"
        return _Text(f"{left_text} {function.symbol} {_inside(right, strength + 1)}", strength)
    if function.symbol == "-" and not arguments[0].is_minus and not _is_literal(arguments[0]):
        return _Text(
            f"-{_inside(arguments[0], _MINUS)}", _MINUS, is_minus=True, is_bare=arguments[0].text.isidentifier()
        )
    return _Text(f"{function.name}({', '.join(argument.text for argument in arguments)})")


def _is_literal(argument: _Text) -> bool:
    return argument.strength == _ATOM and not argument.text[0].isalpha()


def _inside(argument: _Text, strength: int) -> str:
    return f"({argument.text})" if argument.strength < strength else argument.text
