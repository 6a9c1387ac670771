"""Views: the same target seen so that a part of every program is there already.

An odd function is x * P(x^2) or x / P(x^2), an even one P(x^2), one with a simple zero at 0 is x * P(x) or x / P(x).
In a view the search looks for P alone, over one or two operations less, and every structure it tries keeps the law.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.laws import order_at_zero
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import OP_DIV, OP_MUL, Vocabulary


class Outer(StrEnum):
    """What is done with P's value."""

    PLAIN = "plain"  # P
    TIMES = "times"  # x * P
    OVER = "over"  # x / P


@dataclass(frozen=True, slots=True)
class View:
    """How programs are seen: P of x or, with `squared`, of x * x, and what is done with its value."""

    squared: bool = False
    outer: Outer = Outer.PLAIN

    @property
    def is_plain(self) -> bool:
        """Whether programs are seen as they are."""
        return not self.squared and self.outer is Outer.PLAIN

    @property
    def n_operations(self) -> int:
        """How many operations the view adds to P."""
        return int(self.squared) + int(self.outer is not Outer.PLAIN)


def views_of(target: FitTarget, vocabulary: Vocabulary) -> list[View]:
    """The views that suit a target of one input, the plain one first."""
    opcodes = {function.opcode for function in vocabulary.functions}
    if np.atleast_2d(target.points).shape[0] > 1 or not {OP_MUL, OP_DIV} <= opcodes:
        return [View()]
    odd, even = target.symmetry == "odd", target.symmetry == "even"
    views = [View()]
    if odd or even:
        outers = (Outer.TIMES, Outer.OVER) if odd else (Outer.PLAIN,)
        views += [View(squared=True, outer=outer) for outer in outers]
    elif target.relative and order_at_zero(target) == (1, 1):
        views += [View(outer=Outer.TIMES), View(outer=Outer.OVER)]
    if not target.relative:
        views = [view for view in views if view.outer is not Outer.OVER]
    return views


def seen(target: FitTarget, view: View) -> FitTarget:
    """The table of P."""
    if view.is_plain:
        return target
    x = np.atleast_2d(target.points)[0]
    side = x > 0.0 if x.max() >= -x.min() else x < 0.0
    x, values = x[side], target.values[side]
    weights = None if target.weights is None else target.weights[side]
    if not target.relative:
        weights = np.ones_like(x) if weights is None else weights
    if view.outer is Outer.TIMES:
        values, weights = values / x, None if weights is None else weights * np.abs(x)
    elif view.outer is Outer.OVER:
        values = x / values
    points = x * x if view.squared else x
    order = np.argsort(points, kind="stable")
    return FitTarget(
        points=points[order],
        values=values[order],
        relative=target.relative,
        weights=None if weights is None else weights[order],
    )


def lifted(program: Program, view: View, vocabulary: Vocabulary) -> Program:
    """The program that P stands for."""
    if view.is_plain:
        return program
    opcodes = [function.opcode for function in vocabulary.functions]
    multiply, divide = opcodes.index(OP_MUL), opcodes.index(OP_DIV)
    instructions = list(program.instructions)
    output = program.output
    if view.squared:
        instructions = [Instruction(multiply, (0, 0))] + [
            Instruction(each.function, tuple(a if a < 0 else a + 1 for a in each.arguments)) for each in instructions
        ]
        output = output + 1 if output >= 0 else output
    if view.outer is not Outer.PLAIN:
        function = multiply if view.outer is Outer.TIMES else divide
        instructions.append(Instruction(function, (0, output)))
        output = len(instructions)
    return replace(program, instructions=tuple(instructions), output=output)


def projected(program: Program, view: View, vocabulary: Vocabulary) -> Program | None:
    """P of a program of the view's form; None if it has another form."""
    if view.is_plain or len(program.inputs) != 1 or program.output < 1:
        return program if view.is_plain else None
    opcodes = [function.opcode for function in vocabulary.functions]
    instructions = list(program.instructions[: program.output])
    output = program.output
    if view.outer is not Outer.PLAIN:
        wanted = OP_MUL if view.outer is Outer.TIMES else OP_DIV
        last = instructions.pop()
        left, right = last.arguments[0], last.arguments[-1]
        if opcodes[last.function] != wanted or (left != 0 and (right != 0 or wanted == OP_DIV)):
            return None
        output = right if left == 0 else left
        instructions = instructions[: max(output, 0)]
    if view.squared:
        squares = [
            i for i, each in enumerate(instructions) if opcodes[each.function] == OP_MUL and each.arguments == (0, 0)
        ]
        if len(squares) != 1 or _reads(instructions, 0) != 2 or output < 1:
            return None
        return _with_input(program, instructions, output, squares[0])
    return replace(program, instructions=tuple(instructions), output=output) if output >= 1 else None


def _reads(instructions: Sequence[Instruction], register: int) -> int:
    return sum(each.arguments.count(register) for each in instructions)


def _with_input(program: Program, instructions: Sequence[Instruction], output: int, square: int) -> Program:
    """The program over the square as its input; the square's instruction is gone."""

    def place(operand: int) -> int:
        if operand == square + 1:
            return 0
        return operand - 1 if operand > square + 1 else operand

    kept = [each for i, each in enumerate(instructions) if i != square]
    moved = tuple(Instruction(each.function, tuple(place(a) for a in each.arguments)) for each in kept)
    return replace(program, instructions=moved, output=place(output))
