"""The exact form of an arithmetic program: a reduced quotient of polynomials, raised to a power.

A program over + - * / denotes a rational function of its input. Constants are sums of float64 numbers, so rational, and
the quotient is computed exactly, and what cancels (a pole of an intermediate value at the end of the interval) is gone
for good. A trailing chain of squarings is kept as a power, so that it costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flint import fmpq, fmpq_poly

from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

MAX_DEGREE = 64


class NoExactFormError(Exception):
    """The program has no exact form that can be handled; the text says why."""


class UndefinedEverywhereError(NoExactFormError):
    """The program divides by an expression that is zero for every input."""


@dataclass(frozen=True, slots=True)
class Quotient:
    """`(numerator / denominator) ** power` in lowest terms; the denominator is never zero."""

    numerator: Any
    denominator: Any
    power: int = 1

    @property
    def degree(self) -> int:
        """The larger degree of the two polynomials, before the power."""
        return max(int(self.numerator.degree()), int(self.denominator.degree()), 0)

    def expanded(self) -> "Quotient":
        """The same with power 1."""
        if self.power == 1:
            return self
        if self.degree * self.power > MAX_DEGREE:
            raise NoExactFormError(
                f"the program is a quotient of polynomials of degree {self.degree * self.power}, "
                f"this judge handles at most {MAX_DEGREE}"
            )
        return Quotient(self.numerator**self.power, self.denominator**self.power)


def exact(number: float) -> Any:
    """The rational number that a float64 is."""
    return fmpq(*number.as_integer_ratio())


def quotient_of(program: Program, vocabulary: Vocabulary) -> Quotient:
    """The exact form of a program of one input.

    Raises:
        NoExactFormError: a function other than + - * / and negation is used, or the degree is too large.
        UndefinedEverywhereError: it divides by zero whatever the input.
    """
    constants = [
        Quotient(fmpq_poly([exact(value) + exact(low)]), fmpq_poly([1]))
        for value, low in zip(program.constants, program.lows, strict=True)
    ]
    registers = [Quotient(fmpq_poly([0, 1]), fmpq_poly([1]))]
    if len(program.inputs) != 1:
        raise NoExactFormError(f"the program has {len(program.inputs)} inputs, expected 1")

    def operand(index: int) -> Quotient:
        return registers[index] if index >= 0 else constants[-1 - index]

    for instruction in program.instructions:
        name = vocabulary.functions[instruction.function].name
        registers.append(_apply(name, [operand(index) for index in instruction.arguments]))
    return operand(program.output)


def _apply(name: str, arguments: Sequence[Quotient]) -> Quotient:
    if name == "mul" and _same_base(arguments[0], arguments[1]):
        left, right = arguments
        return Quotient(left.numerator, left.denominator, left.power + right.power)
    if name == "square":
        return Quotient(arguments[0].numerator, arguments[0].denominator, 2 * arguments[0].power)
    plain = [argument.expanded() for argument in arguments]
    if name == "neg":
        return Quotient(-plain[0].numerator, plain[0].denominator)
    if name not in ("add", "sub", "mul", "div"):
        raise NoExactFormError(f"the function {name!r} is not one of + - * /")
    a, b = plain[0].numerator, plain[0].denominator
    c, d = plain[1].numerator, plain[1].denominator
    if name == "div":
        if c.degree() < 0:
            raise UndefinedEverywhereError("the program divides by an expression that is zero for every input")
        return _reduced(a * d, b * c)
    if name == "mul":
        return _reduced(a * c, b * d)
    return _reduced(a * d + c * b if name == "add" else a * d - c * b, b * d)


def _same_base(left: Quotient, right: Quotient) -> bool:
    return bool(left.degree > 0 and left.numerator == right.numerator and left.denominator == right.denominator)


def _reduced(numerator: Any, denominator: Any) -> Quotient:
    common = numerator.gcd(denominator)
    if common.degree() > 0:
        numerator, denominator = numerator // common, denominator // common
    quotient = Quotient(numerator, denominator)
    if quotient.degree > MAX_DEGREE:
        raise NoExactFormError(
            f"the program is a quotient of polynomials of degree {quotient.degree}, "
            f"this judge handles at most {MAX_DEGREE}"
        )
    return quotient
