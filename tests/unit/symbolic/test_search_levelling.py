"""Levelling and rounding: known minimax errors, de la Vallee Poussin's bound, exact fractions."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.exchange import _alternating_extremes, exchange, lawson
from evolve.symbolic.rounding import exact_residuals, settle
from evolve.symbolic.tape import FloatArray
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC
from tests.extent import examples

CHEBYSHEV = np.cos(np.pi * (np.arange(201) + 0.5) / 201)[::-1]  # ascending in (-1, 1)
FEW = np.linspace(1.0, 2.0, 17)


class Polynomial:
    """A linear model: coefficients (lowest first) against a table, with optional weights."""

    def __init__(self, points: FloatArray, values: FloatArray, degree: int) -> None:
        self.basis = np.asarray(np.polynomial.chebyshev.chebvander(points, degree), np.float64)
        self.values = values

    def residuals(self, constants: FloatArray) -> FloatArray:
        return np.asarray(self.basis @ constants - self.values)

    def derivatives(self, _constants: FloatArray) -> FloatArray:
        return self.basis

    def refit(self, constants: FloatArray, importance: FloatArray, _iterations: int) -> None:
        root = np.sqrt(importance)
        constants[:] = np.linalg.lstsq(root[:, None] * self.basis, root * self.values, rcond=None)[0]

    def levelled(self) -> FloatArray:
        start = np.zeros(self.basis.shape[1])
        start = lawson(start, self.values.size, self.residuals, self.refit)
        return self.residuals(exchange(start, self.residuals, self.derivatives))


def lower_bound(residuals: FloatArray, n_alternations: int) -> float:
    """De la Vallee Poussin: no polynomial has a smaller error than the least of so many alternating errors."""
    sizes: list[float] = []
    sign = 0.0
    for residual in residuals:
        if residual == 0.0:
            continue
        if np.sign(residual) != sign:
            sizes.append(abs(float(residual)))
            sign = float(np.sign(residual))
        else:
            sizes[-1] = max(sizes[-1], abs(float(residual)))
    windows = [min(sizes[k : k + n_alternations]) for k in range(len(sizes) - n_alternations + 1)]
    return max(windows, default=0.0)


@pytest.mark.parametrize("degree", [2, 3, 5, 8])
def test_the_best_approximation_of_a_power_is_chebyshevs(degree: int) -> None:
    # x^n differs from its best polynomial of degree n - 1 by 2^(1 - n) times the Chebyshev polynomial
    residuals = Polynomial(CHEBYSHEV, CHEBYSHEV**degree, degree - 1).levelled()

    assert np.abs(residuals).max() == pytest.approx(2.0 ** (1 - degree), rel=1e-3)
    np.testing.assert_allclose(
        residuals, -(2.0 ** (1 - degree)) * np.cos(degree * np.arccos(CHEBYSHEV)), atol=5e-3 * 2.0 ** (1 - degree)
    )


@pytest.mark.parametrize(("degree", "wanted"), [(0, 1.175201194), (1, 0.278801682), (2, 0.0450174), (3, 0.00552837)])
def test_the_best_polynomials_of_the_exponential_are_found(degree: int, wanted: float) -> None:
    # with s = sinh 1, degree 0 leaves s and degree 1 (e - 2 s + s log s) / 2; the others are in published tables
    points = np.concatenate([[-1.0], CHEBYSHEV, [1.0]])

    residuals = Polynomial(points, np.exp(points), degree).levelled()

    assert np.abs(residuals).max() == pytest.approx(wanted, rel=1e-3)


@given(
    st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4),
    st.floats(0.5, 4.0),
    st.integers(1, 5),
)
@settings(max_examples=examples(40), deadline=None)
def test_levelled_polynomials_of_random_smooth_functions_are_near_their_lower_bound(
    shape: list[float], frequency: float, degree: int
) -> None:
    # given a smooth function that no polynomial of the degree is
    values = np.exp(0.7 * CHEBYSHEV) + shape[0] * np.sin(frequency * CHEBYSHEV + shape[1]) + shape[2] * CHEBYSHEV
    values = values + 1.0 / (CHEBYSHEV + 3.0 + shape[3] / 2.0)

    residuals = Polynomial(CHEBYSHEV, values, degree).levelled()

    error = float(np.abs(residuals).max())
    assert error <= lower_bound(residuals, degree + 2) * 1.05 + 1e-13


def rational_model(values: FloatArray) -> tuple[Callable[[FloatArray], FloatArray], Callable[[FloatArray], FloatArray]]:
    """a + b / (x + c), not linear in c."""

    def residuals(constants: FloatArray) -> FloatArray:
        a, b, c = constants
        with np.errstate(all="ignore"):
            return np.asarray(a + b / (FEW + c) - values)

    def derivatives(constants: FloatArray) -> FloatArray:
        _, b, c = constants
        with np.errstate(all="ignore"):
            return np.column_stack([np.ones_like(FEW), 1.0 / (FEW + c), -b / (FEW + c) ** 2])

    return residuals, derivatives


@given(st.floats(-1.0, 1.0), st.floats(-5.0, -0.25) | st.floats(0.25, 5.0), st.floats(-0.5, 4.0))
@settings(max_examples=examples(60), deadline=None)
def test_an_exchange_never_ends_worse_than_it_began(a: float, b: float, c: float) -> None:
    residuals, derivatives = rational_model(np.sqrt(FEW))
    start = np.array([a, b, c])

    end = exchange(start, residuals, derivatives)

    assert np.abs(residuals(end)).max() <= np.abs(residuals(start)).max()
    np.testing.assert_array_equal(start, [a, b, c])  # and the start is not overwritten


def test_a_nonlinear_model_is_levelled_to_one_more_extreme_than_it_has_constants() -> None:
    residuals, derivatives = rational_model(np.sqrt(FEW))

    # the least-squares constants of the best of some poles
    def fitted(c: float) -> FloatArray:
        basis = np.column_stack([np.ones_like(FEW), 1.0 / (FEW + c)])
        return np.append(np.linalg.lstsq(basis, np.sqrt(FEW), rcond=None)[0], c)

    starts = [fitted(c) for c in np.linspace(1.0, 6.0, 51)]
    start = min(starts, key=lambda constants: float(np.square(residuals(constants)).sum()))

    end = exchange(start, residuals, derivatives)

    left = residuals(end)
    extremes = np.abs(left[_alternating_extremes(left, most=4)])
    assert extremes.size == 4
    assert extremes.min() == pytest.approx(extremes.max(), rel=0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_exchange_from_where_nothing_is_finite_gives_the_start_back(bad: float) -> None:
    start = np.array([1.0, 2.0])

    end = exchange(start, lambda _: np.full(5, bad), lambda _: np.ones((5, 2)))

    np.testing.assert_array_equal(end, start)


def test_an_exchange_with_derivatives_that_are_not_finite_gives_the_start_back() -> None:
    start = np.array([1.0])

    end = exchange(start, lambda c: np.array([c[0], -1.0, 2.0]), lambda _: np.array([[np.nan], [0.0], [1.0]]))

    np.testing.assert_array_equal(end, start)


def test_a_perfect_fit_is_left_as_it_is() -> None:
    start = np.array([0.25, -1.0])
    polynomial = Polynomial(CHEBYSHEV, 0.25 - CHEBYSHEV, 1)

    end = exchange(start, polynomial.residuals, polynomial.derivatives)

    np.testing.assert_array_equal(end, start)


@pytest.mark.parametrize(
    ("residuals", "most", "extremes"),
    [
        ([1.0, 3.0, -2.0, -5.0, 4.0], 9, [1, 3, 4]),
        ([1.0, 2.0, 3.0], 4, [2]),
        ([5.0, -1.0, 4.0, -4.0, 3.0], 3, [2, 3, 4]),
        ([5.0, -4.0, 6.0, -1.0, 7.0], 3, [0, 1, 2]),
    ],
)
def test_the_extremes_are_the_largest_of_each_sign_and_the_levellest_neighbours(
    residuals: list[float], most: int, extremes: list[int]
) -> None:
    assert _alternating_extremes(np.array(residuals), most=most) == extremes


@given(st.lists(st.floats(-10.0, 10.0).filter(lambda r: abs(r) > 1e-3), min_size=1, max_size=30), st.integers(1, 6))
@settings(max_examples=examples(60), deadline=None)
def test_extremes_alternate_in_sign_and_keep_their_order(residuals: list[float], most: int) -> None:
    errors = np.array(residuals)

    chosen = _alternating_extremes(errors, most=most)

    assert 1 <= len(chosen) <= most
    assert chosen == sorted(chosen)
    assert all(errors[a] * errors[b] < 0.0 for a, b in pairwise(chosen))


def test_lawson_keeps_the_best_constants_it_met_not_the_last() -> None:
    # given refits that first come close and then go away
    visits = iter([3.0, 0.5, 2.0, *[9.0] * 20])

    def refit(constants: FloatArray, _importance: FloatArray, _iterations: int) -> None:
        constants[0] = next(visits)

    best = lawson(np.array([7.0]), 3, lambda c: c[0] * np.array([1.0, -1.0, 0.5]), refit)

    assert best[0] == 0.5


def test_lawson_gives_more_weight_where_the_error_is_larger() -> None:
    seen: list[FloatArray] = []

    def refit(_constants: FloatArray, importance: FloatArray, _iterations: int) -> None:
        seen.append(importance.copy())

    lawson(np.zeros(1), 4, lambda _: np.array([1.0, -4.0, 2.0, 0.0]), refit)

    np.testing.assert_array_equal(seen[0], np.ones(4))
    assert all(weights[1] > weights[2] > weights[0] > weights[3] > 0.0 for weights in seen[1:])
    assert all(weights.mean() == pytest.approx(1.0) for weights in seen)


def test_lawson_stops_at_an_error_that_is_no_number() -> None:
    calls: list[int] = []

    def refit(_constants: FloatArray, _importance: FloatArray, iterations: int) -> None:
        calls.append(iterations)

    start = np.array([2.0])
    best = lawson(start, 3, lambda _: np.full(3, np.nan), refit)

    np.testing.assert_array_equal(best, start)
    assert len(calls) == 1


def exactly(program: Program, point: float) -> Fraction:
    """The program's value in exact arithmetic on its float64 constants."""
    apply: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
    }
    values = [Fraction(point)]
    for instruction in program.instructions:
        left, right = (values[a] if a >= 0 else Fraction(program.constants[-1 - a]) for a in instruction.arguments)
        values.append(apply[ARITHMETIC.functions[instruction.function].name](left, right))
    return values[program.output]


NEAR = parse("def f(x):\n    t = x + 1.1\n    return 2.3 / t + x * 0.7 - 0.9\n", ARITHMETIC)


def target_near(program: Program, *, relative: bool, nudge: Fraction = Fraction(0)) -> FitTarget:
    """The values of a program, exact to a double-double, moved by a part."""
    exact = [exactly(program, float(point)) * (1 + nudge) for point in FEW]
    values = np.array([float(value) for value in exact])
    low = np.array([float(value - Fraction(float(value))) for value in exact])
    return FitTarget(points=FEW, values=values, relative=relative, values_low=low)


@pytest.mark.parametrize("relative", [False, True])
def test_errors_are_those_of_exact_arithmetic(relative: bool) -> None:
    # given a target that is a part in 10^16 away, far below what float64 evaluation resolves
    target = target_near(NEAR, relative=relative, nudge=Fraction(1, 10**16))

    residuals = exact_residuals(NEAR, ARITHMETIC, target)

    wanted = [-exactly(NEAR, float(p)) / 10**16 / (abs(exactly(NEAR, float(p))) if relative else 1) for p in FEW]
    np.testing.assert_allclose(residuals, [float(value) for value in wanted], rtol=1e-9)


def test_a_target_without_low_parts_is_taken_as_float64_numbers() -> None:
    target = replace(target_near(NEAR, relative=False), values_low=None)

    residuals = exact_residuals(NEAR, ARITHMETIC, target)

    wanted = [float(exactly(NEAR, float(p)) - Fraction(float(v))) for p, v in zip(FEW, target.values, strict=True)]
    np.testing.assert_allclose(residuals, wanted, rtol=1e-9, atol=1e-28)


def numeric_derivatives(program: Program, target: FitTarget) -> FloatArray:
    """Derivatives of the errors by each constant, from exact differences."""
    rows = []
    for k, constant in enumerate(program.constants):
        step = 2.0**-20
        moved = replace(program, constants=(*program.constants[:k], constant + step, *program.constants[k + 1 :]))
        rows.append((exact_residuals(moved, ARITHMETIC, target) - exact_residuals(program, ARITHMETIC, target)) / step)
    return np.array(rows)


@given(st.lists(st.integers(-40, 40), min_size=4, max_size=4), st.booleans())
@settings(max_examples=examples(8), deadline=None)
def test_settling_never_makes_the_error_larger_and_says_the_error_of_what_it_returns(
    bits: list[int], relative: bool
) -> None:
    target = target_near(NEAR, relative=relative)
    moved = tuple(c + bit * float(np.spacing(c)) for c, bit in zip(NEAR.constants, bits, strict=True))
    start = replace(NEAR, constants=moved)
    before = float(np.abs(exact_residuals(start, ARITHMETIC, target)).max())

    settled, error = settle(
        start, ARITHMETIC, target, numeric_derivatives(start, target), np.random.default_rng(sum(bits) % 7)
    )

    assert error <= before
    assert error == np.abs(exact_residuals(settled, ARITHMETIC, target)).max()
    assert settled.instructions == start.instructions


def test_settling_finds_the_very_constants_of_a_reachable_target() -> None:
    target = target_near(NEAR, relative=True)
    moved = tuple(c + 9 * float(np.spacing(c)) for c in NEAR.constants)
    start = replace(NEAR, constants=moved)

    settled, error = settle(start, ARITHMETIC, target, numeric_derivatives(start, target), np.random.default_rng(0))

    assert error < 1e-30
    assert settled == NEAR


def test_settling_repeats_with_its_random_stream() -> None:
    target = target_near(NEAR, relative=True, nudge=Fraction(1, 3 * 10**15))
    derivatives = numeric_derivatives(NEAR, target)

    first, second = (settle(NEAR, ARITHMETIC, target, derivatives, np.random.default_rng(4)) for _ in range(2))

    assert first == second


@pytest.mark.parametrize("derivatives", [np.full((4, FEW.size), np.nan), np.full((4, FEW.size), np.inf)])
def test_derivatives_that_are_not_finite_leave_the_program_unsettled(derivatives: FloatArray) -> None:
    target = target_near(NEAR, relative=True, nudge=Fraction(1, 10**13))

    settled, error = settle(NEAR, ARITHMETIC, target, derivatives, np.random.default_rng(0))

    assert settled == NEAR
    assert error == pytest.approx(1e-13, rel=1e-6)


def test_a_program_without_constants_has_nothing_to_settle() -> None:
    program = parse("def f(x):\n    return x * x\n", ARITHMETIC)
    target = FitTarget(points=FEW, values=FEW**2 + 0.5, relative=False)

    settled, error = settle(program, ARITHMETIC, target, np.zeros((0, FEW.size)), np.random.default_rng(0))

    assert settled == program
    assert error == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("constant", [0.0, -0.0, 5e-324])
def test_a_constant_of_no_size_does_not_trouble_the_others(constant: float) -> None:
    # given  x * 1.5 + 0, the slope a few bits off
    right = parse("def f(x):\n    return x * 1.5 + 0.0\n", ARITHMETIC)
    target = FitTarget(points=FEW, values=1.5 * FEW)
    start = replace(right, constants=(1.5 + 3 * 2.0**-52, constant))

    settled, error = settle(
        start, ARITHMETIC, target, np.array([np.ones_like(FEW), 1.0 / target.values]), np.random.default_rng(0)
    )

    assert error < 3e-16
    assert np.isfinite(settled.constants).all()
