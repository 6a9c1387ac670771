"""Exported functions compute, to the last bit, what the interpreter computes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.errors import UsageError
from evolve.export.c_text import c_function
from evolve.export.float32_text import numpy_float32, python_float32
from evolve.export.function_facts import ExportedFunction
from evolve.export.function_text import numpy_function, python_function
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, FLOAT32, Vocabulary
from tests.extent import examples
from tests.unit.export.export_cases import (
    EXP2,
    PRECISE,
    assert_same_bits,
    bare_function,
    compiled,
    compiler,
    function_of,
    imported,
    interpreted,
    renamed,
    run_compiled,
    shipped,
)

needs_compiler = pytest.mark.skipif(compiler() is None, reason="this machine has no C compiler")
EXACT_WORDS = ("add", "sub", "mul", "div", "neg", "abs", "sqrt", "minimum", "maximum", "square")
SHIPPED_FLOAT32 = ("exp2_f32", "log2_f32")
ALL_FLOAT32_WORDS = """\
def f(x):
    a = maximum(minimum(x / 3.0, 1.0e30), -neg(x) * 0.1) - 0.5
    b = fma(a, x, -1.25) + rint(a)
    c = int_to_float(from_exponent(sub_bits(b, 1.0)))
    d = add_bits(b, to_exponent(and_bits(c, 0.5)))
    return clear_bits(d, 1.5) + 1.0
"""


def points_of(n_inputs: int) -> list[np.ndarray]:
    """Numbers of many sizes, both zeros, infinities."""
    rng = np.random.default_rng(3)
    special = [0.0, -0.0, 1.0, -1.0, 0.5, 1e300, -1e300, 5e-324, np.inf, -np.inf]
    drawn = [rng.normal(0.0, 1.0, 60) * 10.0 ** rng.integers(-8, 8, 60) for _ in range(n_inputs)]
    return [np.concatenate((rng.permutation(special), each, np.linspace(0.0, 1.0, 41))) for each in drawn]


def words_of(n: int) -> np.ndarray:
    """Finite float32 numbers of all sizes, both zeros and subnormal numbers among them."""
    bits = np.random.default_rng(4).integers(0, 2**32, n, dtype=np.uint32)
    words = np.concatenate((bits.view(np.float32), np.linspace(-130.0, 130.0, n, dtype=np.float32)))
    return np.concatenate((words[np.isfinite(words)], np.array([0.0, -0.0, 1e-45], dtype=np.float32)))


def over(vocabulary: Vocabulary, text: str, name: str = "f") -> ExportedFunction:
    return bare_function(parse(text, vocabulary), vocabulary, name)


REAL_FUNCTIONS = [
    function_of("exp2", EXP2),
    function_of("exp2", PRECISE),
    function_of("exp2", "def f(x):\n    return x\n"),
    function_of("exp2", "def f(x):\n    return 1.5\n"),
    over(ARITHMETIC, "def f(t1, x):\n    return (t1 - -2.0) / (x * x - 4.0) / (3.0 - t1)\n"),
    over(ARITHMETIC, "def f(_div, t_1, t1, float):\n    return (_div - t1) / (t_1 * float)\n"),
    over(ELEMENTARY, "def f(x, y):\n    return minimum(abs(x), 0.5) + maximum(-y, x) * sqrt(square(x - y))\n"),
]
MACHINE_FUNCTIONS = [
    *(function_of(name, shipped(name).seed_files["seed.py"]) for name in SHIPPED_FLOAT32),
    over(FLOAT32, ALL_FLOAT32_WORDS),
    over(FLOAT32, "def f(x):\n    return 0.1\n"),
]


def in_python(text: str, function: ExportedFunction, points: list[np.ndarray]) -> np.ndarray:
    """The values of an exported module of Python, number by number."""
    call = imported(text)[function.name]
    return np.array([call(*(float(x) for x in row)) for row in zip(*points, strict=True)], dtype=points[0].dtype)


@pytest.mark.parametrize("function", REAL_FUNCTIONS)
def test_python_and_numpy_compute_what_the_interpreter_computes(function: ExportedFunction) -> None:
    points = points_of(len(function.program.inputs))

    found_in_python = in_python(python_function(function), function, points)
    found_in_numpy = imported(numpy_function(function))[function.name](*points)

    wanted = interpreted(function, points)
    assert_same_bits(found_in_python, wanted)
    assert_same_bits(found_in_numpy, wanted)


@pytest.mark.parametrize("function", MACHINE_FUNCTIONS)
def test_float32_in_python_and_numpy_is_exact_to_the_bit(function: ExportedFunction) -> None:
    points = [words_of(400)]

    found_in_python = in_python(python_float32(function), function, points)
    found_in_numpy = imported(numpy_float32(function))[function.name](*points)

    wanted = interpreted(function, points)
    assert_same_bits(found_in_python, wanted)
    assert_same_bits(found_in_numpy, wanted)


@needs_compiler
def test_c_compiles_without_a_warning_and_computes_the_same_bits(tmp_path: Path) -> None:
    # given
    drawn = [drawn_function(seed) for seed in range(25)]
    functions = [renamed(each, f"g{k}") for k, each in enumerate([*REAL_FUNCTIONS, *MACHINE_FUNCTIONS, *drawn])]

    # when
    library = compiled([c_function(each) for each in functions], functions, tmp_path)

    # then
    for function in functions:
        n_inputs = len(function.program.inputs)
        points = [words_of(4000)] if function.is_machine else points_of(n_inputs)
        assert_same_bits(run_compiled(library, function, points), interpreted(function, points), what=function.name)


@needs_compiler
def test_c_of_transcendental_words_agrees_to_the_accuracy_of_the_library(tmp_path: Path) -> None:
    function = over(ELEMENTARY, "def f(x):\n    return exp(sin(x)) + log(x) * cos(x) - tanh(x)\n", "g")
    points = [np.linspace(0.1, 9.0, 200)]

    found = run_compiled(compiled([c_function(function)], [function], tmp_path), function, points)

    np.testing.assert_allclose(found, interpreted(function, points), rtol=1e-13, atol=1e-13)


def test_python_of_transcendental_words_never_raises() -> None:
    function = over(ELEMENTARY, "def f(x):\n    return exp(x) + sin(x) * cos(x) - log(x) + sqrt(x) + tanh(x)\n")
    points = [np.concatenate((np.linspace(-3.0, 9.0, 50), [800.0, np.inf, -np.inf, 0.0]))]

    found = in_python(python_function(function), function, points)

    np.testing.assert_allclose(found, interpreted(function, points), rtol=1e-13, atol=1e-13)


def drawn_function(seed: int, *, words: Sequence[str] = EXACT_WORDS) -> ExportedFunction:
    """A random program over words that round in one way only."""
    allowed = [ELEMENTARY.position_of(name) for name in words]
    return drawn_program(ELEMENTARY, allowed, np.random.default_rng(seed))


def drawn_program(
    vocabulary: Vocabulary, allowed: list[int], rng: np.random.Generator, n_inputs: int = 2
) -> ExportedFunction:
    def choose(low: int, high: int) -> int:
        return int(rng.integers(low, high + 1))

    constants = (1.0, -0.3, 7.25, 1e-3, -2.0)
    instructions = []
    for i in range(choose(1, 10)):
        function = allowed[choose(0, len(allowed) - 1)]
        first = choose(0, n_inputs + i - 1)
        rest = [choose(-len(constants), n_inputs + i - 1) for _ in vocabulary.functions[function].argument_types[1:]]
        instructions.append(Instruction(function, (*rest, first) if choose(0, 1) else (first, *rest)))
    program = Program(
        name="f",
        inputs=("x", "y")[:n_inputs],
        constants=constants,
        instructions=tuple(instructions),
        output=n_inputs + len(instructions) - 1,
    )
    return bare_function(program, vocabulary, "f")


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(0, 2**32))
def test_any_program_of_exactly_rounding_words_is_exported_to_the_bit(seed: int) -> None:
    # given
    function = drawn_function(seed)
    points = points_of(2)

    # when
    found_in_python = in_python(python_function(function), function, points)
    found_in_numpy = imported(numpy_function(function))[function.name](*points)

    # then
    assert_same_bits(found_in_python, interpreted(function, points))
    assert_same_bits(found_in_numpy, interpreted(function, points))


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(0, 2**32))
def test_any_float32_program_is_exported_to_the_bit(seed: int) -> None:
    # given
    allowed = list(range(len(FLOAT32.functions)))
    function = drawn_program(FLOAT32, allowed, np.random.default_rng(seed), n_inputs=1)
    points = [without_arithmetic_nan(function, words_of(60))]

    # when
    found_in_python = in_python(python_float32(function), function, points)
    found_in_numpy = imported(numpy_float32(function))[function.name](*points)

    # then
    assert_same_bits(found_in_python, interpreted(function, points))
    assert_same_bits(found_in_numpy, interpreted(function, points))


def without_arithmetic_nan(function: ExportedFunction, x: np.ndarray) -> np.ndarray:
    """The points where no value on the way is NaN: the bits of one are the machine's choice."""
    program, fine = function.program, np.ones(x.shape, dtype=bool)
    for i in range(len(program.instructions)):
        register = len(program.inputs) + i
        part = Program(
            name="f",
            inputs=program.inputs,
            constants=program.constants,
            instructions=program.instructions[: i + 1],
            output=register,
        )
        fine &= ~np.isnan(np.broadcast_to(np.asarray(evaluate(part, FLOAT32, [x])), x.shape))
    return x[fine]


def test_numpy_takes_any_shape_and_refuses_another_type() -> None:
    call = imported(numpy_function(REAL_FUNCTIONS[0]))["evolved_exp2"]

    assert call(np.full((2, 3), 0.25)).shape == (2, 3)
    assert float(call(0.25)) == call(np.array([0.25]))[0]
    with pytest.raises(TypeError, match="expected float64, got float32"):
        call(np.zeros(3, dtype=np.float32))


def test_a_constant_function_has_the_shape_of_its_argument() -> None:
    call = imported(numpy_function(REAL_FUNCTIONS[3]))["evolved_exp2"]

    assert call(np.zeros((2, 2))).tolist() == [[1.5, 1.5], [1.5, 1.5]]


def test_a_program_that_computes_an_infinity_of_constants_is_refused() -> None:
    with pytest.raises(UsageError, match="computes div of constants, which is not finite"):
        over(ARITHMETIC, "def f(x):\n    return x + 1.0 / 0.0\n")


def test_a_constant_beyond_float32_is_refused() -> None:
    function = over(FLOAT32, "def f(x):\n    return x + 1e300\n")

    with pytest.raises(UsageError, match="1e\\+300 is beyond the range of float32"):
        c_function(function)
