"""What a peer wrote, as a program of our language with as few operations as plain algebra allows.

Peers write weights and constants where our language needs none: `2.5*x` is a leaf to Operon and an operation here. So
factors are carried up through products, quotients and sums until a constant can take them in: c / (2 * u) is d / u, and
2*u + 3*v is 2 * (u + 1.5*v). Constants change only by such arithmetic; the function stays the same but for rounding.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sandbox.symbolic.canonical import canonical
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC

Token = str | float
"""An operation ("add", "sub", "mul", "div"), the variable "x", or a number."""
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
OPERATORS: dict[type[ast.operator], str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}


class UnreadableExpressionError(Exception):
    """The expression is not made of + - * /, numbers and one variable, or it is a constant, or not finite."""


@dataclass(frozen=True, slots=True)
class Form:
    """`factor` times "one", "x", or the sum, product or quotient of two forms (products' parts have factor 1)."""

    factor: float
    kind: str
    parts: tuple["Form", ...] = ()

    @property
    def bare(self) -> "Form":
        """The same with factor 1."""
        return replace(self, factor=1.0)

    @property
    def takes_factor(self) -> bool:
        """Whether a factor can be multiplied into a constant of this form, at no cost."""
        if self.kind == "add":
            return all(part.takes_factor for part in self.parts)
        return self.kind == "one" or any(part.takes_factor for part in self.parts)


ONE, X = Form(1.0, "one"), Form(1.0, "x")


def from_prefix(tokens: Iterable[Token]) -> str:
    """The text of a tree given as a list, each operation before its two operands (gplearn, DEAP)."""
    return from_postfix(reversed(list(tokens)))


def from_postfix(tokens: Iterable[Token]) -> str:
    """The text of a tree given as a list, each operation after its two operands, the left one last (Operon)."""
    stack: list[str] = []
    for token in tokens:
        if not isinstance(token, str):
            stack.append(repr(float(token)))
        elif token not in SYMBOLS:
            stack.append(token)
        elif len(stack) < 2:
            raise UnreadableExpressionError(f"{token} has fewer than two operands")
        else:
            stack.append(f"({stack.pop()} {SYMBOLS[token]} {stack.pop()})")
    if len(stack) != 1:
        raise UnreadableExpressionError(f"the list holds {len(stack)} trees, expected 1")
    return stack[0]


def program_of(text: str, variable: str = "x", *, times_x: bool = False) -> Program:
    """Read an expression of one variable: operators, or calls such as `add(x, 2.0)` and `square(x)`.

    With `times_x` the program is the expression multiplied by its variable.

    Raises:
        UnreadableExpressionError: it is nothing that this language can hold.
    """
    try:
        form = _read(ast.parse(text.strip(), mode="eval").body, variable)
        if times_x:
            form = _product(form, X)
        written = _written(form)
    except (SyntaxError, RecursionError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise UnreadableExpressionError(f"{text[:80]!r}: {error}") from None
    if form.kind == "one" or form.factor == 0.0 or any(word in written for word in ("inf", "nan")):
        raise UnreadableExpressionError(f"{text[:80]!r} is a constant or not finite")
    return canonical(parse(f"def f(x):\n    return {written}\n", ARITHMETIC), ARITHMETIC)


def _read(node: ast.expr, variable: str) -> Form:
    form: Form | None = None
    match node:
        case ast.Constant(value=int() | float() as number):
            form = Form(float(number), "one")
        case ast.Name(id=name) if name == variable:
            form = X
        case ast.UnaryOp(op=ast.USub(), operand=operand) | ast.Call(func=ast.Name(id="neg"), args=[operand]):
            form = _product(Form(-1.0, "one"), _read(operand, variable))
        case ast.Call(func=ast.Name(id="square"), args=[operand]):
            form = _product(_read(operand, variable), _read(operand, variable))
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in OPERATORS:
            form = _combined(OPERATORS[type(operation)], _read(left, variable), _read(right, variable))
        case ast.Call(func=ast.Name(id=name), args=[left, right]) if name in SYMBOLS:
            form = _combined(name, _read(left, variable), _read(right, variable))
    if form is None:
        raise ValueError(f"`{ast.unparse(node)[:60]}` is not + - * /, a number or {variable}")
    return form


def _combined(name: str, left: Form, right: Form) -> Form:
    if name == "mul":
        return _product(left, right)
    if name == "div":
        return _quotient(left, right)
    return _sum(left, right if name == "add" else replace(right, factor=-right.factor))


def _product(left: Form, right: Form) -> Form:
    factor = left.factor * right.factor
    if left.kind == "one" or right.kind == "one":
        return replace(right if left.kind == "one" else left, factor=factor)
    return Form(factor, "mul", (left.bare, right.bare))


def _quotient(left: Form, right: Form) -> Form:
    factor = left.factor / right.factor
    if right.kind == "one":
        return replace(left, factor=factor)
    return Form(factor, "one") if left.bare == right.bare else Form(factor, "div", (left.bare, right.bare))


def _sum(left: Form, right: Form) -> Form:
    (left, first), (right, second) = _without_constant(left), _without_constant(right)
    form, constant = _sum_of_two(left, right), Form(first + second, "one")
    return _sum_of_two(form, constant)


def _without_constant(form: Form) -> tuple[Form, float]:
    """The form without the constant that it ends with, and that constant."""
    if form.kind == "one":
        return Form(0.0, "one"), form.factor
    if form.kind == "add" and form.parts[1].kind == "one":
        first, constant = form.parts
        return replace(first, factor=form.factor * first.factor), form.factor * constant.factor
    return form, 0.0


def _sum_of_two(left: Form, right: Form) -> Form:
    """The side that has no constant to hide a factor in stays without one."""
    if left.factor == 0.0 or right.factor == 0.0:
        return right if left.factor == 0.0 else left
    if left.bare == right.bare:
        total = left.factor + right.factor
        return replace(left, factor=total) if total else Form(0.0, "one")
    factor = abs(right.factor if left.takes_factor else left.factor)
    if left.factor < 0.0 and right.factor < 0.0:
        factor = -factor
    return Form(factor, "add", tuple(replace(part, factor=part.factor / factor) for part in (left, right)))


def _written(form: Form) -> str:
    factor = form.factor
    if form.kind == "one":
        return repr(factor)
    if factor != 1.0 and not form.takes_factor:
        return f"({_written(form.bare)} * {factor!r})"
    if form.kind == "x":
        return "x"
    left, right = form.parts
    if form.kind == "add":
        return _written_sum(replace(left, factor=factor * left.factor), replace(right, factor=factor * right.factor))
    if left.takes_factor:
        left = replace(left, factor=factor)
    else:
        right = replace(right, factor=factor if form.kind == "mul" else 1.0 / factor)
    return f"({_written(left)} {SYMBOLS[form.kind]} {_written(right)})"


def _written_sum(left: Form, right: Form) -> str:
    """Written with a minus where a part would else be multiplied by -1."""
    if left.factor < 0.0 and not left.takes_factor:
        left, right = right, left
    if right.factor < 0.0 and not right.takes_factor:
        return f"({_written(left)} - {_written(replace(right, factor=-right.factor))})"
    return f"({_written(left)} + {_written(right)})"
