"""A formula as a function of balls and of power series over balls."""

from collections.abc import Callable
from typing import Any

from flint import arb, arb_series, ctx, fmpq

from evaluators.approximation.ball_functions import BALL_FUNCTIONS, BallFunction
from evaluators.approximation.formula import CONSTANTS, VARIABLE, Formula, FormulaError, parse_formula

MAX_EXPONENT = 1000

Compute = Callable[[Any], Any]

PARAMETERS_OF = {name: function.n_parameters + 1 for name, function in BALL_FUNCTIONS.items()}
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "pi": arb.pi,
    "e": arb.const_e,
    "euler_gamma": arb.const_euler,
}
assert set(_CONSTANTS) == set(CONSTANTS)

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}


def read(text: str) -> Formula:
    """The formula, over the functions of `BALL_FUNCTIONS`.

    Raises:
        FormulaError: it is none.
    """
    return parse_formula(text, PARAMETERS_OF)


def compiled(formula: Formula) -> Compute:
    """The function that it is: of a ball, or of a power series.

    It raises as python-flint does (ValueError, ZeroDivisionError) where a series does not exist, and TypeError where
    `without_series` names a function.

    Raises:
        FormulaError: an exponent is too large, or a parameter of a function depends on x.
    """
    if formula.depends_on_x:
        return _compiled(formula)
    if formula.exact is not None:
        number = fmpq(formula.exact.numerator, formula.exact.denominator)
        return _constant(lambda _: arb(number))
    return _constant(_compiled(formula))


def without_series(formula: Formula) -> str | None:
    """A function in it that has no power series here, if there is one."""
    function = BALL_FUNCTIONS.get(formula.operation)
    if function is not None and function.series is None and formula.depends_on_x:
        return formula.operation
    return next(filter(None, map(without_series, formula.arguments)), None)


def _compiled(formula: Formula) -> Compute:
    if not formula.arguments:
        return _leaf(formula)
    if formula.operation == "^":
        return _power(*formula.arguments)
    arguments = [compiled(each) for each in formula.arguments]
    if formula.operation in BALL_FUNCTIONS:
        if any(each.depends_on_x for each in formula.arguments[:-1]):
            raise FormulaError(f"only the last argument of {formula.operation} may depend on x")
        return _called(BALL_FUNCTIONS[formula.operation], arguments)
    if formula.operation == "neg":
        [operand] = arguments
        return lambda x: -operand(x)
    left, right = arguments
    combine = _ARITHMETIC[formula.operation]
    return lambda x: combine(left(x), right(x))


def _leaf(formula: Formula) -> Compute:
    if formula.operation == VARIABLE:
        return lambda x: x
    make = _CONSTANTS[formula.operation]
    return lambda _: make()


def _called(function: BallFunction, arguments: list[Compute]) -> Compute:
    *parameters, argument = arguments

    def compute(x: Any) -> Any:
        inner = argument(x)
        outer = function.series if isinstance(inner, arb_series) else function.value
        if outer is None:
            raise TypeError("this function has no power series here")
        return outer(*(parameter(x) for parameter in parameters), inner)

    return compute


def _power(base: Formula, exponent: Formula) -> Compute:
    below, above, exact = compiled(base), compiled(exponent), exponent.exact
    if exact is not None:
        whole = exact.denominator == 1
        if whole and abs(exact) > MAX_EXPONENT:
            raise FormulaError(f"an exponent is too large: at most {MAX_EXPONENT} in size")
        if whole:
            return lambda x: below(x) ** int(exact)
        if max(abs(exact.numerator), exact.denominator) <= MAX_EXPONENT:
            fraction = fmpq(exact.numerator, exact.denominator)
            return lambda x: below(x) ** fraction
    if base.operation == "e":
        return lambda x: above(x).exp()

    def compute(x: Any) -> Any:
        left, right = below(x), above(x)
        if isinstance(left, arb) and isinstance(right, arb):
            return left**right
        return (right * left.log()).exp()

    return compute


def _constant(compute: Compute) -> Compute:
    """The same, computed once for every precision."""
    known: dict[int, Any] = {}

    def at(x: Any) -> Any:
        value = known.get(ctx.prec)
        if value is None:
            value = known[ctx.prec] = compute(x)
        return value

    return at
