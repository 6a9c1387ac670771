"""The score of update rules on the proxies themselves: what must be at zero, and what must be at the bottom."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from evaluators.optimizers.references import SHIPPED, References
from evaluators.optimizers.rungs import Rung, judge_rung, quick_rung
from evaluators.optimizers.scoring import Scored, score_rule, score_rules
from sandbox.update_rules.rule import read_rule
from sandbox.update_rules.zoo import zoo_rule
from tests.extent import ALL_TESTS

pytest.importorskip("torch")

CHEAP = ("quad_rot", "lin_ae")
IDLE = "def update(g):\n    return 0.0 * g\n"
UPHILL = "def update(g):\n    return -g\n"
NOT_A_NUMBER = "def update(g):\n    a = square(square(exp(50.0 + square(g))))\n    return a - a + g\n"
WIPES = "def update(w, g):\n    return w + 1e-9 * g\n"
WIPES_SLOWLY = "def update(w, g, t):\n    return w / t + g\n"
KEEPS_SIGNS = "def update(w, g):\n    return sign(g) * abs(w)\n"


def _scored(texts: Sequence[str], rung: Rung) -> list[Scored]:
    return score_rules([read_rule(text) for text in texts], rung, references=References.load(SHIPPED))


def _small(tasks: Sequence[str] = ("lin_ae",), *, n_seeds: int = 2) -> Rung:
    return judge_rung(tasks, n_tuning_seeds=1, n_confirmation_seeds=n_seeds, n_learning_rates=3)


def test_a_rule_that_stands_still_scores_the_floor_and_one_that_climbs_or_breaks_has_no_score() -> None:
    idle, uphill, broken = _scored([IDLE, UPHILL, NOT_A_NUMBER], _small())

    assert idle.score == -1.5
    assert (uphill.score, broken.score) == (None, None)
    assert "runs diverged, with learning rates from" in uphill.detail


def test_shrinking_the_weights_is_worth_nothing() -> None:
    for scored in _scored([WIPES, WIPES_SLOWLY, KEEPS_SIGNS], _small(CHEAP)):
        assert scored.score is None or scored.score < -0.5, scored.rule.text


def test_a_factor_on_the_update_changes_no_value_of_an_honest_rule() -> None:
    # Given momentum, and momentum whose updates are 300 times as large
    plain = "def update(g, m):\n    m = 0.9 * m + g\n    return m, m\n"
    large = "def update(g, m):\n    m = 0.9 * m + g\n    return 300.0 * m, m\n"

    # When both are scored
    one, other = _scored([plain, large], judge_rung(["lin_ae"], n_confirmation_seeds=4))

    # Then they get the same up to the grid of learning rates, without a larger grid
    assert one.score == pytest.approx(other.score, abs=0.15)
    assert one.n_trained == other.n_trained == 5 * 2 + 4
    assert one.learning_rates["lin_ae"] == pytest.approx(300 * other.learning_rates["lin_ae"], rel=0.1)


def test_scores_are_the_same_bits_alone_and_together_with_other_rules() -> None:
    rung = quick_rung(["lin_ae"])
    rules = [zoo_rule("lion"), zoo_rule("sgd"), zoo_rule("muon_everywhere")]
    references = References.load(SHIPPED)

    together = score_rules(rules, rung, references=references)
    alone = score_rule(rules[1], rung, references=references)

    assert alone.tasks == together[1].tasks


@pytest.mark.skipif(not ALL_TESTS, reason="trains for a minute: set EVOLVE_ALL_TESTS=1")
def test_the_reference_scores_zero_on_seeds_that_nobody_saw() -> None:
    # Given AdamW with the chosen constants, and seeds that its reference data were not measured on
    references = References.load(SHIPPED)
    fresh = replace(judge_rung(), tuning_seeds=(40, 41), confirmation_seeds=tuple(range(7000, 7006)))

    # When it is scored like any candidate
    scored = score_rule(references.rule, fresh, references=references)

    # Then it is within 0.05 octaves of itself
    assert scored.score == pytest.approx(0.0, abs=0.05)
