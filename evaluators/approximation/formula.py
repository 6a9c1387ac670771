"""Formulas such as `2^x` or `exp(-x^2/2) * (1 + erf(x))`, read by a small parser of ours and never run as code.

A number is read exactly (`0.1` is one tenth). Powers are written `^` or `**`, bind to the right and before a minus.
"""

import difflib
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

VARIABLE = "x"
CONSTANTS = ("pi", "e", "euler_gamma")
MAX_CHARACTERS = 2000
MAX_PARTS = 300
MAX_DEPTH = 60
MAX_POWER_OF_TEN = 400

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z_0-9]*)|(?P<sign>\*\*|[-+*/^(),]))",
    re.ASCII,
)


class FormulaError(ValueError):
    """The text is no formula; the message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A number, the variable, a constant, or an operation: `+ - * / ^`, `neg`, or the name of a function."""

    operation: str
    arguments: tuple["Formula", ...] = ()
    number: Fraction | None = None

    @property
    def depends_on_x(self) -> bool:
        """Whether the variable occurs."""
        return self.operation == VARIABLE or any(each.depends_on_x for each in self.arguments)

    @property
    def exact(self) -> Fraction | None:
        """The rational number that it is, where it is built from written numbers by + - * / alone."""
        if self.number is not None:
            return self.number
        parts = [each.exact for each in self.arguments]
        numbers = [part for part in parts if part is not None]
        if not numbers or len(numbers) < len(parts):
            return None
        if self.operation == "/" and not numbers[-1]:
            return None
        combine = _EXACT.get(self.operation)
        return None if combine is None else combine(*numbers)


_EXACT: Mapping[str, Callable[..., Fraction]] = {
    "neg": operator.neg,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def parse_formula(text: str, parameters_of: Mapping[str, int]) -> Formula:
    """Read a formula over `x`. `parameters_of` says how many arguments every known function takes.

    Raises:
        FormulaError: it is not one.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(f"it has {len(text)} characters, at most {MAX_CHARACTERS} are allowed")
    return _Reader(text, parameters_of).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


class _Reader:
    """Recursive descent over the tokens; every level of nesting is counted."""

    def __init__(self, text: str, parameters_of: Mapping[str, int]) -> None:
        self._parameters_of = parameters_of
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0
        self._n_parts = 0

    def whole(self) -> Formula:
        formula = self._sum()
        if self._peek().kind != "end":
            hint = "; write * between factors" if self._peek().kind in ("number", "name") else ""
            raise self._unexpected("an operator" + hint)
        return formula

    def _sum(self) -> Formula:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FormulaError(f"it is nested more than {MAX_DEPTH} deep")
        left = self._product()
        while self._peek().text in ("+", "-"):
            left = self._node(self._take().text, left, self._product())
        self._depth -= 1
        return left

    def _product(self) -> Formula:
        left = self._signed()
        while self._peek().text in ("*", "/"):
            left = self._node(self._take().text, left, self._signed())
        return left

    def _signed(self) -> Formula:
        n_minus, n_signs = 0, 0
        while self._peek().text in ("+", "-"):
            n_minus += self._take().text == "-"
            n_signs += 1
            if n_signs > MAX_DEPTH:
                raise FormulaError(f"it has more than {MAX_DEPTH} signs in a row")
        operand = self._power()
        return self._node("neg", operand) if n_minus % 2 else operand

    def _power(self) -> Formula:
        base = self._atom()
        if self._peek().text not in ("^", "**"):
            return base
        self._take()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FormulaError(f"it is nested more than {MAX_DEPTH} deep")
        power = self._node("^", base, self._signed())
        self._depth -= 1
        return power

    def _atom(self) -> Formula:
        token = self._peek()
        if (token.kind == "sign" and token.text != "(") or token.kind == "end":
            raise self._unexpected("a number, x, a function or (")
        self._take()
        if token.kind == "number":
            return self._counted(Formula("number", number=_number(token)))
        if token.text == "(":
            inside = self._sum()
            self._expect(")")
            return inside
        return self._named(token)

    def _named(self, token: _Token) -> Formula:
        name = token.text
        if self._peek().text != "(":
            if name in self._parameters_of:
                raise FormulaError(f"{name!r} at position {token.at} is a function: write {name}(...)")
            if name != VARIABLE and name not in CONSTANTS:
                raise self._unknown(token, (VARIABLE, *CONSTANTS, *self._parameters_of))
            return self._counted(Formula(name))
        if name not in self._parameters_of:
            raise self._unknown(token, tuple(self._parameters_of))
        self._take()
        arguments = [self._sum()]
        while self._peek().text == ",":
            self._take()
            arguments.append(self._sum())
        self._expect(")")
        wanted = self._parameters_of[name]
        if len(arguments) != wanted:
            raise FormulaError(f"{name} at position {token.at} takes {wanted} arguments, got {len(arguments)}")
        return self._node(name, *arguments)

    def _node(self, operation: str, *arguments: Formula) -> Formula:
        return self._counted(Formula(operation, arguments))

    def _counted(self, formula: Formula) -> Formula:
        self._n_parts += 1
        if self._n_parts > MAX_PARTS:
            raise FormulaError(f"it has more than {MAX_PARTS} numbers, names and operations")
        return formula

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _expect(self, sign: str) -> None:
        if self._peek().text != sign:
            raise self._unexpected(repr(sign))
        self._take()

    def _unexpected(self, wanted: str) -> FormulaError:
        token = self._peek()
        got = "the end" if token.kind == "end" else repr(token.text)
        return FormulaError(f"got {got} at position {token.at}, expected {wanted}")

    def _unknown(self, token: _Token, known: tuple[str, ...]) -> FormulaError:
        near = difflib.get_close_matches(token.text, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
        return FormulaError(f"the name {token.text!r} at position {token.at} is unknown{hint}")


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            wrong = text[at:].lstrip()[0]
            raise FormulaError(f"the character {wrong!r} at position {text.index(wrong, at)} does not belong here")
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return [*tokens, _Token("end", "", end)]


def _number(token: _Token) -> Fraction:
    _, _, power = token.text.lower().partition("e")
    if power and abs(int(power)) > MAX_POWER_OF_TEN:
        raise FormulaError(f"the number {token.text!r} at position {token.at} is out of range")
    return Fraction(token.text)
