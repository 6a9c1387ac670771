"""Formulas of LaTeX are read back by a parser of the tests' own, and mean exactly what the program means."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evolve.export.formula import constant, input_name, latex_function
from evolve.export.function_facts import ExportedFunction
from sandbox.symbolic.precise import exact_value
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY
from tests.extent import examples
from tests.unit.export.export_cases import EXP2, PRECISE, PRECISE_DIGITS, function_of, shipped
from tests.unit.export.latex_reader import computed
from tests.unit.export.test_export_functions import drawn_function, over

RATIONAL_WORDS = ("add", "sub", "mul", "div", "neg", "abs", "minimum", "maximum", "square")
OPERATIONS: dict[str, Callable[..., Fraction]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "abs": abs,
    "minimum": min,
    "maximum": max,
    "square": lambda a: a * a,
}


def exactly(function: ExportedFunction, inputs: list[Fraction]) -> Fraction:
    """The program over the rational numbers; a constant is the decimal that stands for it."""
    program, values = function.program, list(inputs)

    def operand(k: int) -> Fraction:
        if k >= 0:
            return values[k]
        value, low = program.constants[-1 - k], program.lows[-1 - k]
        return Fraction(repr(value)) if not low else nearest_decimal(value, low)

    for instruction in program.instructions:
        name = function.vocabulary.functions[instruction.function].name
        values.append(OPERATIONS[name](*(operand(k) for k in instruction.arguments)))
    return operand(program.output)


def nearest_decimal(value: float, low: float) -> Fraction:
    from sandbox.symbolic.precise import written_pair

    decimal = Fraction(written_pair(value, low))
    assert abs(decimal - exact_value(value, low)) < Fraction(1, 10**30)
    return decimal


@pytest.mark.parametrize(
    "function",
    [
        function_of("exp2", EXP2),
        function_of("exp2", PRECISE),
        function_of("exp2", "def f(x):\n    return x\n"),
        function_of("exp2", "def f(x):\n    return -1.5e-7\n"),
        over(ARITHMETIC, "def f(x):\n    return (x - 1.0) * (x - 2.0) - (x - (x - 3.0)) * -4e-9\n"),
    ],
)
def test_a_formula_means_what_the_program_means(function: ExportedFunction) -> None:
    text = latex_function(function)

    for x in (Fraction(1, 3), Fraction(-7, 5), Fraction(9)):
        assert computed(text, {"x": x}) == exactly(function, [x])


@settings(max_examples=examples(60))
@given(st.integers(0, 2**32), st.fractions(-9, 9, max_denominator=50), st.fractions(-9, 9, max_denominator=50))
def test_any_formula_means_what_the_program_means(seed: int, x: Fraction, y: Fraction) -> None:
    function = drawn_function(seed, words=RATIONAL_WORDS)
    try:
        wanted = exactly(function, [x, y])
    except ZeroDivisionError:
        assume(False)

    assert computed(latex_function(function), {"x": x, "y": y}) == wanted


def test_squarings_become_one_power() -> None:
    text = latex_function(function_of("exp2", EXP2))

    assert r"^{4}" in text
    assert "No constant is shortened" in text


def test_constants_stand_in_full_digit_by_digit() -> None:
    text = latex_function(function_of("exp2", PRECISE))

    assert PRECISE_DIGITS in text
    assert "1.0000000000000000000000000000012" in text


def test_a_float32_program_names_its_words_and_says_that_it_rounds() -> None:
    text = latex_function(function_of("exp2_f32", shipped("exp2_f32").seed_files["seed.py"]))

    assert r"\operatorname{add\_bits}\left(" in text
    assert "+ 12582912" in text
    assert "rounds to float32" in text
    assert text.count(r"\left") == text.count(r"\right")


def test_functions_have_their_usual_signs() -> None:
    text = latex_function(over(ELEMENTARY, "def f(x):\n    return exp(-x) + sqrt(abs(log(x))) * tanh(sin(x))\n"))

    for part in (
        r"\exp\left(-x\right)",
        r"\sqrt{\left|\log\left(x\right)\right|}",
        r"\tanh\left(\sin\left(x\right)\right)",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("name", "wanted"), [("x", "x"), ("x1", "x_{1}"), ("x_12", "x_{12}"), ("learning_rate", r"\mathrm{learning\_rate}")]
)
def test_names_of_inputs(name: str, wanted: str) -> None:
    assert input_name(name) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1.0", "1"), ("-2.50", "-2.50"), ("1e-08", "10^{-8}"), ("1.5e+20", r"1.5 \cdot 10^{20}"), ("1e22", "10^{22}")],
)
def test_numbers(text: str, wanted: str) -> None:
    assert constant(text).text == wanted
