import numpy as np
import pytest

from evolve.symbolic.tidy import tidied
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC

ADD, SUB = (
    next(place for place, function in enumerate(ARITHMETIC.functions) if function.name == name)
    for name in ("add", "sub")
)


def program(*instructions: Instruction, constants: tuple[float, ...]) -> Program:
    return Program(name="f", inputs=("x",), constants=constants, instructions=instructions, output=len(instructions))


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        (Instruction(ADD, (0, -1)), "return x - 2.5"),
        (Instruction(ADD, (-1, 0)), "return x - 2.5"),
        (Instruction(SUB, (0, -1)), "return x + 2.5"),
        (Instruction(SUB, (-1, 0)), "return -2.5 - x"),
    ],
)
def test_a_negative_constant_turns_its_operation(instruction: Instruction, text: str) -> None:
    assert text in render(tidied(program(instruction, constants=(-2.5,)), ARITHMETIC), ARITHMETIC)


def test_a_tidied_program_computes_the_same_bits() -> None:
    text = "def f(x):\n    t1 = x * 3.25\n    t2 = t1 - 0.1\n    t3 = 7.5 / t2\n    return t3 - 1.3\n"
    before = parse(text, ARITHMETIC, inputs=("x",))
    untidy = Program(
        name="f",
        inputs=("x",),
        constants=tuple(-value for value in before.constants),
        instructions=before.instructions,
        output=before.output,
    )
    points = [np.linspace(-3.0, 3.0, 101)]
    with np.errstate(all="ignore"):
        again = evaluate(tidied(untidy, ARITHMETIC), ARITHMETIC, points)
        assert np.array_equal(again, evaluate(untidy, ARITHMETIC, points), equal_nan=True)


def test_a_constant_that_two_operations_share_is_left_alone() -> None:
    shared = program(Instruction(ADD, (0, -1)), Instruction(SUB, (1, -1)), constants=(-2.5,))
    assert tidied(shared, ARITHMETIC) == shared
