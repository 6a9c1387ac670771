"""Learning rates on the global grid, and the parabola through them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.optimizers.tuning_grid import (
    HIGHEST,
    LOWEST,
    around,
    best_of,
    beyond,
    learning_rate,
    nearest_index,
    smoothed,
    stride_of,
    valley,
    vertex,
)
from tests.extent import examples


@given(st.integers(LOWEST, HIGHEST))
@settings(max_examples=examples(60))
def test_every_index_is_the_nearest_to_its_rate(index: int) -> None:
    assert nearest_index(learning_rate(index)) == index


@pytest.mark.parametrize(
    ("rate", "index"), [(0.0, LOWEST), (-1.0, LOWEST), (math.nan, LOWEST), (math.inf, HIGHEST), (1e300, HIGHEST)]
)
def test_rates_beyond_the_grid_are_moved_to_its_ends(rate: float, index: int) -> None:
    assert nearest_index(rate) == index


def test_the_grid_lies_around_its_centre() -> None:
    assert around(3, n=5, stride=10) == (-17, -7, 3, 13, 23)
    assert around(0, n=4, stride=2) == (-2, 0, 2, 4)
    assert stride_of(2.4) == 10


def test_among_equal_rates_the_smallest_is_best() -> None:
    assert best_of({4: 1.0, -4: 1.0, 0: 2.0}) == -4


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({0: 1.0, 10: 2.0, 20: 3.0}, (-20, -10)),
        ({0: 3.0, 10: 2.0, 20: 1.0}, (30, 40)),
        ({0: 3.0, 10: 2.0, 20: 2.5}, ()),
        ({0: 2.0, 10: 2.0, 20: 2.0}, (-20, -10)),
    ],
)
def test_the_grid_grows_at_the_edge_that_holds_the_best(values: dict[int, float], expected: tuple[int, ...]) -> None:
    assert beyond(values, n=2, stride=10) == expected


@given(st.integers(-8, 8), st.integers(-100, 100), st.floats(0.01, 100.0))
@settings(max_examples=examples(60))
def test_the_vertex_of_a_parabola_is_found(offset: int, centre: int, width: float) -> None:
    # Given log losses on a parabola whose minimum lies less than a stride from the centre of the grid
    values = {centre + 20 * k: ((20 * k - offset) / width) ** 2 for k in (-2, -1, 0, 1, 2)}

    # When its minimum is asked for
    index, depth = valley(values)

    # Then its place is the index of the minimum, and its depth how far that lies below the best of the grid
    assert index == vertex(values) == centre + offset
    assert depth == pytest.approx((offset / width) ** 2, rel=1e-9, abs=1e-15)


def test_a_cliff_beyond_the_best_rate_moves_the_vertex_no_further_than_a_steep_slope() -> None:
    gentle = {0: 1.0, 10: 0.0, 20: 10.0}
    cliff = {0: 1.0, 10: 0.0, 20: 1e9}

    assert vertex(cliff) == vertex(gentle)
    assert 5 <= vertex(cliff) < 10


@pytest.mark.parametrize("values", [{0: 1.0, 10: 1.0, 20: 1.0}, {0: 0.0, 10: 1.0}, {7: 0.5}])
def test_without_a_valley_the_best_of_the_grid_is_taken(values: dict[int, float]) -> None:
    assert vertex(values) == min(values, key=lambda index: (values[index], index))


def test_optima_along_horizons_are_smoothed_by_a_line() -> None:
    assert smoothed([10, 8, 6, 4], [5.0, 6.0, 7.0, 8.0]) == (10, 8, 6, 4)
    assert smoothed([10, 10, 4, 4], [0.0, 1.0, 2.0, 3.0]) == (11, 8, 6, 3)
    assert smoothed([10, 2], [0.0, 1.0]) == (10, 2)
