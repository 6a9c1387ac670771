"""Reads the formulas that we write in LaTeX, with a parser of its own, and computes them in exact fractions."""

import re
from collections.abc import Mapping
from fractions import Fraction

_TOKEN = re.compile(r"\s*(\\left\(|\\right\)|\\left\||\\right\||\\[A-Za-z]+|\d+(?:\.\d+)?|[A-Za-z]|\S)")
_CALLS = {r"\min": min, r"\max": max}


def computed(document: str, inputs: Mapping[str, Fraction]) -> Fraction:
    """The value of the last line of an `align*` environment, whose other lines give names."""
    [body] = re.findall(r"\\begin\{align\*\}\n(.*)\n\\end\{align\*\}\n", document, re.DOTALL)
    known, value = dict(inputs), Fraction(0)
    for line in body.split(" \\\\\n"):
        name, formula = line.strip().split(" &= ")
        reader = Reader(formula, known)
        value = reader.whole()
        known[name] = value
    return value


class Reader:
    """One formula. Everything that it does not know is an error."""

    def __init__(self, text: str, known: Mapping[str, Fraction]) -> None:
        self._tokens: list[str] = [*_TOKEN.findall(text), ""]
        assert "".join(self._tokens) == re.sub(r"\s", "", text)
        self._known = known
        self._place = 0

    def whole(self) -> Fraction:
        """The value of the whole text."""
        value = self._sum()
        self._take("")
        return value

    def _next(self) -> str:
        return self._tokens[self._place]

    def _take(self, wanted: str | None = None) -> str:
        token = self._next()
        assert wanted is None or token == wanted, f"{token!r} instead of {wanted!r} at {self._place}"
        self._place += 1
        return token

    def _sum(self) -> Fraction:
        sign = -1 if self._next() == "-" and self._take() else 1
        value = sign * self._product()
        while self._next() in ("+", "-"):
            sign = 1 if self._take() == "+" else -1
            value += sign * self._product()
        return value

    def _product(self) -> Fraction:
        value = self._power()
        while self._next() == r"\cdot":
            self._take()
            value *= self._power()
        return value

    def _power(self) -> Fraction:
        base = self._atom()
        if self._next() != "^":
            return base
        self._take()
        self._take("{")
        exponent = self._sum()
        self._take("}")
        assert exponent.denominator == 1
        return base ** int(exponent)

    def _group(self) -> Fraction:
        self._take("{")
        value = self._sum()
        self._take("}")
        return value

    def _atom(self) -> Fraction:
        token = self._take()
        if token == r"\frac":
            return self._group() / self._group()
        if token in (r"\left(", r"\left|"):
            value = self._sum()
            self._take(r"\right)" if token == r"\left(" else r"\right|")
            return value if token == r"\left(" else abs(value)
        if token in _CALLS:
            self._take(r"\left(")
            one = self._sum()
            self._take(",")
            other = self._sum()
            self._take(r"\right)")
            return _CALLS[token](one, other)
        if token[0].isdigit():
            return Fraction(token)
        if self._next() == "_":
            token += "".join(self._take() for _ in range(4))
        return self._known[token]
