"""The typed straight-line program: the parsed form of a symbolic candidate's text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Instruction:
    """One call: `function` is a position in the vocabulary, `arguments` are operands (see `Program`)."""

    function: int
    arguments: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A straight-line program.

    An operand `k >= 0` is a register: inputs are registers `0 .. len(inputs)-1`, instruction `i` writes register
    `len(inputs) + i` and may read only lower ones. An operand `k < 0` is the constant `constants[-1 - k]`.
    `output` is an operand too, so the empty program (output 0) returns its first input.

    A vocabulary with `precise_constants` lets constants carry more digits than float64 holds: `constants_low` then has
    what rounding removed from each (see `precise`). It is None where float64 holds them all.

    In a program with state the last `n_slots` inputs are its slots, and `output` is an instruction whose operands are
    the result and the new value of every slot in order (a slot that is handed through has its own input there).
    """

    name: str
    inputs: tuple[str, ...]
    constants: tuple[float, ...]
    instructions: tuple[Instruction, ...]
    output: int
    constants_low: tuple[float, ...] | None = None
    n_slots: int = 0

    def __post_init__(self) -> None:
        """Drop low parts that are all zero, and refuse low parts of other constants."""
        if self.constants_low is None:
            return
        if not any(self.constants_low):
            object.__setattr__(self, "constants_low", None)
        elif len(self.constants_low) != len(self.constants) or not all(map(_belong, self.constants, self.lows)):
            raise ValueError(f"the low parts {self.constants_low} do not belong to the constants {self.constants}")

    @property
    def lows(self) -> tuple[float, ...]:
        """The low part of every constant."""
        return (0.0,) * len(self.constants) if self.constants_low is None else self.constants_low

    def with_constants(self, highs: Sequence[float], lows: Sequence[float] | None = None) -> "Program":
        """The same instructions over other constants."""
        low = None if lows is None else tuple(float(value) for value in lows)
        return replace(self, constants=tuple(float(value) for value in highs), constants_low=low)


def _belong(high: float, low: float) -> bool:
    return low == 0.0 or (math.isfinite(low) and high + low == high)
