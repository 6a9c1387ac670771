"""A function as formulas of LaTeX: what is used more than once, or would make a formula long, gets a name."""

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from evolve.export.function_facts import ExportedFunction
from evolve.export.heading import hash_comment, wrapped
from sandbox.symbolic.canonical import live
from sandbox.symbolic.precise import written_pair

LONGEST = 7
"""A formula has at most so many operations."""
MOST_STORIES = 2
"""Fractions are set in fractions no deeper than this."""

SUM, PRODUCT, ATOM = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Formula:
    """Text with how tightly it binds, how many operations it has, and how deep its fractions are.

    Where it is a power, `base` is what is raised to `exponent`.
    """

    text: str
    binding: int = ATOM
    size: int = 0
    stories: int = 0
    base: str = ""
    exponent: int = 1

    def within(self, binding: int) -> str:
        """The text as an operand of something that binds so tightly."""
        return self.text if self.binding >= binding else rf"\left({self.text}\right)"


_CALLS = {"exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos", "tanh": r"\tanh"}
_PAIRS = {"minimum": r"\min", "maximum": r"\max"}
_MACHINE_NOTE = (
    "Every operation rounds to float32 (binary32), to nearest, ties to even; fma(a, b, c) = a b + c rounds once. Words "
    "that end in bits, to_exponent, from_exponent and int_to_float read the 32 bits of a value as an integer. "
    "A constant is the float32 nearest to the decimal shown."
)


def latex_function(function: ExportedFunction) -> str:
    r"""The function as an `align*` environment of amsmath, constants in full."""
    program, vocabulary = function.program, function.vocabulary
    inputs = [input_name(name) for name in program.inputs]
    letter = next(each for each in "tuvw" if all(not name.startswith(each) for name in program.inputs) or each == "w")
    # A square uses its base once.
    uses = Counter(k for i in live(program) for k in {*program.instructions[i].arguments})
    value_of: dict[int, Formula] = {k: Formula(name, base=name) for k, name in enumerate(inputs)}
    lines: list[str] = []

    def operand(k: int) -> Formula:
        if k >= 0:
            return value_of[k]
        value, low = program.constants[-1 - k], program.lows[-1 - k]
        return constant(repr(float(str(np.float32(value)))) if function.is_machine else written_pair(value, low))

    for i in live(program):
        instruction, register = program.instructions[i], len(inputs) + i
        word = vocabulary.functions[instruction.function].name
        formula = _applied(word, [operand(k) for k in instruction.arguments], rounds=function.is_machine)
        is_long = formula.size >= LONGEST or formula.stories > MOST_STORIES
        if register != program.output and (uses[register] > 1 or (is_long and formula.exponent == 1)):
            name = f"{letter}_{{{len(lines) + 1}}}"
            lines.append(rf"  {name} &= {formula.text} \\")
            formula = Formula(name, base=name)
        value_of[register] = formula
    lines.append(f"  f({', '.join(inputs)}) &= {operand(program.output).text}")
    note = [_MACHINE_NOTE] if function.is_machine else []
    form = "LaTeX, for the package amsmath. No constant is shortened."
    head = hash_comment(wrapped([*function.facts, *note, f"Form: {form}", "", *function.origin]), "%")
    body = "\n".join(lines)
    return f"{head}\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"


def input_name(name: str) -> str:
    """An input's name as LaTeX: x, x_{1}, or an upright word."""
    match = re.fullmatch(r"([A-Za-z])_?(\d+)", name)
    if match:
        return f"{match[1]}_{{{match[2]}}}"
    escaped = name.replace("_", r"\_")
    return name if len(name) == 1 else rf"\mathrm{{{escaped}}}"


def constant(text: str) -> Formula:
    """A number as LaTeX, digit for digit; powers of ten beyond a few places are written as such."""
    digits, _, exponent = text.lower().partition("e")
    whole = digits.removesuffix(".0")
    if exponent:
        power = f"10^{{{int(exponent)}}}"
        product = power if whole == "1" else rf"{whole} \cdot {power}"
        return Formula(product, SUM if whole.startswith("-") else PRODUCT)
    return Formula(whole, SUM if Decimal(whole).is_signed() else ATOM)


def _applied(word: str, arguments: list[Formula], *, rounds: bool) -> Formula:
    """A call; where operations round, brackets say in which order they come."""
    size = 1 + sum(each.size for each in arguments)
    stories = max(each.stories for each in arguments)
    first = arguments[0]
    if word == "square" or (word == "mul" and first == arguments[-1]):
        base = first.base or rf"\left({first.text}\right)"
        return Formula(f"{base}^{{{2 * first.exponent}}}", ATOM, 1 + first.size, stories, base, 2 * first.exponent)
    text, binding = _text_of(word, arguments, 1 if rounds else 0)
    return Formula(text, binding, size, stories + (word == "div"))


def _text_of(word: str, arguments: list[Formula], tighter: int) -> tuple[str, int]:
    first = arguments[0]
    last = arguments[-1]
    if word in ("add", "sub"):
        sign = "+" if word == "add" else "-"
        if last.binding == SUM and last.text.startswith("-") and last.size == 0:
            sign = "-" if word == "add" else "+"
            return f"{first.text} {sign} {last.text[1:]}", SUM
        is_open = word == "sub" or last.text.startswith("-")
        return f"{first.text} {sign} {last.within(PRODUCT if is_open else SUM + tighter)}", SUM
    if word == "mul":
        return rf"{first.within(PRODUCT)} \cdot {last.within(PRODUCT + tighter)}", PRODUCT
    if word == "div":
        return rf"\frac{{{first.text}}}{{{last.text}}}", ATOM
    return _call_of(word, arguments)


def _call_of(word: str, arguments: list[Formula]) -> tuple[str, int]:
    first = arguments[0]
    inner = ", ".join(each.text for each in arguments)
    if word == "neg":
        return f"-{first.within(PRODUCT)}", SUM
    if word == "sqrt":
        return rf"\sqrt{{{inner}}}", ATOM
    if word == "abs":
        return rf"\left|{inner}\right|", ATOM
    escaped = word.replace("_", r"\_")
    name = _CALLS.get(word) or _PAIRS.get(word) or rf"\operatorname{{{escaped}}}"
    return rf"{name}\left({inner}\right)", ATOM
