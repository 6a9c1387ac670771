"""Levenberg-Marquardt and its pieces against numpy's linear algebra."""

import numpy as np
import pytest

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.genomes import write_genome
from evolve.symbolic.lanes import LANES, dot, dot_vector
from evolve.symbolic.least_squares import (
    Table,
    Workspace,
    allocate,
    damp,
    damped_step,
    differentiate,
    evaluate,
    factorise,
    fit,
    mark_linear,
)
from evolve.symbolic.normal_form import link
from evolve.symbolic.tables import full_table
from evolve.symbolic.tape import FloatArray
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import ELEMENTARY

POINTS = np.linspace(0.5, 2.0, 29)
CUBIC = "def f(x):\n    return ((x * 1.0 + 1.0) * x + 1.0) * x + 1.0\n"
LINE = "def f(x):\n    return x * 1.0 + 1.0\n"


class Fitting:
    """A program and a table, linked and ready to fit."""

    def __init__(self, text: str, values: FloatArray, *, relative: bool = False, points: FloatArray = POINTS) -> None:
        program = parse(text, ELEMENTARY)
        self.table: Table = full_table(FitTarget(points=points, values=values, relative=relative))
        n_inputs = len(program.inputs)
        self.work: Workspace = allocate(n_inputs, 12, self.table.target.size)
        self.work.values[:n_inputs] = self.table.inputs
        code, constants = np.zeros((12, 3), np.int64), np.zeros((12, 2))
        self.n = write_genome(program, ELEMENTARY, code, constants)
        self.flat = np.zeros(24)
        self.n_constants = link(code, constants, self.n, n_inputs, self.work.tape, self.flat)
        self.n_inputs, self.n_points = n_inputs, values.size

    def fit(self, iterations: int = 60, *, projecting: bool = False) -> float:
        return fit(self.work, self.n, self.n_constants, self.flat, self.table, iterations, projecting)

    def cost(self) -> float:
        return evaluate(self.work, self.n, self.n_constants, self.flat, self.table)

    @property
    def constants(self) -> FloatArray:
        return self.flat[: self.n_constants].copy()

    def jacobian(self) -> FloatArray:
        """Derivatives of the weighted residuals at the held constants, one column a constant."""
        self.cost()
        differentiate(self.work, self.n, self.n_constants, self.table)
        first = self.n_inputs + self.n
        return self.work.adjoints[first : first + self.n_constants].T.copy()


@pytest.mark.parametrize("n", [8, 16, 40])
def test_inner_products_agree_with_numpy(n: int) -> None:
    a, b = np.random.default_rng(n).normal(size=(2, 3, n))

    assert dot(a, 1, b, 2, n) == pytest.approx(float(a[1] @ b[2]), rel=1e-13, abs=1e-13)
    assert dot_vector(a, 2, b[0], n) == pytest.approx(float(a[2] @ b[0]), rel=1e-13, abs=1e-13)
    assert dot(a, 1, b, 2, n) == dot(b, 2, a, 1, n)


@pytest.mark.parametrize("relative", [False, True])
def test_a_polynomial_is_fitted_as_numpy_fits_it(relative: bool) -> None:
    values = np.exp(POINTS)
    fitting = Fitting(CUBIC, values, relative=relative)

    cost = fitting.fit()

    wanted = np.polyfit(POINTS, values, 3, w=1.0 / values if relative else None)
    np.testing.assert_allclose(fitting.constants, wanted, rtol=1e-7)
    errors = (np.polyval(wanted, POINTS) - values) / (values if relative else 1.0)
    assert cost == pytest.approx(float(errors @ errors), rel=1e-8)


def test_the_projecting_step_alone_solves_a_linear_program() -> None:
    # given all four constants of  a + b * x + c * exp(x)
    text = "def f(x):\n    return 9.0 + x * -7.0 + exp(x) * 5.0\n"
    values = np.sin(POINTS)
    fitting = Fitting(text, values)

    cost = fitting.fit(1, projecting=True)

    basis = np.column_stack([np.ones_like(POINTS), POINTS, np.exp(POINTS)])
    wanted, squares, _, _ = np.linalg.lstsq(basis, values, rcond=None)
    assert cost == pytest.approx(float(squares[0]), rel=1e-8)
    np.testing.assert_allclose(sorted(fitting.constants), sorted(wanted), rtol=1e-6)


def test_projection_leaves_constants_that_enter_otherwise_where_they_were() -> None:
    fitting = Fitting("def f(x):\n    return exp(x * 0.9) * 3.0 + 2.0\n", np.exp(0.9 * POINTS) - 1.0)

    cost = fitting.fit(1, projecting=True)

    assert cost < 1e-20
    np.testing.assert_allclose(fitting.constants, (0.9, 1.0, -1.0), rtol=1e-9)


@pytest.mark.parametrize(
    ("expression", "linear"),
    [
        ("x * 2.0 + 3.0", [True, True]),
        ("3.0 / x", [True]),
        ("(x * 2.0 - 3.0) / x", [True, True]),
        ("exp(x * 2.0) * 3.0", [False, True]),
        ("3.0 / (x + 2.0)", [False, True]),
        ("exp(x + 2.0)", [False]),
        ("minimum(x, 2.0)", [False]),
        ("(x + 2.0) * (x + 3.0)", [False, False]),
        ("(x * 2.0 + 5.0) * 3.0", [False, False, True]),
    ],
)
def test_constants_in_which_the_output_is_affine_are_found(expression: str, linear: list[bool]) -> None:
    fitting = Fitting(f"def f(x):\n    return {expression}\n", POINTS)

    found = mark_linear(fitting.work.tape, fitting.n, 1, fitting.n_constants, fitting.work.linear)

    first = 1 + fitting.n
    marks = [mark == 1 for mark in fitting.work.linear[first : first + fitting.n_constants]]
    assert marks == linear
    assert found == any(linear)


def test_the_cost_of_a_marked_constant_is_a_parabola() -> None:
    # given a quotient that is affine in both of its constants
    fitting = Fitting("def f(x):\n    return (x * 2.0 - 3.0) / x\n", np.sqrt(POINTS))
    start = fitting.constants

    costs = []
    for step in range(4):
        fitting.flat[:2] = start + step * np.array([0.5, -0.25])
        costs.append(fitting.cost())

    assert np.diff(costs, 3)[0] == pytest.approx(0.0, abs=1e-10)


def test_factors_are_orthonormal_and_give_the_derivatives_back() -> None:
    fitting = Fitting("def f(x):\n    return 3.0 / (x + 2.0) + exp(x * 0.5)\n", POINTS)
    jacobian = fitting.jacobian()
    k, padded = fitting.n_constants, fitting.table.target.size
    residual = fitting.work.residual.copy()

    done = factorise(fitting.work, 1 + fitting.n, k, padded)

    rows, triangle = fitting.work.factor[:k], np.triu(fitting.work.triangle[:k, :k])
    assert done
    np.testing.assert_allclose(rows @ rows.T, np.eye(k), atol=1e-12)
    np.testing.assert_allclose(rows.T @ triangle / fitting.work.scale[:k], jacobian, atol=1e-12)
    np.testing.assert_allclose(fitting.work.projection[:k], rows @ residual, atol=1e-12)
    np.testing.assert_allclose(rows @ fitting.work.residual, np.zeros(k), atol=1e-12)


@pytest.mark.parametrize("damping", [1e-20, 1e-3, 1.0, 1e6])
def test_a_damped_step_solves_the_damped_normal_equations(damping: float) -> None:
    fitting = Fitting("def f(x):\n    return 3.0 / (x + 2.0) + exp(x * 0.5)\n", POINTS)
    jacobian = fitting.jacobian()
    residual, k = fitting.work.residual.copy(), fitting.n_constants
    factorise(fitting.work, 1 + fitting.n, k, fitting.table.target.size)

    damp(fitting.work, k, damping)
    damped_step(fitting.work, fitting.work.projection, k)

    scale = np.linalg.norm(jacobian, axis=0)
    stacked = np.vstack([jacobian / scale, np.sqrt(damping) * np.eye(k)])
    wanted = np.linalg.lstsq(stacked, -np.append(residual, np.zeros(k)), rcond=None)[0] / scale
    np.testing.assert_allclose(fitting.work.step[:k], wanted, rtol=1e-8)


def test_a_constant_that_changes_nothing_is_not_moved() -> None:
    # given  x - x = 0 times a constant
    fitting = Fitting("def f(x):\n    return (x - x) * 7.0 + x * 2.0\n", 3.0 * POINTS)

    fitting.fit()

    np.testing.assert_allclose(fitting.constants, (7.0, 3.0), rtol=1e-12)


def test_two_constants_that_do_the_same_work_still_reach_the_best_fit() -> None:
    fitting = Fitting("def f(x):\n    return x + 1.0 + 2.0\n", POINTS + 10.0)

    cost = fitting.fit()

    assert cost < 1e-20
    assert fitting.constants.sum() == pytest.approx(10.0)


def test_no_constants_and_no_iterations_answer_the_cost_as_it_stands() -> None:
    bare = Fitting("def f(x):\n    return x * x\n", POINTS)
    held = Fitting(LINE, 2.0 * POINTS)

    assert bare.fit() == pytest.approx(float(((POINTS**2 - POINTS) ** 2).sum()), rel=1e-14)
    assert held.fit(0) == pytest.approx(float(((1.0 - POINTS) ** 2).sum()), rel=1e-14)
    np.testing.assert_array_equal(held.constants, [1.0, 1.0])


def test_a_start_that_is_no_number_costs_infinity_and_keeps_its_constants() -> None:
    fitting = Fitting("def f(x):\n    return log(x - 5.0) * 2.0\n", POINTS)

    cost = fitting.fit()

    assert cost == np.inf
    np.testing.assert_array_equal(fitting.constants, [-5.0, 2.0] if fitting.constants[0] < 0.0 else [5.0, 2.0])


@pytest.mark.parametrize("projecting", [False, True])
@pytest.mark.parametrize(
    "expression",
    ["3.0 / (x + 2.0) + 0.1", "exp(x * -2.0) * 5.0", "sqrt(x + 0.3) * -4.0 + tanh(x * 9.0)", "minimum(x, 1.1) * 0.3"],
)
def test_a_fit_never_raises_the_cost_and_says_the_cost_it_reached(expression: str, projecting: bool) -> None:
    fitting = Fitting(f"def f(x):\n    return {expression}\n", np.cos(POINTS))
    before = fitting.cost()

    cost = fitting.fit(25, projecting=projecting)

    error = float(fitting.work.error[0])
    assert cost <= before * (1.0 + 1e-3)
    assert fitting.cost() == cost
    assert error == np.abs(fitting.work.residual).max()


@pytest.mark.parametrize("expression", ["3.0 / (x + 2.0) + 0.1", "exp(x * -0.5) * 5.0"])
def test_at_the_end_of_a_fit_the_gradient_is_zero(expression: str) -> None:
    fitting = Fitting(f"def f(x):\n    return {expression}\n", 4.0 / (POINTS + 1.0) + 0.1 * np.sin(7.0 * POINTS))

    fitting.fit(200)

    jacobian = fitting.jacobian()
    cosines = (fitting.work.residual @ jacobian) / np.linalg.norm(jacobian, axis=0)
    assert float(np.abs(cosines).max() / np.linalg.norm(fitting.work.residual)) < 1e-4


def test_padding_has_no_part_in_a_fit() -> None:
    # given the same points, padded by five or by thirteen copies of weight zero
    values, text = np.exp(POINTS[:27]), "def f(x):\n    return 3.0 / (x + 2.0) + 0.1\n"
    narrow = Fitting(text, values, points=POINTS[:27])
    wide = Fitting(text, values, points=POINTS[:27])
    wide.table = Table(*(np.pad(part, [(0, 0)] * (part.ndim - 1) + [(0, LANES)]) for part in narrow.table))
    wide.work = allocate(1, 12, wide.table.target.size)
    wide.work.values[:1], wide.work.tape[:] = wide.table.inputs, narrow.work.tape

    assert narrow.fit() == wide.fit()
    np.testing.assert_array_equal(narrow.constants, wide.constants)


def test_points_of_weight_zero_are_not_fitted() -> None:
    values = np.where(POINTS < 1.5, 2.0 * POINTS + 1.0, 100.0)
    fitting = Fitting(LINE, values)
    fitting.table.weights[: POINTS.size][POINTS >= 1.5] = 0.0

    fitting.fit()

    np.testing.assert_allclose(fitting.constants, (2.0, 1.0), rtol=1e-10)


def test_scaling_the_target_scales_a_linear_fit() -> None:
    once, ten = Fitting(LINE, np.exp(POINTS)), Fitting(LINE, 10.0 * np.exp(POINTS))

    costs = once.fit(), ten.fit()

    assert costs[1] == pytest.approx(100.0 * costs[0], rel=1e-9)
    np.testing.assert_allclose(ten.constants, 10.0 * once.constants, rtol=1e-9)


def test_work_is_counted_and_more_iterations_cost_more() -> None:
    ticks = []
    for iterations in (0, 5, 20):
        fitting = Fitting("def f(x):\n    return exp(x * -2.0) * 5.0 + 1.0 / (x + 0.2)\n", np.cos(POINTS))
        fitting.fit(iterations)
        ticks.append(int(fitting.work.ticks[0]))

    assert 0 < ticks[0] < ticks[1] < ticks[2]


def test_a_fit_repeats_to_the_last_bit() -> None:
    text = "def f(x):\n    return exp(x * -2.0) * 5.0 + 1.0 / (x + 0.2)\n"
    first, second = Fitting(text, np.cos(POINTS)), Fitting(text, np.cos(POINTS))

    assert first.fit() == second.fit()
    np.testing.assert_array_equal(first.constants, second.constants)


def test_two_inputs_are_fitted_as_numpy_fits_them() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(1.0, 2.0, (2, 30))
    values = x * y
    text = "def f(x, y):\n    return x * 1.0 + y * 1.0 + 1.0\n"
    fitting = Fitting(text, values, points=np.stack([x, y]))

    fitting.fit()

    wanted = np.linalg.lstsq(np.column_stack([x, y, np.ones(30)]), values, rcond=None)[0]
    np.testing.assert_allclose(fitting.constants, wanted, rtol=1e-8)
