"""AdamW's loss over horizons, read backwards."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.optimizers.reference_curve import Curve, never_rising
from tests.extent import examples

POWER_LAW = Curve.through({n: -0.5 * math.log(n) for n in (50, 71, 100, 141, 200)})

sequences = st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=8)


@pytest.mark.parametrize("octaves", [-1.5, -0.7, 0.0, 0.4, 1.3])
def test_a_loss_is_worth_the_steps_that_adamw_needs_for_it(octaves: float) -> None:
    better = -0.5 * math.log(2.0) * octaves

    assert POWER_LAW.speed_up(better, 100) == pytest.approx(octaves, abs=0.002)


def test_speed_ups_end_an_octave_beyond_the_horizons_measured() -> None:
    assert POWER_LAW.speed_up(-50.0, 100) == pytest.approx(2.0)
    assert POWER_LAW.speed_up(50.0, 100) == pytest.approx(-2.0)


def test_beyond_its_end_a_flattening_curve_is_continued_against_the_candidate() -> None:
    # Given AdamW on its way to a floor, known up to 200 steps
    def log_loss(n: float) -> float:
        return math.log(1.0 + 100.0 / n)

    curve = Curve.through({n: log_loss(n) for n in (50, 71, 100, 141, 200)})

    # When a rule reaches in 200 steps what AdamW reaches in 320
    found = curve.speed_up(log_loss(320) - log_loss(200), 200)

    # Then it gets less than it deserves, not more
    assert 0.3 < found < math.log2(320 / 200)


@given(sequences)
@settings(max_examples=examples(60))
def test_the_nearest_falling_sequence_falls_keeps_the_mean_and_is_left_alone(values: list[float]) -> None:
    found = never_rising(values)

    assert all(a >= b - 1e-12 for a, b in itertools.pairwise(found))
    assert math.fsum(found) == pytest.approx(math.fsum(values), abs=1e-9)
    assert never_rising(found) == pytest.approx(found, abs=1e-12)


@given(sequences, st.floats(-3.0, 3.0), st.floats(0.0, 2.0))
@settings(max_examples=examples(60))
def test_a_lower_loss_is_never_worth_less(values: list[float], ratio: float, better: float) -> None:
    curve = Curve.through({50 * 2**place: value for place, value in enumerate(values)})

    assert curve.speed_up(ratio - better, 100) >= curve.speed_up(ratio, 100) - 1e-9


@pytest.mark.parametrize("points", [{}, {100: 1.0}, {50: 1.0, 100: math.nan}])
def test_a_curve_needs_two_finite_points(points: dict[int, float]) -> None:
    with pytest.raises(ValueError, match="expected at least two of finite log loss"):
        Curve.through(points)
