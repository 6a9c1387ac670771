"""Linear programs: the compiled simplex method agrees with HiGHS, keeps all limits, and knows when nothing fits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.toolbox.linear import _highest_by_highs, highest, least_raised
from sandbox.toolbox.simplex import OPTIMAL, solve
from tests.extent import examples


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A program that some point fits; now and then degenerate, sparse, or with a coordinate that cannot move."""
    rng = np.random.default_rng(seed)
    m, n = int(rng.integers(1, 40)), int(rng.integers(1, 15))
    matrix = rng.normal(size=(m, n)) * (rng.random((m, n)) < rng.choice([0.2, 1.0]))
    low = rng.uniform(-2.0, 0.0, n)
    high = low + rng.uniform(0.0, 3.0, n) * (rng.random(n) < 0.9)
    inner = rng.uniform(low, high)
    limits = matrix @ inner + rng.choice([0.0, 1.0]) * rng.random(m)
    gains = rng.normal(size=n) * (rng.random(n) < 0.7)
    return gains, matrix, limits, low, high


@given(st.integers(0, 10**9))
@settings(max_examples=examples(90), deadline=None)
def test_the_compiled_method_finds_as_much_as_highs_and_keeps_the_limits(seed: int) -> None:
    gains, matrix, limits, low, high = drawn(seed)
    answer = np.empty(len(gains))

    status = solve(gains, matrix, limits, np.vstack([low, high]), answer)
    theirs = _highest_by_highs(gains, matrix, limits, low, high)

    assert status == OPTIMAL
    assert theirs is not None
    assert gains @ answer == pytest.approx(gains @ theirs, abs=1e-8)
    assert (matrix @ answer <= limits + 1e-9).all()
    assert (answer >= low - 1e-10).all()
    assert (answer <= high + 1e-10).all()


@pytest.mark.parametrize("seed", range(10))
def test_limits_that_no_point_keeps_are_told(seed: int) -> None:
    gains, matrix, limits, low, high = drawn(seed)
    matrix = np.vstack([matrix, np.ones(len(low)), -np.ones(len(low))])
    limits = np.concatenate([limits, [0.0, -1.0]])  # the sum is at most 0 and at least 1

    assert solve(gains, matrix, limits, np.vstack([low, high]), np.empty(len(low))) != OPTIMAL
    assert highest(gains, matrix, limits, low, high) is None


def test_coordinates_without_bounds_are_left_to_highs() -> None:
    free = highest(np.array([1.0]), np.array([[2.0]]), np.array([3.0]), np.array([-np.inf]), np.array([np.inf]))

    assert free == pytest.approx([1.5])


def test_the_least_value_is_raised_as_far_as_the_walls_let_it() -> None:
    values, slopes = np.array([1.0, 1.5, 9.0]), np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    wall = (np.array([[1.0, 0.0]]), np.array([0.1]))

    free, kept = (least_raised(values, slopes, walls, trust=0.5) for walls in (None, wall))

    assert free is not None
    assert kept is not None
    assert (free[0][0], free[1]) == pytest.approx((0.25, 1.25))
    assert (kept[0][0], kept[1]) == pytest.approx((0.1, 1.1))


@pytest.mark.parametrize("trust", [1e-2, 1e-8, 1e-13])
def test_small_moves_are_found_as_exactly_as_large_ones(trust: float) -> None:
    rng = np.random.default_rng(2)
    slopes = rng.normal(size=(12, 4))
    values = 1.0 + trust * rng.random(12)

    found = least_raised(values, slopes, None, trust)

    assert found is not None
    move, promised = found
    assert np.abs(move).max() <= trust * (1.0 + 1e-9)
    assert (promised - values.min()) / trust == pytest.approx(
        (float((values + slopes @ move).min()) - values.min()) / trust, abs=5e-3
    )
    assert promised > values.min()
