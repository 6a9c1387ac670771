"""The score of update rules, on a trainer whose answers are known."""

import math
from dataclasses import replace

import pytest

from evaluators.errors import EvaluatorError
from evaluators.optimizers.ledger import Ledger
from evaluators.optimizers.references import MissingReferenceError
from evaluators.optimizers.rungs import Run, Rung, rung_of
from evaluators.optimizers.scoring import score_rule, score_rules
from tests.unit.evaluators.optimizer_stand_in import OPTIMUM, StandInRule, rung, stand_in


@pytest.mark.parametrize("octaves", [-1.0, -0.3, 0.0, 0.2, 0.6])
def test_the_score_is_how_many_octaves_of_steps_a_rule_saves(octaves: float) -> None:
    # Given a rule that trains as AdamW does in 2^octaves times as many steps
    rule = StandInRule("rule", octaves=octaves)
    trainer, references = stand_in(rule)

    # When it is scored
    scored = score_rule(rule.as_rule, rung(), references=references, trainer=trainer)

    # Then the score is these octaves
    assert scored.score == pytest.approx(octaves, abs=0.02)


@pytest.mark.parametrize(("octaves", "expected"), [(3.0, 0.7), (-4.0, -1.5)])
def test_one_task_cannot_carry_the_score_beyond_cap_and_floor(octaves: float, expected: float) -> None:
    rule = StandInRule("rule", octaves=octaves)
    trainer, references = stand_in(rule)

    scored = score_rule(rule.as_rule, rung(), references=references, trainer=trainer)

    assert scored.score == expected
    assert abs(scored.tasks[0].raw) > abs(expected)


@pytest.mark.parametrize("size", [1e-6, 1e-2, 30.0, 1e5])
def test_a_constant_factor_on_the_update_changes_nothing(size: float) -> None:
    # Given a rule whose updates are so many times as large, so that its best learning rate is so many times smaller
    rule = StandInRule("rule", octaves=0.3, size=size)
    trainer, references = stand_in(rule)

    # When it is scored
    scored = score_rule(rule.as_rule, rung(), references=references, trainer=trainer)

    # Then it is worth the same, with a learning rate of its own, and no grid had to grow
    assert scored.score == pytest.approx(0.3, abs=0.02)
    assert scored.tasks[0].learning_rate == pytest.approx(OPTIMUM / size, rel=0.1)
    assert scored.n_trained == 5 * 2 + 4


def test_seeds_that_are_hard_for_every_rule_do_not_enter_the_score() -> None:
    # Given a rule like AdamW, and losses that differ between seeds by up to 80 %
    rule = StandInRule("rule")
    trainer, references = stand_in(rule)

    # When it is scored on few seeds
    scored = score_rule(rule.as_rule, rung(n_confirmation_seeds=2), references=references, trainer=trainer)

    # Then pairing takes the luck out
    assert scored.score == pytest.approx(0.0, abs=0.02)
    assert scored.standard_error < 0.01


def test_the_standard_error_grows_with_what_differs_between_seeds() -> None:
    calm, restless = StandInRule("calm", noise=0.01), StandInRule("restless", noise=0.2)
    trainer, references = stand_in(calm, restless)

    few, many = rung(n_confirmation_seeds=4), rung(n_confirmation_seeds=8)
    errors = [
        score_rule(rule.as_rule, at, references=references, trainer=trainer).standard_error
        for rule, at in ((calm, few), (restless, few), (restless, many))
    ]

    assert errors[0] < errors[1] / 5
    assert errors[2] < errors[1]


def test_a_rule_that_never_moves_scores_the_floor() -> None:
    rule = StandInRule("idle", is_idle=True)
    trainer, references = stand_in(rule)

    scored = score_rule(rule.as_rule, rung(), references=references, trainer=trainer)

    assert scored.score == -1.5
    assert scored.failure_rate == 0.0


def test_a_rule_that_diverges_at_every_learning_rate_has_no_score() -> None:
    rule = StandInRule("wild", stable_below=0.0)
    trainer, references = stand_in(rule)

    scored = score_rule(rule.as_rule, rung(), references=references, trainer=trainer)

    assert scored.score is None
    assert scored.failure_rate == 1.0
    assert scored.detail.startswith("task,steps=100: all ")
    assert "diverged, with learning rates from" in scored.detail


def test_seeds_that_diverge_at_the_tuned_rate_are_tried_at_a_smaller_one() -> None:
    # Given a rule that diverges on one of the confirmation seeds where it does best on the tuning seeds
    rule = StandInRule("edgy", unlucky_seeds=frozenset({1002}))
    trainer, references = stand_in(rule)

    # When it is scored
    scored = score_rule(rule.as_rule, rung(), references=references, trainer=trainer)

    # Then the smaller rate counts, on all seeds
    assert scored.failure_rate == 0.0
    assert scored.tasks[0].learning_rate < OPTIMUM / 1.2
    assert scored.score == pytest.approx(0.0, abs=0.2)


def test_the_learning_rate_is_tuned_on_other_seeds_than_the_score_is_taken_on() -> None:
    rule = StandInRule("rule")
    trainer, references = stand_in(rule)

    scored = score_rule(rule.as_rule, rung(), references=references, trainer=trainer)

    seeds = [seeds for name, _, seeds in trainer.trained if name == "rule"]
    assert seeds == [(0, 1)] * 5 + [(1000, 1001, 1002, 1003)]
    assert scored.tasks[0].seeds == (1000, 1001, 1002, 1003)


def test_a_deeper_rung_trains_only_what_the_ledger_does_not_know() -> None:
    # Given a rule that was scored on two tuning and four confirmation seeds
    rule = StandInRule("rule", octaves=0.2)
    trainer, references = stand_in(rule)
    ledger = Ledger()
    score_rule(rule.as_rule, rung(), references=references, trainer=trainer, ledger=ledger)

    # When it is scored on twice as many
    deeper = rung(n_tuning_seeds=4, n_confirmation_seeds=8)
    again = score_rule(rule.as_rule, deeper, references=references, trainer=trainer, ledger=ledger)

    # Then only the new seeds were trained, and the answer is that of an empty ledger
    fresh = score_rule(rule.as_rule, deeper, references=references, trainer=trainer)
    assert again.n_trained == 5 * 2 + 4
    assert (again.score, again.work, again.tasks) == (fresh.score, fresh.work, fresh.tasks)
    assert fresh.n_trained == 5 * 4 + 8


@pytest.mark.parametrize("size", [1.0, 1.35, 1.7])
def test_without_confirmation_the_grid_itself_is_read_and_nothing_more_is_trained(size: float) -> None:
    # Given a rule whose best learning rate lies between two of the grid
    rule = StandInRule("rule", octaves=0.3, size=size, seems=1.0)
    trainer, references = stand_in(rule)

    # When it is scored on tuning seeds alone
    scored = score_rule(rule.as_rule, rung(n_confirmation_seeds=0), references=references, trainer=trainer)

    # Then its value is that of the parabola's minimum
    assert scored.score == pytest.approx(0.3, abs=0.02)
    assert scored.n_trained == 5 * 2
    assert scored.tasks[0].seeds == (0, 1)


def test_rules_scored_together_get_what_they_get_alone() -> None:
    rules = [StandInRule("a", octaves=0.4), StandInRule("b", size=20.0), StandInRule("c", stable_below=0.0)]
    trainer, references = stand_in(*rules)

    together = score_rules([each.as_rule for each in rules], rung(), references=references, trainer=trainer)
    calls = trainer.calls
    alone = [score_rule(each.as_rule, rung(), references=references, trainer=trainer) for each in rules]

    assert [each.score for each in together] == [each.score for each in alone]
    assert [each.tasks for each in together] == [each.tasks for each in alone]
    assert calls < trainer.calls - calls


def test_a_rule_that_diverges_on_one_task_is_not_trained_on_the_next() -> None:
    rule = StandInRule("wild", stable_below=0.0)
    trainer, references = stand_in(rule)
    two = rung_of("two", [Run(task="task", n_steps=100), Run(task="other", n_steps=100)])

    scored = score_rule(rule.as_rule, two, references=references, trainer=trainer)

    assert scored.tasks == ()
    assert scored.metrics()["failure_rate"] == 1.0


def test_metrics_name_every_task_and_its_learning_rate() -> None:
    rule = StandInRule("rule", octaves=0.5)
    trainer, references = stand_in(rule)
    two = rung_of("two", [Run(task="task", n_steps=100), Run(task="task", n_steps=50), Run(task="other", n_steps=100)])

    metrics = score_rule(rule.as_rule, two, references=references, trainer=trainer).metrics()

    assert metrics["value_other"] == pytest.approx(0.5, abs=0.02)
    assert {"lr_task_steps_100", "lr_task_steps_50", "value_task_steps_50", "standard_error", "work"} <= set(metrics)
    assert metrics["against_default_adamw"] == pytest.approx(0.75, abs=0.02)
    assert all(math.isfinite(value) for value in metrics.values())


def test_a_run_without_reference_data_is_refused_with_the_horizons_there_are() -> None:
    rule = StandInRule("rule")
    trainer, references = stand_in(rule)
    unknown = rung_of("unknown", [Run(task="task", n_steps=99)])

    with pytest.raises(MissingReferenceError, match=r"task at 99 steps \(known horizons: 50, 71, 100, 141, 200\)"):
        score_rule(rule.as_rule, unknown, references=references, trainer=trainer)


def test_fresh_confirmation_seeds_are_paired_with_a_reference_trained_for_them() -> None:
    # Given seeds that no reference data were shipped for
    rule = StandInRule("rule", octaves=0.3)
    trainer, references = stand_in(rule)
    fresh = replace(rung(), confirmation_seeds=(5000, 5001))

    # When the rule is scored on them
    scored = score_rule(rule.as_rule, fresh, references=references, trainer=trainer)

    # Then AdamW was trained on the same seeds
    assert scored.tasks[0].seeds == (5000, 5001)
    assert any(name == references.rule.fingerprint and seeds == (5000, 5001) for name, _, seeds in trainer.trained)
    assert scored.score == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tuning_seeds": (0, 1000)}, "seeds \\[1000\\] of rung 'test' both tune and confirm"),
        ({"runs": ()}, "rung 'test' has 0 runs"),
        ({"ratio": 1.0}, "expected at least one of each and a ratio above 1"),
    ],
)
def test_a_rung_that_cannot_be_measured_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        _changed(rung(), change)


def _changed(given: Rung, change: dict[str, object]) -> Rung:
    return replace(given, **change)  # type: ignore[arg-type]
