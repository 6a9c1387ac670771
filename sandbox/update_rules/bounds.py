"""What is known of a rule's values before it runs: which can never be negative, and which may divide as they are."""

import math
from typing import Final

from sandbox.symbolic.program import Program
from sandbox.symbolic.reals import SMALLEST_DIVISOR
from sandbox.symbolic.state import slot_registers, step_operands
from sandbox.symbolic.update_words import OPTIMIZER

ANY: Final = 0
NOT_NEGATIVE: Final = 1
MAY_DIVIDE: Final = 2
"""At least 1e-12."""

_NEVER_NEGATIVE: Final = frozenset(
    ("abs", "square", "exp", "log1p", "sigmoid", "agree", "rms", "largest", "total_rms", "pow")
)
_DOTS: Final = ("dot", "total_dot")
_KEEP_SIGN: Final = frozenset(("mul", "div", "mean", "row_mean", "col_mean", "clip", "ema", "debias", *_DOTS))
_BETA_PLACE: Final = {"ema": 2, "debias": 1}


def bounds_of(program: Program) -> list[int]:
    """For every register what is known of all its numbers: ANY, NOT_NEGATIVE or MAY_DIVIDE.

    Slots start at zero and are taken for not negative until their new value may be: then the program is gone through
    again, until nothing changes.
    """
    first = len(program.inputs)
    slots = dict(zip(slot_registers(program), step_operands(program)[1:], strict=True))
    inputs = [ANY] * first
    inputs[program.inputs.index("t")] = MAY_DIVIDE
    for slot in slots:
        inputs[slot] = NOT_NEGATIVE
    while True:
        known = _once(program, inputs)
        wrong = [slot for slot, new in slots.items() if inputs[slot] and not known[new]]
        if not wrong:
            return known
        for slot in wrong:
            inputs[slot] = ANY


def _once(program: Program, inputs: list[int]) -> list[int]:
    known = list(inputs)
    for instruction in program.instructions[:-1]:
        arguments = instruction.arguments
        bounds = [_of_literal(program.constants[-1 - k]) if k < 0 else known[k] for k in arguments]
        known.append(_of_word(OPTIMIZER.functions[instruction.function].name, bounds, program, arguments))
    return known


def _of_literal(value: float) -> int:
    return MAY_DIVIDE if value >= SMALLEST_DIVISOR else NOT_NEGATIVE if value >= 0 else ANY


def _of_word(name: str, bounds: list[int], program: Program, arguments: tuple[int, ...]) -> int:
    lowest, highest = min(bounds), max(bounds)
    if name == "sqrt":
        return max(NOT_NEGATIVE, highest)
    if name in _NEVER_NEGATIVE or (name in ("mul", *_DOTS) and arguments[0] == arguments[1]):
        return NOT_NEGATIVE
    if name in _BETA_PLACE and not 0.0 <= _literal_or_nan(program, arguments[_BETA_PLACE[name]]) < 1.0:
        return ANY
    if name in _KEEP_SIGN:
        return min(NOT_NEGATIVE, lowest)
    return {"maximum": highest, "minimum": lowest, "by_shape": lowest, "add": highest if lowest else ANY}.get(name, ANY)


def _literal_or_nan(program: Program, operand: int) -> float:
    return program.constants[-1 - operand] if operand < 0 else math.nan
