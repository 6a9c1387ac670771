"""Weighted errors: the table that constants are fitted on, what is refused, and that a burst obeys the weights."""

import numpy as np
import pytest

from evolve.symbolic.burst import burst
from evolve.symbolic.contract import BurstSettings, FitTarget, FloatArray
from evolve.symbolic.tables import full_table, search_table
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.vocabulary import ARITHMETIC

POINTS = np.linspace(0.0, 2.0, 64)
WEIGHTS = np.exp(-2.0 * POINTS)


def target(**more: object) -> FitTarget:
    fields: dict[str, object] = {"points": POINTS, "values": np.exp(POINTS), "relative": False, "weights": WEIGHTS}
    return FitTarget(**{**fields, **more})  # type: ignore[arg-type]


def test_the_scale_of_errors_is_the_weight_or_comes_from_the_values() -> None:
    assert np.array_equal(target().scale, WEIGHTS)
    assert np.array_equal(target(weights=None).scale, np.ones(64))
    assert np.allclose(target(weights=None, relative=True).scale, np.exp(-POINTS))


def test_tables_carry_the_weights_and_the_padding_weighs_nothing() -> None:
    table = full_table(target())
    assert np.array_equal(table.weights[:64], WEIGHTS)
    assert not table.weights[64:].any()
    few = search_table(target())
    chosen = np.flatnonzero(few.weights)
    assert np.allclose(few.weights[chosen], np.exp(-2.0 * few.inputs[0][chosen]))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"relative": True}, "relative or weighted, not both"),
        ({"weights": WEIGHTS[:-1]}, "as many as the values"),
        ({"weights": WEIGHTS - WEIGHTS[5]}, "above 0"),
        ({"weights": np.full(64, np.nan)}, "finite"),
    ],
)
def test_weights_that_no_fit_can_use_are_refused(more: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        target(**more)


def errors_of(weights: FloatArray | None) -> tuple[float, float]:
    """Of the best child with at most three operations: its own error, and its largest error times WEIGHTS."""
    asked = target(weights=weights)
    result = burst([], ARITHMETIC, asked, BurstSettings(work=0.02, max_operations=3), (1,))
    best = min(result.children, key=lambda child: child.error)
    values = evaluate(best.program, ARITHMETIC, [POINTS])
    return best.error, float(np.abs((values - np.exp(POINTS)) * WEIGHTS).max())


def test_a_burst_makes_weighted_errors_small() -> None:
    told, weighted = errors_of(WEIGHTS)
    _, unweighted = errors_of(None)
    assert told == pytest.approx(weighted, rel=1e-6)
    assert weighted < 0.5 * unweighted
