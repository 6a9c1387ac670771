"""Evaluations and verdicts that come over a pipe: what was sent comes back, and nothing else is believed."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.answers import ARTIFACT_LIMITS, MAX_ARTIFACTS, MAX_METRICS, MAX_TEXT, WrongAnswerError
from evaluators.contract import Certainty, Evaluation, Failure, Verdict
from evaluators.records import LEVELS, evaluation_from_mapping, evaluation_to_mapping, verdict_from_mapping
from tests.extent import examples

AXES = ("size", "colour")
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)
scored = st.builds(
    Evaluation,
    score=numbers,
    descriptor=st.fixed_dictionaries({"size": numbers, "colour": texts}),
    metrics=st.dictionaries(texts, numbers, max_size=3),
    artifacts=st.dictionaries(texts, texts, max_size=2),
    stage=texts,
    seconds=numbers,
    level=st.sampled_from(sorted(LEVELS)),
)
failed = st.builds(Evaluation, failure=st.sampled_from(Failure), detail=texts, level=st.sampled_from(sorted(LEVELS)))
GOOD = evaluation_to_mapping(Evaluation(score=1.0, descriptor={"size": 2.0, "colour": "red"}, metrics={"m": 3.0}))
BAD = evaluation_to_mapping(Evaluation.failed(Failure.CRASH, detail="gone"))
VERDICT = {"verdict": "certified", "value": 1.0, "score": None, "detail": "so", "certificate": '{"n": 1}'}


class Liar(float):
    """A number of another type."""


@given(st.one_of(scored, failed))
@settings(max_examples=examples(60), deadline=None)
def test_what_was_sent_comes_back(evaluation: Evaluation) -> None:
    wire = json.dumps(evaluation_to_mapping(evaluation), allow_nan=False)

    assert evaluation_from_mapping(json.loads(wire), axes=AXES) == evaluation


WRONG: list[tuple[str, Any]] = [
    ("score", True),
    ("score", 1),
    ("score", "1.0"),
    ("score", math.nan),
    ("score", math.inf),
    ("score", -math.inf),
    ("score", Liar(1.0)),
    ("score", [1.0]),
    ("score", None),
    ("failure", "crash"),
    ("failure", "bored"),
    ("failure", ["crash"]),
    ("failure", 0),
    ("descriptor", {}),
    ("descriptor", {"size": 1.0}),
    ("descriptor", {"size": 1.0, "colour": "red", "weight": 1.0}),
    ("descriptor", {"size": math.nan, "colour": "red"}),
    ("descriptor", {"size": 1, "colour": "red"}),
    ("descriptor", {"size": 1.0, "colour": "r" * 201}),
    ("descriptor", {"size": 1.0, "colour": "\x1b[31m"}),
    ("descriptor", [1.0, 2.0]),
    ("metrics", {"m": None}),
    ("metrics", {"m": 1}),
    ("metrics", {"m": True}),
    ("metrics", {"\x1b": 1.0}),
    ("metrics", {1: 1.0}),
    ("metrics", {"m" * 201: 1.0}),
    ("metrics", {str(n): 1.0 for n in range(MAX_METRICS + 3)}),
    ("metrics", None),
    ("detail", "x" * (MAX_TEXT + 1)),
    ("detail", "\x1b[2J"),
    ("detail", 5),
    ("artifacts", {"a": "\x9b2J"}),
    ("artifacts", {"a": b"x"}),
    ("artifacts", {str(n): "x" for n in range(MAX_ARTIFACTS + 3)}),
    ("stage", None),
    ("stage", "s" * (MAX_TEXT + 1)),
    ("seconds", math.inf),
    ("seconds", 1),
    ("level", "SAFE"),
    ("level", None),
    ("level", ["FULL"]),
]


@pytest.mark.parametrize(("key", "value"), WRONG, ids=lambda value: f"{value!r:.30}")
def test_one_wrong_value_is_refused(key: str, value: Any) -> None:
    assert evaluation_from_mapping(GOOD, axes=AXES).score == 1.0

    with pytest.raises(WrongAnswerError):
        evaluation_from_mapping({**GOOD, key: value}, axes=AXES)


@pytest.mark.parametrize("data", [None, [], "x", 1.0, {}, {**GOOD, "extra": 1}, {"score": 1.0}, {1: 2}])
def test_what_is_no_whole_evaluation_is_refused(data: object) -> None:
    with pytest.raises(WrongAnswerError):
        evaluation_from_mapping(data, axes=AXES)


@pytest.mark.parametrize("change", [{"score": 1.0}, {"descriptor": {"size": 1.0, "colour": "red"}}, {"failure": None}])
def test_a_failure_has_neither_score_nor_place(change: dict[str, Any]) -> None:
    assert evaluation_from_mapping(BAD, axes=AXES).failure is Failure.CRASH

    with pytest.raises(WrongAnswerError):
        evaluation_from_mapping({**BAD, **change}, axes=AXES)


@pytest.mark.parametrize("failure", Failure)
def test_every_kind_of_failure_has_a_record(failure: Failure) -> None:
    assert evaluation_from_mapping({**BAD, "failure": str(failure)}, axes=AXES).failure is failure


def test_a_verdict_comes_back_with_its_certificate() -> None:
    verdict = Verdict(verdict=Certainty.CERTIFIED, value=1.0, detail="so", certificate={"n": 1})

    assert verdict_from_mapping(VERDICT) == verdict


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("verdict", "sure"),
        ("verdict", None),
        ("value", math.nan),
        ("value", 1),
        ("score", "1"),
        ("detail", None),
        ("detail", "\x1b"),
        ("certificate", {}),
        ("certificate", "[1]"),
        ("certificate", "{"),
        ("certificate", "[" * 100_000),
        ("certificate", "1" * 10_000),
        ("more", 1),
    ],
)
def test_a_verdict_with_one_wrong_value_is_refused(key: str, value: Any) -> None:
    with pytest.raises(WrongAnswerError):
        verdict_from_mapping({**VERDICT, key: value})


@pytest.mark.parametrize("score", [-0.0, 0.0])
def test_a_score_of_zero_has_no_sign_as_the_log_of_a_run_keeps_none(score: float) -> None:
    assert math.copysign(1.0, Evaluation(score=score).score or 0.0) == 1.0


@pytest.mark.parametrize(("name", "most"), [*ARTIFACT_LIMITS.items(), ("output", MAX_TEXT)])
def test_a_picture_and_a_construction_may_be_longer_than_other_artifacts(name: str, most: int) -> None:
    fits, too_long = ({**GOOD, "artifacts": {name: "x" * size}} for size in (most, most + 1))

    assert evaluation_from_mapping(fits, axes=AXES).artifacts == {name: "x" * most}
    with pytest.raises(WrongAnswerError, match=f"at most {most} characters"):
        evaluation_from_mapping(too_long, axes=AXES)
