"""The compiled interpreter and double-double arithmetic against exact fractions, and laws of lowering and errors."""

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sandbox.symbolic.batch import ProgramBatch, is_compiled
from sandbox.symbolic.canonical import canonical, live
from sandbox.symbolic.double_double import evaluate_double_double, has_double_double
from sandbox.symbolic.interpreter import evaluate, evaluate_batch, max_error_batch
from sandbox.symbolic.lowering import Lowering
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Vocabulary
from tests.extent import examples

pytestmark = pytest.mark.xdist_group("compiled-interpreter")  # on a fresh clone one process compiles the loops for all

Array = npt.NDArray[np.float64]

EXACT: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
}
CONSTANTS = st.sampled_from([1.0, -1.0, 2.0, 0.5, 0.1, -0.3, 3.0, 7.25, 1e-3])
MODERATE = st.floats(0.1, 10.0).flatmap(lambda size: st.sampled_from([size, -size]))


@st.composite
def programs(draw: st.DrawFn, vocabulary: Vocabulary = ELEMENTARY, max_size: int = 10, n_inputs: int = 2) -> Program:
    constants = tuple(draw(st.lists(CONSTANTS, min_size=1, max_size=4)))
    instructions: list[Instruction] = []
    for i in range(draw(st.integers(1, max_size))):
        function = draw(st.integers(0, len(vocabulary.functions) - 1))
        operand = st.integers(-len(constants), n_inputs + i - 1)
        first = draw(st.integers(0, n_inputs + i - 1))
        rest = [draw(operand) for _ in vocabulary.functions[function].argument_types[1:]]
        instructions.append(Instruction(function, tuple(draw(st.permutations([first, *rest])))))
    return Program(
        name="f",
        inputs=("x", "y")[:n_inputs],
        constants=constants,
        instructions=tuple(instructions),
        output=n_inputs + len(instructions) - 1,
    )


def single(name: str, *, constant: float | None = None) -> Program:
    """A program of one call, of its inputs and perhaps a constant."""
    position = ELEMENTARY.position_of(name)
    n_arguments = len(ELEMENTARY.functions[position].argument_types)
    inputs = ("x", "y")[: n_arguments - (constant is not None)]
    arguments = tuple(range(len(inputs))) if constant is None else (*range(len(inputs)), -1)
    return Program(
        name="f",
        inputs=inputs,
        constants=() if constant is None else (constant,),
        instructions=(Instruction(position, arguments),),
        output=len(inputs),
    )


def exactly_rounded(program: Program, inputs: list[float], rounded: Callable[[Fraction], float]) -> float:
    """The output with every operation done on fractions and rounded once.

    Raises:
        ArithmeticError: a division by zero, or a value too large.
    """
    values = [Fraction(value) for value in inputs]
    for instruction in program.instructions:
        a, b = (
            values[k] if k >= 0 else Fraction(rounded(Fraction(program.constants[-1 - k])))
            for k in instruction.arguments
        )
        values.append(Fraction(rounded(EXACT[ARITHMETIC.functions[instruction.function].name](a, b))))
    return float(values[program.output])


def to_float64(value: Fraction) -> float:
    return float(value)


def to_float32(value: Fraction) -> float:
    """Through float64, which is harmless for one operation on float32 numbers."""
    with np.errstate(over="raise", under="ignore"):
        return float(np.float32(float(value)))


@given(programs(ARITHMETIC), st.lists(st.tuples(MODERATE, MODERATE), min_size=1, max_size=4))
@settings(max_examples=examples(60), deadline=None)
def test_every_operation_of_the_compiled_interpreter_rounds_once_and_correctly(
    program: Program, points: list[tuple[float, float]]
) -> None:
    try:
        expected = [exactly_rounded(program, list(point), to_float64) for point in points]
    except ArithmeticError:
        assume(False)

    batch = ProgramBatch.from_programs([program], ARITHMETIC)
    found = evaluate_batch(batch, np.array(points).T)

    assert found[0].tolist() == expected


@st.composite
def chains(draw: st.DrawFn) -> Program:
    """Values combined with constants again and again, and a sum of all that was made: what lowering joins into rows."""
    constants: list[float] = []
    instructions: list[Instruction] = []
    last = 0
    for _ in range(draw(st.integers(1, 7))):
        constants.append(draw(CONSTANTS))
        value = draw(st.sampled_from([last, last, last, draw(st.integers(0, last))]))
        arguments = draw(st.sampled_from([(value, -len(constants)), (-len(constants), value)]))
        instructions.append(Instruction(draw(st.sampled_from([0, 1, 2, 2, 3])), arguments))
        last = len(instructions)
    total = last
    for register in draw(st.lists(st.integers(0, last), max_size=3)):
        instructions.append(Instruction(0, (total, register)))
        total = len(instructions)
    return Program(name="f", inputs=("x",), constants=tuple(constants), instructions=tuple(instructions), output=total)


@given(chains(), st.lists(MODERATE, min_size=3, max_size=6))
@settings(max_examples=examples(60), deadline=None)
def test_operations_with_constants_round_one_by_one_even_where_they_share_a_row(
    program: Program, points: list[float]
) -> None:
    try:
        expected = [exactly_rounded(program, [point], to_float64) for point in points]
    except ArithmeticError:
        assume(False)

    found = evaluate_batch(ProgramBatch.from_programs([program], ARITHMETIC), np.array([points]))

    assert found[0].tolist() == expected


@given(programs(ARITHMETIC, max_size=6), st.lists(st.tuples(MODERATE, MODERATE), min_size=1, max_size=4))
@settings(max_examples=examples(60), deadline=None)
def test_in_float32_every_operation_rounds_once_to_float32(program: Program, points: list[tuple[float, float]]) -> None:
    single_points = np.array(points, dtype=np.float32)
    try:
        expected = [exactly_rounded(program, [float(v) for v in point], to_float32) for point in single_points]
    except (ArithmeticError, FloatingPointError):
        assume(False)

    found = evaluate_batch(ProgramBatch.from_programs([program], ARITHMETIC), single_points.T)

    assert found.dtype == np.float32
    assert found[0].tolist() == expected


@pytest.mark.parametrize(("body", "value"), [("x * 1e300", np.inf), ("x - 1e300", -np.inf), ("x / 1e300", 0.0)])
def test_a_constant_beyond_float32_is_infinite_there_without_a_warning(body: str, value: float) -> None:
    program = parse(f"def f(x):\n    return {body}\n", ARITHMETIC)
    batch = ProgramBatch.from_programs([program], ARITHMETIC)
    points = np.ones((1, 3), dtype=np.float32)

    assert evaluate_batch(batch, points).tolist() == [[value] * 3]
    assert max_error_batch(batch, points, np.ones(3))[0] == (1.0 if value == 0.0 else np.inf)


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_lowered_rows_read_only_what_was_written_and_never_write_an_input(program: Program) -> None:
    lowered = Lowering(program, ELEMENTARY)

    n_inputs = len(program.inputs)
    written = set(range(n_inputs))
    for row in lowered.rows:
        assert written.issuperset(row.reads)
        assert row.target not in row.reads
        assert n_inputs <= row.target < lowered.n_registers
        written.add(row.target)
    assert lowered.output in written
    assert len(written) == lowered.n_registers


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_lowering_needs_no_more_rows_than_there_are_live_instructions(program: Program) -> None:
    assert len(Lowering(program, ELEMENTARY).rows) <= len(live(program))


def test_a_long_chain_needs_two_registers_beyond_its_input() -> None:
    text = "def f(x):\n    t = x / x\n" + "    t = t * x\n" * 300 + "    return t\n"

    lowered = Lowering(parse(text, ARITHMETIC), ARITHMETIC)

    assert lowered.n_registers == 3
    assert len(lowered.rows) == 301


def test_a_value_is_kept_for_as_long_as_something_reads_it() -> None:
    text = "def f(x):\n    a = x / 3\n    t = x * x\n" + "    t = t * x\n" * 50 + "    return t + a\n"
    program, x = parse(text, ARITHMETIC), np.linspace(0.5, 1.5, 20)

    values = evaluate_batch(ProgramBatch.from_programs([program], ARITHMETIC), x[None])[0]

    assert values.tolist() == evaluate(program, ARITHMETIC, [x]).tolist()


def points_of(n: int) -> Array:
    return np.stack([np.linspace(-2.0, 3.0, n), np.linspace(5.0, 0.1, n)])


@given(programs(ARITHMETIC), st.sampled_from([1, 2, 511, 512, 513, 700]), st.integers(0, 99))
@settings(max_examples=examples(30), deadline=None)
def test_a_point_has_the_same_value_wherever_it_stands(program: Program, n: int, rng_seed: int) -> None:
    batch, points = ProgramBatch.from_programs([program], ARITHMETIC), points_of(n)
    order = np.random.default_rng(rng_seed).permutation(n)

    values = evaluate_batch(batch, points)[0]

    np.testing.assert_array_equal(evaluate_batch(batch, points[:, order])[0], values[order])


@given(st.lists(programs(max_size=5), min_size=1, max_size=5), st.data())
@settings(max_examples=examples(40), deadline=None)
def test_the_order_of_programs_and_the_parts_of_a_batch_do_not_matter(
    several: list[Program], data: st.DataObject
) -> None:
    points, cut = points_of(40), data.draw(st.integers(0, len(several)))
    batch = ProgramBatch.from_programs(several, ELEMENTARY)

    whole = evaluate_batch(batch, points)

    parts = [evaluate_batch(batch.part(0, cut), points), evaluate_batch(batch.part(cut, len(several)), points)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    turned = ProgramBatch.from_programs(several[::-1], ELEMENTARY)
    np.testing.assert_array_equal(evaluate_batch(turned, points), whole[::-1])


@given(programs(ARITHMETIC, max_size=6), st.integers(1, 39))
@settings(max_examples=examples(40), deadline=None)
def test_the_error_over_all_points_is_the_larger_of_those_over_two_parts(program: Program, cut: int) -> None:
    batch, points = ProgramBatch.from_programs([program], ARITHMETIC), points_of(40)
    target = points[0] + 10.0

    whole = max_error_batch(batch, points, target)[0]

    parts = [max_error_batch(batch, points[:, s], target[s])[0] for s in (slice(0, cut), slice(cut, None))]
    assert whole == max(parts)


@given(programs(ARITHMETIC, max_size=6), st.integers(-20, 20))
@settings(max_examples=examples(40), deadline=None)
def test_a_relative_error_does_not_depend_on_the_unit_and_an_absolute_one_scales_with_it(
    program: Program, exponent: int
) -> None:
    unit, points = 2.0**exponent, points_of(30)
    target = points[1] + 1.0
    product = Instruction(2, (program.output, -1 - len(program.constants)))
    scaled = replace(
        program,
        constants=(*program.constants, unit),
        instructions=(*program.instructions, product),
        output=len(program.inputs) + len(program.instructions),
    )
    plain_values = evaluate_batch(ProgramBatch.from_programs([program], ARITHMETIC), points)
    assume(np.all((np.abs(plain_values) < 1e200) & (np.abs(plain_values) > 1e-200)))

    plain, with_unit = (
        [max_error_batch(ProgramBatch.from_programs([p], ARITHMETIC), points, t, relative=r)[0] for r in (True, False)]
        for p, t in ((program, target), (scaled, target * unit))
    )

    assert with_unit[0] == plain[0]
    assert with_unit[1] == plain[1] * unit


@given(programs(ARITHMETIC, max_size=6))
@settings(max_examples=examples(40), deadline=None)
def test_a_program_has_no_error_against_its_own_values(program: Program) -> None:
    batch, points = ProgramBatch.from_programs([program], ARITHMETIC), points_of(600)
    values = evaluate_batch(batch, points)[0]
    assume(np.isfinite(values).all())

    assert max_error_batch(batch, points, values).tolist() == [0.0]
    assert max_error_batch(batch, points, values, relative=False).tolist() == [0.0]


@pytest.mark.parametrize("n_good", [0, 1, 511, 512, 1_023])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_value_that_is_not_finite_makes_the_error_infinite_wherever_it_is(n_good: int, bad: float) -> None:
    x = np.ones((1, 1_024))
    x[0, n_good] = bad
    batch = ProgramBatch.from_programs([parse("def f(x):\n    return x\n", ARITHMETIC)], ARITHMETIC)

    assert max_error_batch(batch, x, np.ones(1_024)).tolist() == [math.inf]


@pytest.mark.parametrize("target", [[1.0, math.nan], [math.inf, 1.0], [1.0], [[1.0, 2.0]]])
def test_a_target_that_is_not_one_finite_number_a_point_is_refused(target: list[float]) -> None:
    batch = ProgramBatch.from_programs([parse("def f(x):\n    return x\n", ARITHMETIC)], ARITHMETIC)

    with pytest.raises(ValueError, match="target must be 2 finite numbers, one per point"):
        max_error_batch(batch, np.ones((1, 2)), np.array(target))


@pytest.mark.parametrize("points", [np.ones(3), np.ones((2, 3)), np.ones((1, 3, 1)), np.ones((0, 3))])
def test_points_of_another_shape_are_refused(points: Array) -> None:
    batch = ProgramBatch.from_programs([parse("def f(x):\n    return x\n", ARITHMETIC)], ARITHMETIC)

    with pytest.raises(ValueError, match=r"points must have shape \[1, n\]"):
        evaluate_batch(batch, points)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float16, np.longdouble])
def test_points_of_other_number_types_run_in_float64(dtype: type) -> None:
    batch = ProgramBatch.from_programs([parse("def f(x):\n    return x / 3\n", ARITHMETIC)], ARITHMETIC)

    values = evaluate_batch(batch, np.array([[1, 2, 3]], dtype=dtype))

    assert values.dtype == np.float64
    assert values.tolist() == [[1 / 3, 2 / 3, 1.0]]


def test_points_may_be_a_view_with_any_strides_and_are_left_as_they_were() -> None:
    batch = ProgramBatch.from_programs([parse("def f(x, y):\n    return x - y\n", ARITHMETIC)], ARITHMETIC)
    table = np.arange(24.0).reshape(4, 3, 2)
    before = table.copy()

    values = evaluate_batch(batch, table[::-2, 1].T)

    assert values.tolist() == [[-1.0, -1.0]]
    np.testing.assert_array_equal(table, before)


@given(programs())
@settings(max_examples=examples(40), deadline=None)
def test_the_canonical_form_is_compiled_if_the_program_is(program: Program) -> None:
    assert is_compiled(program, ELEMENTARY)
    assert is_compiled(canonical(program, ELEMENTARY), ELEMENTARY)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[float, float]:
    """A number as a float64 and a remainder below half a unit in its last place."""
    high = draw(st.floats(1.0, 2.0)) * 2.0 ** draw(st.integers(-60, 60)) * draw(st.sampled_from([1.0, -1.0]))
    low = high * draw(st.floats(-1.0, 1.0)) * 2.0**-54
    return high, low if abs(low) > 1e-40 else 0.0


def double_double(program: Program, *values: tuple[float, float]) -> Fraction:
    high = np.array([[value[0]] for value in values])
    low = np.array([[value[1]] for value in values])
    result = evaluate_double_double(program, ELEMENTARY, high, low)
    return Fraction(float(result[0][0])) + Fraction(float(result[1][0]))


def whole(pair: tuple[float, float]) -> Fraction:
    return Fraction(pair[0]) + Fraction(pair[1])


@pytest.mark.parametrize("name", EXACT)
@given(pairs(), pairs())
@settings(max_examples=examples(60), deadline=None)
def test_a_double_double_operation_is_right_to_thirty_digits(
    name: str, a: tuple[float, float], b: tuple[float, float]
) -> None:
    exact = EXACT[name](whole(a), whole(b))

    error = abs(double_double(single(name), a, b) - exact)

    assert error <= abs(exact) * Fraction(1, 10**30)


@pytest.mark.parametrize("name", ["add", "sub"])
@given(pairs(), st.floats(-1.0, 1.0))
@settings(max_examples=examples(60), deadline=None)
def test_a_double_double_sum_is_right_even_where_nearly_everything_cancels(
    name: str, a: tuple[float, float], part: float
) -> None:
    sign = -1.0 if name == "add" else 1.0
    low = a[0] * part * 2.0**-54
    b = (sign * a[0], low if abs(low) > 1e-40 else 0.0)
    exact = EXACT[name](whole(a), whole(b))

    error = abs(double_double(single(name), a, b) - exact)

    assert error <= abs(exact) * Fraction(1, 10**30)


@given(pairs())
@settings(max_examples=examples(60), deadline=None)
def test_a_double_double_root_is_right_to_thirty_digits(a: tuple[float, float]) -> None:
    a = (abs(a[0]), math.copysign(a[1], a[0] * a[1]))
    with mpmath.workdps(60):
        root = mpmath.sqrt(mpmath.mpf(a[0]) + mpmath.mpf(a[1]))
        found = double_double(single("sqrt"), a)
        value = mpmath.mpf(found.numerator) / mpmath.mpf(found.denominator)

        assert abs(value / root - 1) < mpmath.mpf("1e-30")


@given(pairs(), pairs())
@settings(max_examples=examples(60), deadline=None)
def test_double_double_comparisons_and_signs_are_exact(a: tuple[float, float], b: tuple[float, float]) -> None:
    near = (a[0], b[1] * 2.0**-40 if abs(b[1]) < abs(a[1]) else a[1] / 2)

    for other in (b, near):
        assert double_double(single("minimum"), a, other) == min(whole(a), whole(other))
        assert double_double(single("maximum"), a, other) == max(whole(a), whole(other))
    assert double_double(single("abs"), a) == abs(whole(a))
    assert double_double(single("neg"), a) == -whole(a)


@given(pairs(), st.floats(-1e6, 1e6).filter(lambda value: abs(value) > 1e-6))
@settings(max_examples=examples(60), deadline=None)
def test_a_constant_is_exactly_its_float64_in_double_double(a: tuple[float, float], constant: float) -> None:
    difference = double_double(single("sub", constant=constant), a)

    exact = whole(a) - Fraction(constant)
    assert abs(difference - exact) <= abs(exact) * Fraction(1, 10**30)


@given(programs(ARITHMETIC, max_size=6))
@settings(max_examples=examples(40), deadline=None)
def test_the_high_part_is_the_whole_rounded_to_float64(program: Program) -> None:
    points = points_of(25)

    high, low = evaluate_double_double(program, ARITHMETIC, points, np.zeros_like(points))

    sound = np.isfinite(high) & (np.abs(high) > 1e-200) & (np.abs(high) < 1e200)
    np.testing.assert_array_equal((high + low)[sound], high[sound])


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("add", ([1e308], [1e308])),
        ("mul", ([1e200, -1e200], [1e200, 1e200])),
        ("div", ([1.0, -1.0, 0.0, 1.0], [0.0, 0.0, 0.0, math.inf])),
        ("sub", ([math.inf, math.inf], [math.inf, 1.0])),
        ("sqrt", ([-1.0, math.inf, 0.0],)),
        ("square", ([1e300, math.nan],)),
        ("minimum", ([math.nan, 1.0, -math.inf], [1.0, math.nan, 1.0])),
        ("maximum", ([math.nan, 1.0, math.inf], [1.0, math.nan, 1.0])),
    ],
)
def test_double_double_gives_what_float64_gives_where_there_is_no_finite_value(
    name: str, points: tuple[list[float], ...]
) -> None:
    inputs = np.array(points)

    high, low = evaluate_double_double(single(name), ELEMENTARY, inputs, np.zeros_like(inputs))

    np.testing.assert_array_equal(high, evaluate(single(name), ELEMENTARY, list(inputs)))
    np.testing.assert_array_equal(low, 0.0)


@pytest.mark.parametrize("name", ["exp", "log", "sin", "cos", "tanh"])
def test_a_function_without_a_double_double_form_is_named(name: str) -> None:
    assert not has_double_double(single(name), ELEMENTARY)
    with pytest.raises(ValueError, match=f"the function {name} has no double-double form"):
        evaluate_double_double(single(name), ELEMENTARY, np.ones((1, 1)), np.zeros((1, 1)))


def test_dead_code_does_not_keep_a_program_from_double_double() -> None:
    program = parse("def f(x):\n    dead = exp(x)\n    return x + 1\n", ELEMENTARY)

    assert has_double_double(program, ELEMENTARY)
    assert double_double(program, (2.0, 2.0**-60)) == 3 + Fraction(1, 2**60)
