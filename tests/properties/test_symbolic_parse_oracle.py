"""The parser against Python itself: a text of the language means what the same text means to Python."""

import ast
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Vocabulary
from tests.extent import examples

LITERALS = ("0", "1", "2", "0.5", "3.", ".25", "1e3", "1E-3", "1_000", "0x10", "0b11", "1e300", "1e-320", "0.1")
OPERATORS = ("+", "-", "*", "/")
VOCABULARIES = st.sampled_from([ARITHMETIC, ELEMENTARY])
NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "square": np.square,
}
"""What the words mean, said again without the vocabulary."""

POINTS = np.array(
    [
        [0.0, -0.0, 1.0, -1.0, 0.3, 2.5, -7.0, 1e-300, 1e300, np.inf, -np.inf, np.nan],
        [2.0, 0.0, 1.0, -0.0, 0.7, -2.5, 1e10, 1e300, -1e300, 1.0, -np.inf, 3.0],
    ]
)
POINTS.flags.writeable = False


def expression(draw: st.DrawFn, names: list[str], vocabulary: Vocabulary, size: int) -> str:
    """Text with few parentheses, so that precedence and the order of operations matter."""
    form = draw(st.sampled_from(["name", "number", "sign", "operator", "parentheses", "call"] if size else ["name"]))
    if form == "name":
        return draw(st.sampled_from(names))
    if form == "number":
        return draw(st.sampled_from(LITERALS))
    if form == "sign":
        return draw(st.sampled_from(["-", "+", "- "])) + expression(draw, names, vocabulary, size - 1)
    if form == "parentheses":
        return f"({expression(draw, names, vocabulary, size - 1)})"
    if form == "operator":
        left, right = (expression(draw, names, vocabulary, size - 1) for _ in range(2))
        return f"{left} {draw(st.sampled_from(OPERATORS))} {right}"
    function = draw(st.sampled_from(vocabulary.functions))
    arguments = [expression(draw, names, vocabulary, size - 1) for _ in function.argument_types]
    return f"{function.name}({', '.join(arguments)})"


@st.composite
def texts(draw: st.DrawFn, vocabulary: Vocabulary) -> str:
    names = ["x", "y"]
    lines = []
    for _ in range(draw(st.integers(0, 4))):
        value = expression(draw, names, vocabulary, 3)
        target = draw(st.sampled_from(["a", "b", "c", "x"]))
        forms = [f"{target} = {value}", f"{target}: float = {value}", f"{target} = d = {value}"]
        if target in names:
            forms.append(f"{target} {draw(st.sampled_from(OPERATORS))}= {value}")
        line = draw(st.sampled_from(forms))
        names += [name for name in (target, "d") if name not in names and (name == target or " d = " in line)]
        lines.append(line)
    lines.append(f"return {expression(draw, names, vocabulary, 4)}")
    return "def f(x, y):\n" + "".join(f"    {line}\n" for line in lines)


class ForNumpy(ast.NodeTransformer):
    """Makes numpy arrays behave as numbers do: 1 / 0 is infinity, and `a += b` leaves other names of `a` alone."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        assert isinstance(node.target, ast.Name)
        left = ast.Name(id=node.target.id, ctx=ast.Load())
        value = ast.BinOp(left=left, op=node.op, right=self.visit(node.value))
        return ast.copy_location(ast.Assign(targets=[node.target], value=value), node)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        name = ast.Name(id="float64", ctx=ast.Load())
        return ast.copy_location(ast.Call(func=name, args=[node], keywords=[]), node)


def run_by_python(text: str) -> npt.NDArray[np.float64]:
    tree = ast.fix_missing_locations(ForNumpy().visit(ast.parse(text)))
    names: dict[str, Any] = {**NUMPY, "float64": np.float64, "float": float}
    exec(compile(tree, "<text>", "exec"), names)
    with np.errstate(all="ignore"):
        return np.broadcast_to(names["f"](*POINTS), POINTS.shape[1])


def run_by_us(text: str, vocabulary: Vocabulary) -> npt.NDArray[np.float64]:
    return np.broadcast_to(evaluate(parse(text, vocabulary), vocabulary, list(POINTS)), POINTS.shape[1])


def assert_same_bits(found: npt.NDArray[np.float64], expected: npt.NDArray[np.float64]) -> None:
    """All NaN are alike, the two zeros are not."""
    np.testing.assert_array_equal(found, expected)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found[numbers]), np.signbit(expected[numbers]))


@given(st.data(), VOCABULARIES)
@settings(max_examples=examples(60), deadline=None)
def test_a_text_means_to_the_last_bit_what_it_means_to_python(data: st.DataObject, vocabulary: Vocabulary) -> None:
    text = data.draw(texts(vocabulary))

    found = run_by_us(text, vocabulary)

    assert_same_bits(found, run_by_python(text))


@given(st.data(), VOCABULARIES)
@settings(max_examples=examples(50), deadline=None)
def test_a_rendered_program_run_by_python_gives_the_values_of_the_program(
    data: st.DataObject, vocabulary: Vocabulary
) -> None:
    program = parse(data.draw(texts(vocabulary)), vocabulary)

    found = run_by_python(render(program, vocabulary))

    assert_same_bits(found, np.broadcast_to(evaluate(program, vocabulary, list(POINTS)), POINTS.shape[1]))


@given(st.data(), VOCABULARIES)
@settings(max_examples=examples(40), deadline=None)
def test_the_way_a_text_is_laid_out_does_not_change_the_program(data: st.DataObject, vocabulary: Vocabulary) -> None:
    text = data.draw(texts(vocabulary))

    laid_out_by_python = ast.unparse(ast.parse(text))

    assert parse(laid_out_by_python, vocabulary) == parse(text, vocabulary)


@given(st.data(), st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=examples(30), deadline=None)
def test_comments_blank_lines_and_the_kind_of_line_end_change_nothing(data: st.DataObject, line_end: str) -> None:
    text = data.draw(texts(ELEMENTARY))

    noisy = "".join(f"{line}  # x + 1 {line_end}{line_end}" for line in text.splitlines())

    assert parse(noisy, ELEMENTARY) == parse(text, ELEMENTARY)


@given(st.data())
@settings(max_examples=examples(30), deadline=None)
def test_the_names_of_intermediate_results_are_not_part_of_the_program(data: st.DataObject) -> None:
    text = data.draw(texts(ELEMENTARY))
    new_name = {"a": "_long_name", "b": "A", "c": "t1", "d": "b"}

    class Renamed(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.Name:
            return ast.copy_location(ast.Name(id=new_name.get(node.id, node.id), ctx=node.ctx), node)

    renamed = ast.unparse(Renamed().visit(ast.parse(text)))

    assert parse(renamed, ELEMENTARY) == parse(text, ELEMENTARY)


@given(st.data(), VOCABULARIES)
@settings(max_examples=examples(40), deadline=None)
def test_parsing_what_was_rendered_is_the_identity(data: st.DataObject, vocabulary: Vocabulary) -> None:
    program = parse(data.draw(texts(vocabulary)), vocabulary)

    again = parse(render(program, vocabulary), vocabulary)

    assert again == program
    assert [constant.hex() for constant in again.constants] == [constant.hex() for constant in program.constants]


def assert_nearest(value: float, exact: Fraction) -> None:
    error = abs(Fraction(value) - exact)
    for neighbour in (math.nextafter(value, -math.inf), math.nextafter(value, math.inf)):
        if math.isfinite(neighbour):
            assert error <= abs(Fraction(neighbour) - exact)


@given(st.integers(0, 10**40), st.integers(-320, 260))
@settings(max_examples=examples(60), deadline=None)
def test_a_decimal_literal_is_the_nearest_float64(digits: int, exponent: int) -> None:
    program = parse(f"def f(x):\n    return {digits}e{exponent}\n", ARITHMETIC)

    assert_nearest(program.constants[0], Fraction(digits) * Fraction(10) ** exponent)


@given(st.integers(0, 2**1000) | st.integers(2**53, 2**60))
@settings(max_examples=examples(60), deadline=None)
def test_an_integer_literal_is_the_nearest_float64(number: int) -> None:
    program = parse(f"def f(x):\n    return {number}\n", ARITHMETIC)

    assert_nearest(program.constants[0], Fraction(number))


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=examples(60), deadline=None)
def test_every_finite_number_survives_being_written_and_read(value: float) -> None:
    program = parse(f"def f(x):\n    return {value!r}\n", ARITHMETIC)

    again = parse(render(program, ARITHMETIC), ARITHMETIC)

    assert [c.hex() for c in again.constants] == [c.hex() for c in program.constants] == [value.hex()]
