"""The parts of the circle seed that evolution may not change: its looks are counted, what it shows is a packing."""

import importlib.util
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples

FOLDER = Path(__file__).parents[3] / "problems" / "circle_packing_26"
N = 26

Array = npt.NDArray[np.float64]


def load_seed() -> Any:
    spec = importlib.util.spec_from_file_location("_circle_seed_under_test", FOLDER / "seed.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


seed = load_seed()


@st.composite
def circles(draw: st.DrawFn) -> tuple[Array, Array]:
    """26 centres, some outside the square or on top of each other, and radii of any sign."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    reach = draw(st.sampled_from([0.0, 0.2, 0.5, 1.0]))
    centres = 0.5 + reach * rng.uniform(-1, 1, (N, 2))
    return centres, rng.uniform(-0.05, draw(st.sampled_from([0.01, 0.1, 0.6])), N)


def overlap(rows: Array) -> Fraction:
    """The deepest overlap of a pair, squared distances compared, or the farthest that a circle sticks out."""
    x, y, r = ([Fraction(float(v)) for v in column] for column in rows.T)
    worst = max(r[i] - min(x[i], y[i], 1 - x[i], 1 - y[i]) for i in range(N))
    for i in range(N):
        for j in range(i):
            squared = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2
            worst = max(worst, (r[i] + r[j]) ** 2 - squared)
    return worst


@settings(deadline=None, max_examples=examples(40))
@given(circles())
def test_whatever_is_shown_is_remembered_as_a_packing(given_circles: tuple[Array, Array]) -> None:
    square = seed.Square()
    total = square.show(*given_circles)
    assert square.best.shape == (N, 3)
    assert overlap(square.best) <= Fraction(1, 10**9)
    assert square.best[:, 2].min() >= 0.0
    assert total == square.best_sum == pytest.approx(square.best[:, 2].sum(), abs=1e-12)


@settings(deadline=None, max_examples=examples(25))
@given(st.lists(circles(), min_size=1, max_size=5))
def test_the_best_that_was_shown_is_the_one_remembered(shown: list[tuple[Array, Array]]) -> None:
    square = seed.Square()
    totals = [square.show(*each) for each in shown]
    assert square.best_sum == max(totals)
    assert square.best[:, 2].sum() == pytest.approx(max(totals), abs=1e-12)


@settings(deadline=None, max_examples=examples(25))
@given(circles())
def test_showing_does_not_change_what_was_shown_and_costs_no_look(given_circles: tuple[Array, Array]) -> None:
    square = seed.Square()
    copies = [each.copy() for each in given_circles]
    square.show(*given_circles)
    assert all(np.array_equal(one, other) for one, other in zip(copies, given_circles, strict=True))
    assert square.looks_left == seed.N_LOOKS


@settings(deadline=None, max_examples=examples(25))
@given(circles())
def test_a_look_tells_overlaps_that_can_be_added_up_one_by_one(given_circles: tuple[Array, Array]) -> None:
    centres, radii = given_circles
    push, depth = seed.Square().look(centres, radii)
    assert push.shape == (N, 2)
    for i in range(N):
        wanted_push, wanted_depth = np.zeros(2), 0.0
        for j in range(N):
            if i == j:
                continue
            distance = np.sqrt(((centres[i] - centres[j]) ** 2).sum() + 1e-24)
            deep = max(radii[i] + radii[j] - distance, 0.0)
            wanted_depth += deep
            wanted_push += deep / distance * (centres[i] - centres[j])
        into = np.maximum(radii[i] - centres[i], 0.0)
        out_of = np.maximum(centres[i] + radii[i] - 1.0, 0.0)
        assert depth[i] == pytest.approx(wanted_depth + into.sum() + out_of.sum(), abs=1e-9)
        # where centres coincide the weights are huge and cancel
        if np.ptp(centres) > 0:
            assert push[i] == pytest.approx(wanted_push + into - out_of, abs=1e-6)


def test_there_are_six_hundred_looks_and_no_more() -> None:
    square = seed.Square()
    centres, radii = np.full((N, 2), 0.5) + np.arange(N)[:, None] / 100, np.full(N, 0.01)
    for _ in range(600):
        square.look(centres, radii)
    assert square.looks_left == 0
    with pytest.raises(seed.SpentError):
        square.look(centres, radii)
    square.show(centres, radii)


def test_the_seed_gives_the_same_packing_every_time() -> None:
    assert np.array_equal(seed.pack(), seed.pack())
