"""Statistics of paired comparisons."""

import math

import numpy as np
import pytest
from scipy import stats

from evaluators.optimizers.statistics import geometric_mean, holm, kendall_tau, paired, pooled_error, ranks


def test_the_paired_test_is_students() -> None:
    differences = [0.11, -0.02, 0.31, 0.14, 0.09]

    found = paired(differences)

    expected = stats.ttest_1samp(differences, 0.0)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-12)
    assert found.mean / found.standard_error == pytest.approx(expected.statistic, rel=1e-12)


@pytest.mark.parametrize(
    ("differences", "error", "p_value"), [([0.5], math.inf, 1.0), ([0.0, 0.0], 0.0, 1.0), ([0.5, 0.5], 0.0, 0.0)]
)
def test_where_nothing_varies_the_test_says_what_it_can(differences: list[float], error: float, p_value: float) -> None:
    found = paired(differences)

    assert (found.standard_error, found.p_value) == (error, p_value)


def test_no_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one pair"):
        paired([])


def test_holm_corrects_for_every_claim_that_was_looked_at() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()


def test_holm_keeps_the_share_of_false_claims() -> None:
    # Given 400 tables of eight tasks on which nothing is better
    rng = np.random.default_rng(3)
    tables = rng.normal(size=(400, 8, 6))

    # When each task is tested and the table corrected
    claims = [min(holm([paired(list(task)).p_value for task in table])) < 0.05 for table in tables]

    # Then about one in twenty tables holds a false claim, where uncorrected tests make one in three
    assert np.mean(claims) < 0.08


def test_kendalls_tau_is_that_of_scipy() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.integers(0, 6, size=(2, 15)).tolist()

    assert kendall_tau(first, second) == pytest.approx(stats.kendalltau(first, second).statistic)
    assert kendall_tau([1, 2], [2, 2]) == 0.0


def test_equal_values_share_their_rank() -> None:
    assert ranks([0.3, 0.9, 0.3, 0.1]) == (2.5, 1.0, 2.5, 4.0)


def test_means_of_speed_ups_are_geometric() -> None:
    assert geometric_mean([2.0, 0.5]) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="expected positive ones"):
        geometric_mean([1.0, 0.0])


def test_the_error_of_a_mean_over_tasks_falls_with_their_number() -> None:
    assert pooled_error([0.1] * 4) == pytest.approx(0.05)
