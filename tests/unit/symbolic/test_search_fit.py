"""Constants: derivatives, least squares, levelling, rounding and units."""

import numpy as np
import pytest
from flint import arb, ctx

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.exchange import exchange, lawson
from evolve.symbolic.genomes import write_genome
from evolve.symbolic.least_squares import Table, Workspace, allocate, differentiate, evaluate, fit
from evolve.symbolic.normal_form import link
from evolve.symbolic.rounding import exact_residuals, settle
from evolve.symbolic.scaling import rescale
from evolve.symbolic.tables import full_table
from evolve.symbolic.tape import N_OPCODES, FloatArray, is_unary
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC, OP_ABS, OP_LOG, OP_SQRT

POINTS = 0.5 - 0.5 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
CORE = """def f(x):
    t = 90.4939320171 / x + x
    return 62.7256158131 / (237.378640883 / t + -31.3627904523 + t) + 0.99999999943638
"""


class Linked:
    """A program ready to fit."""

    def __init__(self, text: str, values: FloatArray) -> None:
        self.program: Program = parse(text, ARITHMETIC)
        self.target = FitTarget(points=POINTS, values=values)
        self.table: Table = full_table(self.target)
        self.work: Workspace = allocate(1, 12, self.table.target.size)
        self.work.values[:1] = self.table.inputs
        code, constants = np.zeros((12, 3), np.int64), np.zeros((12, 2))
        self.n = write_genome(self.program, ARITHMETIC, code, constants)
        self.flat = np.zeros(24)
        self.n_constants = link(code, constants, self.n, 1, self.work.tape, self.flat)

    def residuals(self, flat: FloatArray) -> FloatArray:
        evaluate(self.work, self.n, self.n_constants, flat, self.table)
        return self.work.residual[: POINTS.size].copy()

    def derivatives(self, flat: FloatArray) -> FloatArray:
        evaluate(self.work, self.n, self.n_constants, flat, self.table)
        differentiate(self.work, self.n, self.n_constants, self.table)
        rows = slice(1 + self.n, 1 + self.n + self.n_constants)
        return self.work.adjoints[rows, : POINTS.size].T.copy()

    def refit(self, flat: FloatArray, importance: FloatArray, iterations: int) -> None:
        weights = self.table.weights.copy()
        weights[: POINTS.size] *= np.sqrt(importance)
        weighted = Table(self.table.inputs, self.table.target, weights)
        fit(self.work, self.n, self.n_constants, flat, weighted, iterations, False)


@pytest.mark.parametrize("opcode", range(N_OPCODES))
def test_derivatives_of_every_operation_agree_with_finite_differences(opcode: int) -> None:
    # given  output = op(x * c0, x + c1) * c2, or op(x * c0) * c2
    table = full_table(FitTarget(points=POINTS, values=np.ones(POINTS.size)))
    work = allocate(1, 4, table.target.size)
    work.values[:1] = table.inputs
    work.tape[0] = (2, 0, 5)
    work.tape[1] = (0, 0, 6)
    work.tape[2] = (opcode, 1, 1 if is_unary(opcode) else 2)
    work.tape[3] = (2, 3, 7)
    positive = opcode in (OP_SQRT, OP_LOG, OP_ABS)
    flat = np.array([1.7 if positive else -1.7, 0.6, 0.8])

    # when
    evaluate(work, 4, 3, flat, table)
    differentiate(work, 4, 3, table)
    exact = work.adjoints[5:8, : POINTS.size].copy()

    # then
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-6
        evaluate(work, 4, 3, flat + step, table)
        above = work.residual[: POINTS.size].copy()
        evaluate(work, 4, 3, flat - step, table)
        numeric = (above - work.residual[: POINTS.size]) / 2e-6
        np.testing.assert_allclose(exact[k], numeric, rtol=1e-6, atol=1e-7)


def test_a_fit_recovers_known_constants() -> None:
    # given
    linked = Linked("def f(x):\n    return 3.0 / (x + 2.0) + 0.5\n", 1.5 / (POINTS + 0.75) - 0.25)

    # when
    cost = fit(linked.work, linked.n, linked.n_constants, linked.flat, linked.table, 100, True)

    # then
    assert cost < 1e-24
    np.testing.assert_allclose(linked.flat[:3], (0.75, 1.5, -0.25), rtol=1e-9)


def test_a_program_that_passes_through_infinity_can_be_fitted() -> None:
    points = np.linspace(0.0, 1.0, 40)
    linked = Linked("def f(x):\n    return 30.0 / (x + -10.0 + 20.0 / x) + 1.0\n", np.exp2(POINTS))
    table = full_table(FitTarget(points=points, values=np.exp2(points)))
    work = allocate(1, 12, table.target.size)
    work.values[:1], work.tape[:] = table.inputs, linked.work.tape

    cost = fit(work, linked.n, linked.n_constants, linked.flat, table, 200, False)

    assert np.sqrt(cost / 40) < 1e-5


def test_levelling_makes_the_extremes_of_the_error_equal() -> None:
    # given a least-squares fit of a cubic
    linked = Linked("def f(x):\n    return ((x * 0.1 + 0.2) * x + 0.7) * x + 1.0\n", np.exp2(POINTS))
    flat = linked.flat[: linked.n_constants].copy()
    linked.refit(flat, np.ones(POINTS.size), 30)
    before = np.abs(linked.residuals(flat)).max()

    # when
    flat = lawson(flat, POINTS.size, linked.residuals, linked.refit)
    flat = exchange(flat, linked.residuals, linked.derivatives)

    # then the five extremes of the minimax cubic are level, at the known error
    residuals = linked.residuals(flat)
    runs = np.split(np.abs(residuals), np.flatnonzero(np.diff(np.sign(residuals))) + 1)
    extremes = np.array([run.max() for run in runs])
    assert extremes.size == 5
    assert extremes.max() / extremes.min() < 1.01
    assert extremes.max() == pytest.approx(7.478e-5, rel=0.02)
    assert extremes.max() < before


def test_rounded_constants_come_close_to_the_best_real_ones() -> None:
    # given the published structure, squared three times, constants good to ten digits only
    text = """def f(x):
    t = 5783.524908925238 / x + x
    u = 501.1042480400302 / (15141.93066626962 / t + -250.5521240156971 + t) + 0.9999999999999997
    v = u * u
    w = v * v
    return w * w
"""
    bits = ctx.prec
    ctx.prec = 200
    exact = [arb(2) ** arb(float(point)) for point in POINTS]
    low = np.array([float(value - arb(float(value))) for value in exact])
    ctx.prec = bits
    linked = Linked(text, np.array([float(value) for value in exact]))
    target = FitTarget(points=POINTS, values=linked.target.values, values_low=low)
    before = np.abs(exact_residuals(linked.program, ARITHMETIC, target)).max()

    # when
    derivatives = linked.derivatives(linked.flat).T
    settled, error = settle(linked.program, ARITHMETIC, target, derivatives, np.random.default_rng(0))

    # then
    assert error < before
    assert error < 2.6e-15  # 2.19e-15 is the best of real constants
    assert error == np.abs(exact_residuals(settled, ARITHMETIC, target)).max()


def test_constants_move_with_the_unit_of_the_input() -> None:
    # given
    linked = Linked(CORE, np.exp2(POINTS))
    evaluate(linked.work, linked.n, linked.n_constants, linked.flat, linked.table)
    before = linked.work.values[linked.n].copy()
    system = np.zeros((80, 60))

    # when
    found = rescale(linked.work.tape, linked.n, 1, linked.n_constants, linked.flat, system, 2.0)
    linked.work.values[:1] = 2.0 * linked.table.inputs
    evaluate(linked.work, linked.n, linked.n_constants, linked.flat, linked.table)

    # then f_new(2 x) = f_old(x)
    assert found
    np.testing.assert_allclose(linked.work.values[linked.n], before, rtol=1e-12)


def test_a_program_without_units_is_left_alone() -> None:
    linked = Linked("def f(x):\n    return (x + x * x) * 2.0\n", np.exp2(POINTS))
    before = linked.flat.copy()

    found = rescale(linked.work.tape, linked.n, 1, linked.n_constants, linked.flat, np.zeros((80, 60)), 2.0)

    # x and x * x cannot be added in one unit
    assert not found
    np.testing.assert_array_equal(linked.flat, before)


@pytest.mark.parametrize(
    ("points", "values", "message"),
    [
        (np.arange(5.0), np.ones(4), "do not match"),
        (np.arange(3.0), np.ones(3), "at least 4"),
        (np.arange(5.0), np.array([1.0, 0.0, 1.0, 1.0, 1.0]), "other than zero"),
        (np.arange(5.0), np.array([1.0, np.nan, 1.0, 1.0, 1.0]), "finite"),
    ],
)
def test_a_useless_table_is_refused(points: FloatArray, values: FloatArray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FitTarget(points=points, values=values)
