"""The linked program: values against numpy, derivatives against mpmath, random numbers against the published stream."""

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest

from evolve.symbolic.randomness import below, next_uint64, normal, uniform
from evolve.symbolic.tape import N_OPCODES, FloatArray, IntArray, apply_scalar, backward, forward, is_unary
from sandbox.symbolic.vocabulary import (
    ELEMENTARY,
    OP_ABS,
    OP_ADD,
    OP_COS,
    OP_DIV,
    OP_EXP,
    OP_LOG,
    OP_MAX,
    OP_MIN,
    OP_MUL,
    OP_NEG,
    OP_SIN,
    OP_SQRT,
    OP_SQUARE,
    OP_SUB,
    OP_TANH,
)

FUNCTION_OF = {function.opcode: function for function in ELEMENTARY.functions}
NUMBERS = (-3.5, -1.0, -0.25, 0.0, 0.5, 1.0, 2.75, 1e200, -1e200, math.inf, -math.inf)
UNARY_IN_MPMATH: dict[int, Callable[..., mpmath.mpf]] = {
    OP_NEG: lambda a: -a,
    OP_ABS: abs,
    OP_SQRT: mpmath.sqrt,
    OP_EXP: mpmath.exp,
    OP_LOG: mpmath.log,
    OP_SIN: mpmath.sin,
    OP_COS: mpmath.cos,
    OP_TANH: mpmath.tanh,
    OP_SQUARE: lambda a: a * a,
}
BINARY_IN_MPMATH: dict[int, Callable[..., mpmath.mpf]] = {
    OP_ADD: lambda a, b: a + b,
    OP_SUB: lambda a, b: a - b,
    OP_MUL: lambda a, b: a * b,
    OP_DIV: lambda a, b: a / b,
    OP_MIN: min,
    OP_MAX: max,
}


def tape_of(*rows: tuple[int, int, int]) -> IntArray:
    return np.array(rows, np.int64).reshape(-1, 3)


def output_and_adjoints(tape: IntArray, inputs: list[FloatArray], constants: list[float]) -> tuple[FloatArray, ...]:
    """The last instruction's values and the derivatives of it by every row."""
    n, first, n_points = len(tape), len(inputs), inputs[0].size
    values = np.zeros((first + n + len(constants), n_points))
    values[:first] = inputs
    for k, constant in enumerate(constants):
        values[first + n + k] = constant
    forward(tape, n, first, values, n_points)
    adjoints = np.zeros_like(values)
    adjoints[first + n - 1] = 1.0
    backward(tape, n, first, values, adjoints, n_points)
    return values[first + n - 1], adjoints


@pytest.mark.parametrize("opcode", range(N_OPCODES))
def test_every_opcode_is_a_word_of_the_elementary_vocabulary_with_as_many_arguments(opcode: int) -> None:
    assert len(FUNCTION_OF[opcode].argument_types) == (1 if is_unary(opcode) else 2)


@pytest.mark.parametrize("opcode", range(N_OPCODES))
def test_one_operation_on_numbers_is_what_the_vocabulary_computes(opcode: int) -> None:
    function = FUNCTION_OF[opcode]
    for a in NUMBERS:
        for b in NUMBERS:
            with np.errstate(all="ignore"):
                wanted = function.apply(*(np.float64(v) for v in (a, b)[: len(function.argument_types)]))
            if opcode == OP_LOG and a == 0.0:
                wanted = np.nan  # below: a pole is no number here

            found = apply_scalar(opcode, a, b)

            np.testing.assert_allclose(found, wanted, rtol=4e-16, err_msg=f"{function.name}({a}, {b})")


@pytest.mark.parametrize(("opcode", "argument"), [(OP_SQRT, -1e-300), (OP_LOG, 0.0), (OP_LOG, -1.0)])
def test_outside_its_domain_an_operation_is_not_a_number(opcode: int, argument: float) -> None:
    assert math.isnan(apply_scalar(opcode, argument, argument))


@pytest.mark.parametrize("opcode", range(N_OPCODES))
def test_a_forward_sweep_applies_the_operation_at_every_point(opcode: int) -> None:
    left, right = np.linspace(0.1, 4.0, 23), np.linspace(3.0, -2.0, 23)
    values = np.stack([left, right, np.zeros(23)])

    forward(tape_of((opcode, 0, 1)), 1, 2, values, 23)

    assert values[2].tolist() == [apply_scalar(opcode, a, b) for a, b in zip(left, right, strict=True)]


def test_a_forward_sweep_leaves_inputs_constants_and_further_points_alone() -> None:
    values = np.arange(20.0).reshape(4, 5)  # two inputs, one instruction, one constant
    before = values.copy()

    forward(tape_of((OP_ADD, 0, 3)), 1, 2, values, 3)

    np.testing.assert_array_equal(values[[0, 1, 3]], before[[0, 1, 3]])
    np.testing.assert_array_equal(values[2, 3:], before[2, 3:])
    np.testing.assert_array_equal(values[2, :3], before[0, :3] + before[3, :3])


@pytest.mark.parametrize("opcode", sorted(UNARY_IN_MPMATH))
def test_derivatives_of_unary_operations_agree_with_mpmath(opcode: int) -> None:
    points = np.array([0.05, 0.3, 1.0, 2.5, 7.0])

    _, adjoints = output_and_adjoints(tape_of((opcode, 0, 0)), [points], [])

    wanted = [float(mpmath.diff(UNARY_IN_MPMATH[opcode], point)) for point in points]
    np.testing.assert_allclose(adjoints[0], wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("opcode", sorted(BINARY_IN_MPMATH))
def test_derivatives_of_binary_operations_agree_with_mpmath(opcode: int) -> None:
    left, right = np.array([0.4, -1.5, 3.0, 2.0]), np.array([2.0, 0.7, -1.25, 2.5])

    _, adjoints = output_and_adjoints(tape_of((opcode, 0, 1)), [left, right], [])

    for point, (a, b) in enumerate(zip(left, right, strict=True)):
        function = BINARY_IN_MPMATH[opcode]
        assert adjoints[0, point] == pytest.approx(float(mpmath.diff(function, (a, b), (1, 0))), rel=1e-12)
        assert adjoints[1, point] == pytest.approx(float(mpmath.diff(function, (a, b), (0, 1))), rel=1e-12)


def test_a_register_that_is_read_many_times_gathers_every_derivative() -> None:
    # given  t = x * c, t * t * t - t / x
    tape = tape_of((OP_MUL, 0, 6), (OP_MUL, 1, 1), (OP_MUL, 2, 1), (OP_DIV, 1, 0), (OP_SUB, 3, 4))
    points = np.array([0.5, 1.25, -2.0])

    value, adjoints = output_and_adjoints(tape, [points], [1.5])

    # then, with t' = c:  3 t^2 c by x (the quotient is constant in x), 3 t^2 x - 1 by c
    t = 1.5 * points
    np.testing.assert_allclose(value, t**3 - 1.5, rtol=1e-14)
    np.testing.assert_allclose(adjoints[0], 3.0 * t**2 * 1.5, rtol=1e-12)
    np.testing.assert_allclose(adjoints[6], 3.0 * t**2 * points - 1.0, rtol=1e-12)


@pytest.mark.parametrize("opcode", [OP_ADD, OP_MUL, OP_DIV, OP_SUB])
def test_both_operands_may_be_the_same_register(opcode: int) -> None:
    points = np.array([0.5, 1.25, -2.0])
    slopes = {OP_ADD: np.full(3, 2.0), OP_MUL: 2.0 * points, OP_DIV: np.zeros(3), OP_SUB: np.zeros(3)}

    _, adjoints = output_and_adjoints(tape_of((opcode, 0, 0)), [points], [])

    np.testing.assert_allclose(adjoints[0], slopes[opcode], atol=1e-15)


@pytest.mark.parametrize("opcode", [OP_MIN, OP_MAX])
def test_at_a_tie_the_shares_of_minimum_and_maximum_sum_to_one(opcode: int) -> None:
    points = np.array([1.0, 2.0])

    _, adjoints = output_and_adjoints(tape_of((opcode, 0, 1)), [points, points], [])

    np.testing.assert_array_equal(adjoints[0] + adjoints[1], [1.0, 1.0])


def test_derivatives_are_linear_in_what_the_caller_puts_in() -> None:
    tape, points = tape_of((OP_EXP, 0, 0), (OP_TANH, 1, 1)), np.array([-1.0, 0.2, 0.9])
    values = np.stack([points, np.zeros(3), np.zeros(3)])
    forward(tape, 2, 1, values, 3)
    one, three = np.zeros((3, 3)), np.zeros((3, 3))
    one[2], three[2] = 1.0, 3.0

    backward(tape, 2, 1, values, one, 3)
    backward(tape, 2, 1, values, three, 3)

    np.testing.assert_allclose(three[0], 3.0 * one[0], rtol=1e-15)


def splitmix64(state: int) -> tuple[int, int]:
    """The published generator in whole numbers: the new state and the number drawn."""
    state = (state + 0x9E3779B97F4A7C15) % 2**64
    z = state
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return state, z ^ (z >> 31)


def test_the_stream_is_the_published_one() -> None:
    # the first numbers of splitmix64 from 1234567, as in its reference tests
    state = np.array([1234567], np.uint64)

    drawn = [int(next_uint64(state)) for _ in range(5)]

    assert drawn == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize("start", [0, 1, 2**63, 2**64 - 1])
def test_the_stream_wraps_around_64_bits_like_whole_numbers_do(start: int) -> None:
    state, held = np.array([start], np.uint64), start
    for _ in range(20):
        held, wanted = splitmix64(held)

        assert int(next_uint64(state)) == wanted
        assert int(state[0]) == held


def test_uniform_numbers_lie_in_the_half_open_interval_and_fill_it() -> None:
    state = np.array([3], np.uint64)

    drawn = np.array([uniform(state) for _ in range(4000)])

    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    assert np.histogram(drawn, bins=8, range=(0.0, 1.0))[0].min() > 400


@pytest.mark.parametrize("n", [1, 2, 7])
def test_whole_numbers_below_a_limit_are_all_drawn_and_no_others(n: int) -> None:
    state = np.array([5], np.uint64)

    assert {below(state, n) for _ in range(300)} == set(range(n))


def test_normal_numbers_have_the_moments_of_the_standard_normal() -> None:
    state = np.array([8], np.uint64)

    drawn = np.array([normal(state) for _ in range(8000)])

    assert np.isfinite(drawn).all()
    assert abs(drawn.mean()) < 0.05
    assert drawn.std() == pytest.approx(1.0, abs=0.05)
    assert (drawn**4).mean() == pytest.approx(3.0, abs=0.4)
    assert np.mean(np.abs(drawn) < 1.0) == pytest.approx(0.6827, abs=0.03)
