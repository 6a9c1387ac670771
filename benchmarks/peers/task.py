"""What every peer is given, and what it gives back."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC

FloatArray = npt.NDArray[np.float64]
MAX_LENGTH = 31
"""Nodes of a tree: 15 operations with two operands each, before factors are taken into constants."""


@dataclass(frozen=True)
class Task:
    """One function on the points of the evaluator family, ascending.

    A function that is zero at 0 has no finite relative error unless the program is zero there too, so peers are given
    f(x) / x instead and their expressions are multiplied by x: `divided` says so.
    """

    function: str
    points: FloatArray
    values: FloatArray

    @cached_property
    def divided(self) -> bool:
        """Whether peers see f(x) / x."""
        return bool(np.abs(self.values).min() < 1e-6 * np.abs(self.values).max())

    @cached_property
    def target(self) -> FloatArray:
        """What peers fit."""
        return self.values / self.points if self.divided else self.values

    @cached_property
    def weights(self) -> FloatArray:
        """Of squared residuals: least squares with them is least squares of relative residuals."""
        return 1.0 / self.target**2


@dataclass(slots=True)
class Found:
    """Expressions of the variable `variable`, and how many programs were evaluated for them."""

    evaluations: int = 0
    variable: str = "x"
    expressions: list[str] = field(default_factory=list)


def values_of(program: Program, points: FloatArray) -> FloatArray:
    """The program's values."""
    registers = [points]
    with np.errstate(all="ignore"):
        for instruction in program.instructions:
            operands = [registers[a] if a >= 0 else program.constants[-1 - a] for a in instruction.arguments]
            registers.append(ARITHMETIC.functions[instruction.function].apply(*operands))
    return registers[program.output]
