"""The family `optimizer`: what a rule gets, what fails, and why cheats do not pay."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from evaluators.contract import Certainty, Evaluation, Failure
from evaluators.errors import EvaluatorError
from evaluators.judge import Judge
from evaluators.optimizers.family import OptimizerFamily, n_slots
from evaluators.optimizers.references import References
from evaluators.optimizers.rungs import Run
from evaluators.spec import JudgeSpec
from evolve.config.problem import load_problem
from sandbox.symbolic.vocabulary import load_vocabulary
from sandbox.update_rules.rule import read_rule
from sandbox.update_rules.zoo import zoo_text
from tests.extent import ALL_TESTS

CHEAP = {"tuning_seeds": 1, "confirmation_seeds": 3, "learning_rates": 3}
SPEC = JudgeSpec.from_mapping(load_problem("optimizers").judge_spec_mapping())


def judge_with(**options: object) -> Judge:
    return Judge(replace(SPEC, options={**CHEAP, "tasks": ["lin_ae"], **options}))


@pytest.fixture(scope="module")
def judge() -> Judge:
    return judge_with()


def rule(body: str, *, reads: str = "g, w, t", slots: str = "") -> str:
    tail = f", {slots}" if slots else ""
    return f"def update({reads}{tail}):\n    return {body}{tail}\n"


def judged(judge: Judge, text: str) -> Evaluation:
    return judge.evaluate({"seed.py": text})


def test_tuned_adamw_is_worth_nothing_against_itself(judge: Judge) -> None:
    evaluation = judged(judge, References.shipped().text)

    assert evaluation.score is not None
    assert abs(evaluation.score) < 0.2  # the noise of one tuning seed and three learning rates
    assert evaluation.metrics["against_default_adamw"] > 0.1
    assert evaluation.descriptor == {"slots": 2.0, "operations": 8.0, "family": "adaptive"}


def test_the_same_rule_gets_the_same_numbers_bit_for_bit(judge: Judge) -> None:
    first, second = judged(judge, zoo_text("nadamw")), judged(judge_with(), zoo_text("nadamw"))

    assert json.dumps(dict(first.metrics)) == json.dumps(dict(second.metrics))
    assert first.score == second.score


def test_what_a_rule_did_on_every_task_is_told(judge: Judge) -> None:
    evaluation = judged(judge, zoo_text("muon_everywhere", beta=0.7))

    assert evaluation.artifacts["tasks"].startswith("lin_ae: ")
    assert "times as fast as tuned AdamW" in evaluation.artifacts["tasks"]
    assert {"speedup", "value_lin_ae", "lr_lin_ae", "standard_error"} <= set(evaluation.metrics)
    assert evaluation.descriptor["family"] == "matrix"


@pytest.mark.parametrize(
    ("body", "failure", "words"),
    [
        ("w", Failure.INVALID, "does not depend on the gradient"),
        ("g - g", Failure.INVALID, "has size 0"),
        ("-g", Failure.NOT_FINITE, "lin_ae.*diverged"),
        ("g * exp(t)", Failure.NOT_FINITE, "lin_ae.*diverged"),
        ("w + g * 1e-9", Failure.THRESHOLD, "far slower than AdamW on the cheapest tasks"),
    ],
)
def test_a_rule_that_trains_nothing_has_failed_and_is_told_why(
    judge: Judge, body: str, failure: Failure, words: str
) -> None:
    evaluation = judged(judge, rule(body))

    assert evaluation.failure == failure
    assert re.search(words, evaluation.detail)


@pytest.mark.parametrize("body", ["w + g * 1e-9", "g + w / t", "sign(g) * abs(w)", "w * 0.0 - w + g * 1e-9"])
def test_moving_all_weights_to_zero_or_away_solves_no_quadratic(body: str) -> None:
    evaluation = judged(judge_with(tasks=["quad_rot"]), rule(body))

    assert evaluation.failure is not None or (evaluation.score is not None and evaluation.score < -0.5)


def test_a_tuned_factor_of_the_update_wins_nothing(judge: Judge) -> None:
    plain = judged(judge, rule("ema(m, g, 0.8), ema(m, g, 0.8)", reads="g, m"))
    scaled = judged(judge, rule("ema(m, g, 0.8) * 64.0, ema(m, g, 0.8)", reads="g, m"))

    assert plain.score == scaled.score


def test_a_step_of_ones_own_size_wins_nothing(judge: Judge) -> None:
    honest = judged(judge, zoo_text("normalised_momentum"))
    fixed = judged(judge, rule("0.01 * g / (rms(g) * lr)", reads="g, lr"))

    assert honest.score is not None
    assert fixed.failure is not None or (fixed.score is not None and fixed.score < honest.score)


def test_the_score_comes_from_seeds_that_the_learning_rate_never_saw(judge: Judge) -> None:
    family = judge._family
    assert isinstance(family, OptimizerFamily)

    assert not set(family.rung.tuning_seeds) & set(family.rung.confirmation_seeds)


def test_verification_measures_on_fresh_seeds_and_proves_nothing() -> None:
    verdict = judge_with().verify({"seed.py": zoo_text("sgd")})

    assert verdict.verdict is Certainty.UNVERIFIED
    assert "12 fresh seeds" in verdict.detail


def test_the_smaller_vocabulary_is_judged_alike(judge: Judge) -> None:
    spec = JudgeSpec.from_mapping(load_problem("optimizers_elementwise").judge_spec_mapping())
    smaller = Judge(replace(spec, options={**CHEAP, "tasks": ["lin_ae"]}))

    assert judged(smaller, zoo_text("lion")).score == judged(judge, zoo_text("lion")).score
    assert judged(smaller, zoo_text("muon")).failure is Failure.SYNTAX


@pytest.mark.parametrize(
    "text",
    [
        rule("g * target", reads="g, target"),  # the value that is aimed at
        rule("g * f", reads="g, f"),  # the loss, which this problem does not offer
        "import torch\n" + rule("g"),
        rule("g.__class__"),
        rule("open('/etc/passwd')"),
        "def update(g):\n    global w\n    return g\n",
        "def update(g, *rest):\n    return g\n",
        "def update(g=1.0):\n    return g\n",
        "def update(g):\n    while True:\n        g = g\n    return g\n",
        "def update(g):\n    return g\n\nupdate.lr = 3\n",
        rule("g" + " + g" * 5000),
        "\x00",
        "",
    ],
)
def test_no_text_reaches_beyond_its_inputs(judge: Judge, text: str) -> None:
    evaluation = judged(judge, text)

    assert evaluation.failure is Failure.SYNTAX
    assert evaluation.detail.isprintable() or "\n" in evaluation.detail


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tasks": ["linear_ae"]}, "tasks is .*among quad_rot"),
        ({"device": "cuda:99"}, "device"),
        ({"horizon": -1}, "horizon is -1"),
    ],
)
def test_wrong_options_are_told_when_the_judge_is_built(changes: Mapping[str, object], words: str) -> None:
    with pytest.raises(EvaluatorError, match=words):
        judge_with(**changes)


def test_another_vocabulary_is_refused() -> None:
    with pytest.raises(EvaluatorError, match=r"symbolic\.vocabulary must be 'optimizer'"):
        OptimizerFamily({}, load_vocabulary("elementary"))


def test_an_archive_over_unknown_axes_is_refused() -> None:
    with pytest.raises(EvaluatorError, match=r"colour.*unknown to the family 'optimizer'"):
        Judge(replace(SPEC, axes=("slots", "colour")))


def test_a_horizon_that_nobody_measured_is_named_and_can_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOLVE_CACHE", str(tmp_path))
    family = OptimizerFamily({"tasks": ["lin_ae"], "horizon": 16, **CHEAP}, load_vocabulary("optimizer"))

    assert any(name.startswith("lin_ae,steps=1600") for name in family.unprepared())


def test_a_horizon_at_the_end_of_the_shipped_curve_is_measured_before_it_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a horizon that is known, but none beyond it, on a machine that measured nothing
    monkeypatch.setenv("EVOLVE_CACHE", str(tmp_path))
    family = OptimizerFamily({"tasks": ["lin_ae"], "horizon": 2, **CHEAP}, load_vocabulary("optimizer"))
    asked: list[Run] = []

    def measure(runs: Sequence[Run], **_how: Any) -> References:
        asked.extend(runs)
        raise EvaluatorError("measured now")

    monkeypatch.setattr("evaluators.optimizers.family.prepare", measure)

    # When a rule is judged, then it is not scored on half a curve
    with pytest.raises(EvaluatorError, match="measured now"):
        family.evaluate(read_rule(zoo_text("adam")).program)
    assert Run(task="lin_ae", n_steps=200) in asked


@pytest.mark.parametrize(
    ("text", "n"),
    [
        (zoo_text("adam"), 2),
        (zoo_text("sgd"), 0),
        ("def update(g, m, v):\n    return g / sqrt(ema(v, square(g), 0.9)) + m, m, v\n", 0),  # both stay zero
        ("def update(g, m, v):\n    return ema(m, g, 0.9) + v, g, v\n", 1),
    ],
)
def test_state_that_is_only_handed_on_is_no_memory(text: str, n: int) -> None:
    assert n_slots(read_rule(text)) == n


@pytest.mark.skipif(not ALL_TESTS, reason="measures AdamW at another horizon first: with EVOLVE_ALL_TESTS only")
def test_a_schedule_made_for_one_horizon_loses_at_four_times_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOLVE_CACHE", str(tmp_path))
    stopping = References.shipped().text.replace("    return ", "    return sigmoid(95.0 - t) * ")
    options = {"tuning_seeds": 2, "confirmation_seeds": 6, "learning_rates": 5}

    now, later = (judged(judge_with(horizon=horizon, **options), stopping) for horizon in (1.0, 4.0))

    assert now.score is not None
    assert now.score > -0.3
    assert abs(now.metrics["late_schedule"]) > 1.0
    assert later.failure is not None or (later.score is not None and later.score < -1.0)
