"""Every value that rules compute, each written once: equal work has one number, whatever the names and the order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evolve.rules.language import Language
from sandbox.symbolic.program import Program

INPUT: Final = -1
LITERAL: Final = -2
OWN: Final = -3
OLD: Final = -4

Node = tuple[int, tuple[float, ...]]
"""A word's position with the numbers of its arguments, or one of:

(INPUT, (register,)); (LITERAL, (value,)); (OWN, (k, register)): the old value of the k-th slot of the recurrence that
is being written, of the type of the slot in that register; (OLD, (k, n1, n2, ...)): the old value of the k-th slot of
the recurrence whose new values are n1, n2, ...
"""


@dataclass(frozen=True, slots=True)
class Written:
    """A rule as numbers of expressions: its update, and for every live slot its old value."""

    update: int
    old: dict[int, int]


class Expressions:
    """A growing table of expressions. `reads[n]` is a bit mask of inputs, `is_open[n]` says that OWN is in there."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._number_of: dict[Node, int] = {}
        self.nodes: list[Node] = []
        self.reads: list[int] = []
        self.is_open: list[bool] = []
        self._commutative = [function.commutative for function in language.functions]
        self._mirror = [function.mirror for function in language.functions]

    def number(self, node: Node) -> int:
        """The number of an expression."""
        known = self._number_of.get(node)
        if known is not None:
            return known
        kind, arguments = node
        if kind == INPUT:
            reads, is_open = 1 << int(arguments[0]), False
        elif kind in (LITERAL, OWN):
            reads, is_open = 0, kind == OWN
        else:
            parts = [int(a) for a in (arguments[1:] if kind == OLD else arguments)]
            reads = 0
            for part in parts:
                reads |= self.reads[part]
            is_open = kind != OLD and any(self.is_open[part] for part in parts)
        number = len(self.nodes)
        self._number_of[node] = number
        self.nodes.append(node)
        self.reads.append(reads)
        self.is_open.append(is_open)
        return number

    def call(self, position: int, arguments: Sequence[int]) -> int:
        """The number of a word over numbered arguments; arguments that may be exchanged are put in order."""
        if self._mirror[position] >= 0:
            position, arguments = self._mirror[position], arguments[::-1]
        elif self._commutative[position]:
            arguments = sorted(arguments)
        return self.number((position, tuple(arguments)))

    def write(self, program: Program) -> Written:
        """Number what a program computes, slots that feed each other together."""
        reader = _Reader(program, self._language)
        old: dict[int, int] = {}
        for group in reader.groups():
            own = {slot: self.number(self._own(k, slot)) for k, slot in enumerate(group)}
            new = tuple(self._numbered(program, reader.new[slot], {**old, **own}) for slot in group)
            for k, slot in enumerate(group):
                old[slot] = self.number((OLD, (k, *new)))
        return Written(self._numbered(program, reader.update, old), old)

    def _own(self, place: int, slot: int) -> Node:
        """The old value of a slot in its own recurrence: the same for all slots of a type."""
        types, state = self._language.input_types, self._language.state
        first = next(register for register in state if types[register] == types[state[slot]])
        return OWN, (place, first)

    def _numbered(self, program: Program, operand: int, old: dict[int, int]) -> int:
        """The number of an operand; what reads a slot that `old` lacks gets none."""
        first_slot = self._language.state[0]
        numbers: list[int | None] = [self.number((INPUT, (k,))) for k in range(first_slot)]
        numbers += [old.get(k) for k in range(len(self._language.state))]

        def of(k: int) -> int | None:
            return numbers[k] if k >= 0 else self.number((LITERAL, (program.constants[-1 - k],)))

        for instruction in program.instructions[:-1]:
            arguments = [n for a in instruction.arguments if (n := of(a)) is not None]
            is_known = len(arguments) == len(instruction.arguments)
            numbers.append(self.call(instruction.function, arguments) if is_known else None)
        number = of(operand)
        assert number is not None, "slots are written after those that they read"
        return number


class _Reader:
    """Which slots a program's update needs and which of them feed each other."""

    def __init__(self, program: Program, language: Language) -> None:
        n_inputs = len(program.inputs)
        first_slot = language.state[0]
        last = program.instructions[program.output - n_inputs].arguments
        self.update, self.new = last[0], last[1:]
        masks = [0] * first_slot + [1 << k for k in range(len(language.state))]
        for instruction in program.instructions:
            mask = 0
            for a in instruction.arguments:
                if a >= 0:
                    mask |= masks[a]
            masks.append(mask)
        direct = [masks[a] if a >= 0 else 0 for a in self.new]
        self._reach = [_closure(mask, direct) for mask in direct]
        wanted = masks[self.update] if self.update >= 0 else 0
        self.live = _closure(wanted, direct)

    def groups(self) -> list[list[int]]:
        """Live slots, those that feed each other together, before those that read them."""
        left = [k for k in range(len(self._reach)) if self.live >> k & 1]
        found: list[list[int]] = []
        done = 0
        while left:
            group = next(group for k in left if not self._needs(group := self._with(k, left)) & ~done)
            found.append(group)
            done |= sum(1 << j for j in group)
            left = [j for j in left if j not in group]
        return found

    def _with(self, slot: int, left: list[int]) -> list[int]:
        """The slot and those that feed it and are fed by it."""
        return [j for j in left if j == slot or (self._reach[slot] >> j & 1 and self._reach[j] >> slot & 1)]

    def _needs(self, group: list[int]) -> int:
        """The slots outside a group that it reads, as a bit mask."""
        return self._reach[group[0]] & ~sum(1 << j for j in group)


def _closure(mask: int, direct: list[int]) -> int:
    """All slots that are needed once those of `mask` are."""
    while True:
        wider = mask
        for k, needed in enumerate(direct):
            if mask >> k & 1:
                wider |= needed
        if wider == mask:
            return mask
        mask = wider
