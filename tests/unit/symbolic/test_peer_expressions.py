"""What other libraries write, read as programs of ours (the benchmark of peers needs it; no peer is needed here)."""

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.peers.expression import UnreadableExpressionError, from_postfix, from_prefix, program_of
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC

POINTS = np.linspace(0.3, 1.7, 7)


def values_of(program: Program) -> npt.NDArray[np.float64]:
    registers = [POINTS]
    for instruction in program.instructions:
        operands = [registers[a] if a >= 0 else program.constants[-1 - a] for a in instruction.arguments]
        registers.append(ARITHMETIC.functions[instruction.function].apply(*operands))
    return np.asarray(registers[program.output])


@pytest.mark.parametrize(
    ("text", "operations"),
    [
        ("x*x + 3.0", 2),
        ("add(mul(x, 2.5), div(1.5, x))", 3),  # 2.5 * (x + 0.6 / x)
        ("3.0 / (2.0*x)", 1),
        ("(2.0*x) * (0.5*x) / 4.0", 2),
        ("2.0*x + 3.0*x", 1),
        ("x - x*x", 2),
        ("-(x*x) + x", 2),
        ("4.0*(1.0/(2.0*x + 6.0))", 2),  # 2 / (x + 3)
        ("0.25*(3.0/(x - 2.0) + x)", 4),
        ("1.5 + 0.5*(2.0 - 7.0/(3.0*x + 1.0))", 3),  # d / (x + 1/3) + 2.5
        ("square(x + 1.0) - neg(x)", 3),
    ],
)
def test_an_expression_keeps_its_values_and_needs_no_operation_for_a_factor_that_a_constant_takes(
    text: str, operations: int
) -> None:
    program = program_of(text)

    names = {"x": POINTS, "add": np.add, "mul": np.multiply, "div": np.divide, "square": np.square, "neg": np.negative}
    assert np.allclose(values_of(program), eval(text, names), rtol=1e-13)
    assert operation_count(program) == operations


def test_a_list_with_operations_first_reads_like_nested_calls() -> None:
    assert from_prefix(["sub", "x", "div", 2.0, "x"]) == "(x - (2.0 / x))"


def test_a_list_with_operations_last_has_the_left_operand_next_to_the_operation() -> None:
    assert from_postfix([2.0, "x", "div"]) == "(x / 2.0)"


def test_repeated_parts_count_once() -> None:
    program = program_of("(x + 1.5)*(x + 1.5)/(x + 2.5)")

    assert operation_count(program) == 4


def test_times_x_multiplies_by_the_variable() -> None:
    program = program_of("2.0 + x0", "x0", times_x=True)

    assert np.allclose(values_of(program), POINTS * (2.0 + POINTS))


@pytest.mark.parametrize("text", ["x - x", "3.0", "sin(x)", "y + 1.0", "1.0 / (x - x)", "x + 1e999", "x +", "x**3"])
def test_what_is_constant_or_foreign_or_not_finite_is_refused(text: str) -> None:
    with pytest.raises(UnreadableExpressionError):
        program_of(text)


@pytest.mark.parametrize("tokens", [["add", "x"], ["x", "x"], []])
def test_a_list_that_is_not_one_tree_is_refused(tokens: list[str | float]) -> None:
    with pytest.raises(UnreadableExpressionError):
        from_prefix(tokens)
