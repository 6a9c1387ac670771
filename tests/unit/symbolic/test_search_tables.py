"""Tables, units and the contract of a burst: what compiled code is given to read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.symbolic.contract import BurstKind, BurstSettings, FitTarget
from evolve.symbolic.genomes import write_genome
from evolve.symbolic.lanes import LANES
from evolve.symbolic.normal_form import link
from evolve.symbolic.scaling import rescale
from evolve.symbolic.tables import CHECK_POINTS, SEARCH_POINTS, blank_like, check_band, full_table, search_table
from evolve.symbolic.tape import FloatArray, forward
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import ELEMENTARY
from tests.extent import examples


def target_of(n: int, *, relative: bool = True) -> FitTarget:
    points = np.linspace(1.0, 3.0, n)
    return FitTarget(points=points, values=np.exp(points), relative=relative)


@pytest.mark.parametrize("n", [4, 7, 8, 9, 40, 48, 255])
def test_a_full_table_has_every_point_and_is_padded_by_weightless_copies_of_the_last(n: int) -> None:
    target = target_of(n)

    table = full_table(target)

    assert table.target.size % LANES == 0
    assert n <= table.target.size < n + LANES
    np.testing.assert_array_equal(table.inputs[0, :n], target.points)
    np.testing.assert_array_equal(table.target[:n], target.values)
    np.testing.assert_allclose(table.weights[:n] * target.values, 1.0, rtol=1e-15)
    assert not table.weights[n:].any()
    assert (table.inputs[0, n:] == target.points[-1]).all()


def test_an_absolute_table_weighs_every_point_alike() -> None:
    table = full_table(target_of(11, relative=False))

    assert table.weights[:11].tolist() == [1.0] * 11


def test_weights_of_negative_values_are_positive() -> None:
    points = np.linspace(1.0, 2.0, 8)

    table = full_table(FitTarget(points=points, values=-(points**2)))

    assert (table.weights > 0.0).all()


@pytest.mark.parametrize("n", [4, SEARCH_POINTS, SEARCH_POINTS + LANES])
def test_a_small_target_is_searched_whole(n: int) -> None:
    whole, searched = full_table(target_of(n)), search_table(target_of(n))

    for left, right in zip(whole, searched, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("n", [SEARCH_POINTS + LANES + 1, 100, 1000])
def test_of_a_large_target_few_points_are_searched_with_both_ends(n: int) -> None:
    target = target_of(n)

    table = search_table(target)

    assert table.target.size == SEARCH_POINTS
    assert (table.inputs[0, 0], table.inputs[0, -1]) == (target.points[0], target.points[-1])
    assert (np.diff(table.inputs[0]) > 0.0).all()
    np.testing.assert_array_equal(table.target, np.interp(table.inputs[0], target.points, target.values))


def test_tables_of_two_inputs_keep_the_inputs_together() -> None:
    x, y = np.arange(1.0, 101.0), np.arange(201.0, 301.0)
    table = search_table(FitTarget(points=np.stack([x, y]), values=x * y))

    assert table.inputs.shape == (2, SEARCH_POINTS)
    np.testing.assert_array_equal(table.inputs[1] - table.inputs[0], 200.0)
    np.testing.assert_array_equal(table.inputs[0] * table.inputs[1], table.target)


def test_whole_numbers_are_taken_as_float64() -> None:
    table = full_table(FitTarget(points=np.arange(1, 9), values=np.arange(2, 10)))  # type: ignore[arg-type]

    assert {part.dtype for part in table} == {np.dtype(np.float64)}
    assert all(part.flags.c_contiguous for part in table)


def test_a_blank_table_may_be_overwritten_without_touching_the_first() -> None:
    table = full_table(target_of(8))
    before = table.weights.copy()

    blank = blank_like(table)
    blank.weights[:] = blank.target[:] = 7.0

    np.testing.assert_array_equal(table.weights, before)
    assert not (table.target == 7.0).any()


@given(st.lists(st.floats(-100.0, 100.0), min_size=4, max_size=30, unique=True), st.integers(0, 1000))
@settings(max_examples=examples(50), deadline=None)
def test_the_band_holds_straight_lines_between_the_points(points: list[float], rng_seed: int) -> None:
    x = np.sort(np.array(points))
    y = np.random.default_rng(rng_seed).normal(size=x.size)

    between, low, high = check_band(FitTarget(points=x, values=y, relative=False))

    assert between.size == CHECK_POINTS
    assert (between[0], between[-1]) == (x[0], x[-1])
    line = np.interp(between, x, y)
    assert (low <= line).all()
    assert (line <= high).all()


def test_the_band_shuts_out_a_pole_between_two_points() -> None:
    # given a pole at 1.51, between two points
    points = np.linspace(1.0, 2.0, 11)
    between, low, high = check_band(FitTarget(points=points, values=points))

    poled = between + 1e-3 / (between - 1.51)

    assert ((poled < low) | (poled > high)).any()


def test_the_band_does_not_depend_on_the_order_of_the_points() -> None:
    points = np.linspace(1.0, 2.0, 9)
    mixed = np.random.default_rng(0).permutation(9)

    sorted_band = check_band(FitTarget(points=points, values=points**3))
    mixed_band = check_band(FitTarget(points=points[mixed], values=points[mixed] ** 3))

    for left, right in zip(sorted_band, mixed_band, strict=True):
        np.testing.assert_array_equal(left, right)


def test_there_is_no_band_over_two_inputs_but_one_over_a_single_row() -> None:
    row = np.linspace(1.0, 2.0, 9)

    assert check_band(FitTarget(points=np.stack([row, row]), values=row))[0].size == 0
    assert check_band(FitTarget(points=row[None, :], values=row))[0].size == CHECK_POINTS


@pytest.mark.parametrize(
    ("points", "values"),
    [
        (np.ones((2, 3, 4)), np.ones(4)),
        (np.ones(()), np.ones(())),
        (np.ones((4, 2)), np.ones(4)),
        (np.ones(5), np.ones((1, 5))),
        (np.ones(0), np.ones(0)),
        (np.array([1.0, 2.0, np.inf, 3.0]), np.ones(4)),
        (np.arange(4.0), np.array([1.0, -np.inf, 1.0, 1.0])),
        (np.arange(4.0), np.array([1.0, -0.0, 1.0, 1.0])),
    ],
)
def test_tables_of_a_wrong_shape_or_without_numbers_are_refused(points: FloatArray, values: FloatArray) -> None:
    with pytest.raises(ValueError, match=r"match|at least 4|finite|zero"):
        FitTarget(points=points, values=values)


def test_an_absolute_error_allows_zeros() -> None:
    target = FitTarget(points=np.arange(4.0), values=np.zeros(4), relative=False)

    assert full_table(target).weights[:4].tolist() == [1.0] * 4


def test_kinds_of_burst_are_known_by_their_names() -> None:
    assert [BurstKind(name) for name in ("mutate", "refit", "crossover", "enumerate", "screen")] == list(BurstKind)
    assert BurstSettings().kind is BurstKind.MUTATE


class Scaled:
    """A program whose constants are to be moved to another unit."""

    def __init__(self, expression: str) -> None:
        program = parse(f"def f(x):\n    return {expression}\n", ELEMENTARY)
        code, constants = np.zeros((12, 3), np.int64), np.zeros((12, 2))
        self.n = write_genome(program, ELEMENTARY, code, constants)
        self.tape, self.flat = np.zeros((12, 3), np.int64), np.zeros(24)
        self.n_constants = link(code, constants, self.n, 1, self.tape, self.flat)

    def rescale(self, factor: float) -> bool:
        return rescale(self.tape, self.n, 1, self.n_constants, self.flat, np.zeros((80, 60)), factor)

    def values(self, points: FloatArray) -> FloatArray:
        rows = np.zeros((1 + self.n + self.n_constants, points.size))
        rows[0] = points
        rows[1 + self.n :] = self.flat[: self.n_constants, None]
        forward(self.tape, self.n, 1, rows, points.size)
        return np.asarray(rows[self.n])


POINTS = np.linspace(0.25, 3.0, 31)
WITH_UNITS = (
    "x * 3.0",
    "2.0 / x + 5.0",
    "x * x * 3.0 + x * 2.0 + 1.0",
    "1.0 / (x + 3.0 / (x + 4.0 / x)) * 2.0 + 0.5",
    "exp(x * 0.7) * 2.0",
    "tanh(x * 3.0 + 1.0) + cos(x * 2.0)",
    "sqrt(x + 2.0) * 3.0",
    "square(x * 2.0 + 1.0) * 3.0",
    "minimum(x, 1.5) * 4.0",
    "maximum(x * 2.0, 1.5) + abs(x * 3.0 - 1.0)",
    "log(x * 2.0)",
    "-x * 3.0",
)


@pytest.mark.parametrize("factor", [2.0, 0.5, 3.7])
@pytest.mark.parametrize("expression", WITH_UNITS)
def test_a_rescaled_program_answers_at_the_multiple_what_it_answered_before(expression: str, factor: float) -> None:
    program = Scaled(expression)
    before = program.values(POINTS)

    found = program.rescale(factor)

    assert found
    np.testing.assert_allclose(program.values(factor * POINTS), before, rtol=1e-12)


@pytest.mark.parametrize("expression", WITH_UNITS)
def test_rescaling_there_and_back_restores_the_constants(expression: str) -> None:
    program = Scaled(expression)
    before = program.flat.copy()

    program.rescale(2.0)
    program.rescale(0.5)

    np.testing.assert_allclose(program.flat, before, rtol=1e-14)


@pytest.mark.parametrize(
    "expression", ["exp(x)", "x + x * x", "x", "x / (x * x) * 2.0 + x", "exp(x * 2.0) + x", "x + tanh(x)"]
)
def test_a_program_that_no_constants_can_rescale_is_refused_and_unchanged(expression: str) -> None:
    program = Scaled(expression)
    before = program.flat.copy()

    found = program.rescale(2.0)

    assert not found
    np.testing.assert_array_equal(program.flat, before)


def test_a_ratio_has_no_unit_and_needs_no_constants() -> None:
    program = Scaled("x / (x + x)")

    assert program.rescale(5.0)
    np.testing.assert_array_equal(program.values(POINTS), program.values(5.0 * POINTS))


@given(st.floats(0.1, 10.0))
@settings(max_examples=examples(30), deadline=None)
def test_a_factor_of_one_moves_nothing_and_a_power_law_moves_by_the_power(factor: float) -> None:
    # given  x^3 / 7 written with one constant
    still, moved = Scaled("x * x * x * 7.0"), Scaled("x * x * x * 7.0")

    still.rescale(1.0)
    moved.rescale(factor)

    assert still.flat[0] == 7.0
    assert moved.flat[0] == pytest.approx(7.0 / factor**3, rel=1e-12)
