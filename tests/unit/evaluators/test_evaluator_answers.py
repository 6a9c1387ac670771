"""What becomes of an evaluator's answer: limits, cleaning, numbers of every kind, medians and verdicts."""

import json
import math
import statistics
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evaluators.answers import (
    MAX_ARTIFACTS,
    MAX_METRICS,
    MAX_NAME,
    MAX_TEXT,
    WrongAnswerError,
    best_of,
    clean,
    evaluation_of,
    mean_of,
    median_of,
    verdict_of,
)
from evaluators.contract import Certainty, Evaluation, Failure, Verdict
from tests.extent import examples

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


@settings(max_examples=examples(60))
@given(ANY_TEXT, st.integers(1, 200), st.integers(20, 3000))
def test_cleaned_text_is_printable_bounded_and_stays_as_it_is_when_cleaned_again(
    text: str, times: int, limit: int
) -> None:
    cleaned = clean(text * times, limit)
    assert len(cleaned) <= limit
    assert all(c.isprintable() or c in "\n\t" for c in cleaned)
    assert clean(cleaned, limit) == cleaned
    cleaned.encode("utf-8")


@settings(max_examples=examples(60))
@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=100))
def test_printable_text_that_is_short_enough_is_not_touched(text: str) -> None:
    assert clean(text, 100) == text


def test_of_a_long_text_the_beginning_and_the_end_are_kept() -> None:
    text = "begin" + "x" * 5000 + "end"
    cleaned = clean(text)
    assert cleaned.startswith("begin")
    assert cleaned.endswith("end")
    assert "\n...\n" in cleaned
    assert MAX_TEXT - 1 <= len(cleaned) <= MAX_TEXT


@pytest.mark.parametrize("hidden", ["\x00", "\x1b[2J", "\r", "\x7f", "\u202e", "\u200b", "\ud800", "\ue000", "\u2028"])
def test_characters_that_a_terminal_obeys_or_hides_are_replaced(hidden: str) -> None:
    assert hidden[0] not in clean(f"a{hidden}b")
    assert clean(f"a{hidden}b").startswith("a\N{REPLACEMENT CHARACTER}")


def answer(**changes: object) -> dict[str, object]:
    return {"score": 1.0, "descriptor": {"size": 2.0}, **changes}


def judged(**changes: object) -> Evaluation:
    return evaluation_of(answer(**changes), axes=("size",), stage="only")


def refusal(given_answer: object) -> str:
    with pytest.raises(WrongAnswerError) as told:
        evaluation_of(given_answer, axes=("size",))
    return str(told.value)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (3, 3.0),
        (-0.0, -0.0),
        (Fraction(1, 3), 1 / 3),
        (np.float32(0.5), 0.5),
        (np.float64(1e-320), 1e-320),
        (np.int64(-7), -7.0),
        (np.uint8(255), 255.0),
        (2**70, 2.0**70),
        (1.7e308, 1.7e308),
    ],
)
def test_every_kind_of_real_number_is_a_score(number: object, value: float) -> None:
    evaluation = judged(score=number, metrics={"m": number})
    assert evaluation.score == value
    assert type(evaluation.score) is float
    assert type(evaluation.metrics["m"]) is float


@pytest.mark.parametrize(
    "number",
    [
        None,
        "1",
        True,
        np.bool_(True),
        1j,
        Decimal(1),
        [1.0],
        np.array(1.0),
        np.array([1.0]),
        math.nan,
        math.inf,
        -math.inf,
        np.float32(np.inf),
        2**1024,
        Fraction(10**400),
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:8]}",
)
def test_everything_else_is_no_score_no_metric_and_no_place(number: object) -> None:
    for changed in (answer(score=number), answer(metrics={"m": number})):
        assert "expected a finite number" in refusal(changed)
    if not isinstance(number, str):
        assert "the descriptor's size is" in refusal(answer(descriptor={"size": number}))


class Quarrelsome(dict[str, object]):
    """A dict that is a dict and answers as one."""


@pytest.mark.parametrize("wrap", [dict, Quarrelsome])
def test_any_mapping_is_an_answer(wrap: type[dict[str, object]]) -> None:
    assert evaluation_of(wrap(answer()), axes=("size",)).score == 1.0


@pytest.mark.parametrize("key", ["descriptor", "metrics", "artifacts"])
@pytest.mark.parametrize("value", [3, "text", [("size", 1.0)], (1,), {1.0}])
def test_tables_must_be_tables(key: str, value: object) -> None:
    assert refusal(answer(**{key: value})).startswith(f"{key} is a {type(value).__name__}, expected a dict")


@pytest.mark.parametrize("key", ["metrics", "artifacts"])
def test_a_table_may_be_left_out_or_be_nothing(key: str) -> None:
    assert not getattr(judged(), key)
    assert not getattr(judged(**{key: None}), key)


def test_all_missing_axes_are_told_at_once() -> None:
    with pytest.raises(WrongAnswerError, match=r"lacks \['depth', 'width'\]"):
        evaluation_of(answer(), axes=("size", "depth", "width"))


def test_without_axes_no_descriptor_is_needed_or_kept() -> None:
    evaluation = evaluation_of({"score": 2}, axes=())
    assert evaluation.descriptor == {}
    assert evaluation_of(answer(), axes=()).descriptor == {}


def test_a_place_on_an_axis_may_be_a_name_which_is_cleaned_like_any_text() -> None:
    assert judged(descriptor={"size": "  large\x00 \n one "}).descriptor == {
        "size": "large\N{REPLACEMENT CHARACTER} one"
    }


@pytest.mark.parametrize(
    ("key", "most", "value"), [("metrics", MAX_METRICS, 1.0), ("artifacts", MAX_ARTIFACTS, "text")]
)
def test_a_table_has_at_most_its_number_of_entries(key: str, most: int, value: object) -> None:
    full = {f"name {k}": value for k in range(most)}
    assert len(getattr(judged(**{key: full}), key)) == most
    assert f"returned {most + 1} {key}, at most {most} are kept" in refusal(answer(**{key: {**full, "more": value}}))


def test_names_and_texts_are_cleaned_and_cut() -> None:
    evaluation = judged(metrics={"a\tb\n" + "n" * 500: 1.0, 7: 2.0}, artifacts={"\x07log": "x\x00" * 3000, "n": 12})
    long, number = evaluation.metrics
    assert len(long) <= MAX_NAME
    assert long.startswith("a b nn")
    assert number == "7"
    assert set(evaluation.artifacts) == {"\N{REPLACEMENT CHARACTER}log", "n"}
    assert all(len(text) <= MAX_TEXT and "\x00" not in text for text in evaluation.artifacts.values())


def test_a_picture_may_be_longer_than_other_artifacts() -> None:
    text = "[" + "1," * 9_000 + "1]"
    evaluation = judged(artifacts={"picture": text, "log": text})
    assert evaluation.artifacts["picture"] == text
    assert len(evaluation.artifacts["log"]) <= MAX_TEXT


@pytest.mark.parametrize("kind", list(Failure))
def test_a_failure_of_every_kind_may_be_told(kind: Failure) -> None:
    evaluation = evaluation_of({"failure": "why\x00", "kind": kind.value}, axes=("size",), stage="s")
    assert evaluation == Evaluation.failed(kind, detail="why\N{REPLACEMENT CHARACTER}", stage="s")


def test_a_failure_wins_over_a_score_and_needs_no_descriptor() -> None:
    evaluation = evaluation_of({"failure": 7, "score": 1.0}, axes=("size",))
    assert (evaluation.failure, evaluation.score, evaluation.detail) == (Failure.INVALID, None, "7")


def test_a_failure_of_nothing_is_no_failure() -> None:
    assert judged(failure=None).score == 1.0


@pytest.mark.parametrize("key", [3, None, "Score", "fitness"])
def test_a_key_that_means_nothing_is_told(key: object) -> None:
    strange: dict[object, object] = {"score": 1.0, "descriptor": {"size": 2.0}, key: 1}
    assert "unknown keys" in refusal(strange)


@pytest.mark.parametrize("both", [{}, {"score": 1.0, "failure": Failure.INVALID}])
def test_an_evaluation_has_a_score_or_a_failure_and_never_both(both: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="has a score or a failure"):
        Evaluation(**both)


# Medians


def scored(score: float, **metrics: float) -> Evaluation:
    return Evaluation(score=score, metrics=metrics, descriptor={"size": score}, artifacts={"of": repr(score)})


def test_one_evaluation_is_its_own_median() -> None:
    only = scored(3.0, m=1.0)
    assert median_of([only]) is only


@settings(max_examples=examples(60))
@given(st.lists(FINITE, min_size=2, max_size=7))
@example([1.7e308, 1.7e308])
@example([-1.7e308, 1.7e308])
@example([-1.7e308, -1.6e308, 1.0, 1.7e308])
def test_the_median_of_repeats_is_finite_and_between_the_smallest_and_the_largest(scores: list[float]) -> None:
    together = median_of([scored(score, m=score) for score in scores])
    assert together.score is not None
    assert min(scores) <= together.score <= max(scores)
    assert min(scores) <= together.metrics["m"] <= max(scores)
    assert all(math.isfinite(value) for value in together.metrics.values())
    assert together.metrics["score_spread"] >= 0.0
    json.dumps(dict(together.metrics), allow_nan=False)


@settings(max_examples=examples(60))
@given(st.lists(st.floats(-1e100, 1e100), min_size=2, max_size=7), st.randoms(use_true_random=False))
def test_the_median_does_not_depend_on_the_order_of_the_repeats(scores: list[float], random: Any) -> None:
    shuffled = list(scores)
    random.shuffle(shuffled)
    one, other = (median_of([scored(score) for score in order]) for order in (scores, shuffled))
    assert one.score == other.score == statistics.median(scores)
    assert one.metrics == other.metrics == {"score_spread": max(scores) - min(scores), "n_repeats": len(scores)}


def test_the_place_and_the_artifacts_are_those_of_one_repeat_in_the_middle() -> None:
    together = median_of([scored(score) for score in (5.0, 1.0, 9.0, 2.0)])
    assert together.score == 3.5
    assert together.descriptor == {"size": 2.0}
    assert together.artifacts == {"of": "2.0"}


def test_a_metric_that_some_repeat_lacks_is_left_out() -> None:
    together = median_of([scored(1.0, a=1.0, b=1.0), scored(2.0, a=3.0), scored(3.0, a=8.0, c=1.0)])
    assert together.metrics == {"a": 3.0, "score_spread": 2.0, "n_repeats": 3.0}


# The best and the mean


@settings(max_examples=examples(60))
@given(st.lists(FINITE, min_size=2, max_size=7))
@example([1.7e308, 1.7e308])
@example([-1.7e308, 1.7e308])
def test_the_mean_is_finite_and_between_the_smallest_and_the_largest(scores: list[float]) -> None:
    together = mean_of([scored(score, m=score) for score in scores])

    assert together.score is not None
    assert min(scores) <= together.score <= max(scores)
    assert together.metrics["m"] == together.score
    assert all(math.isfinite(value) for value in together.metrics.values())


def test_a_mean_tells_its_standard_error() -> None:
    together = mean_of([scored(score) for score in (1.0, 2.0, 6.0)])

    assert together.score == 3.0
    assert together.descriptor == {"size": 2.0}
    assert together.metrics["standard_error"] == pytest.approx(math.sqrt(7.0 / 3.0))
    assert together.metrics["score_spread"] == 5.0


def test_the_best_is_one_of_the_evaluations_with_all_that_belongs_to_it() -> None:
    together = best_of([scored(score, m=-score) for score in (5.0, 9.0, 2.0)])

    assert (together.score, together.descriptor, together.artifacts) == (9.0, {"size": 9.0}, {"of": "9.0"})
    assert together.metrics == {"m": -9.0, "score_spread": 7.0, "n_repeats": 3.0}


def test_of_equal_scores_the_first_is_the_best() -> None:
    together = best_of([scored(1.0, m=1.0), scored(1.0, m=2.0)])

    assert together.metrics["m"] == 1.0


@pytest.mark.parametrize("combine", [best_of, mean_of])
def test_one_evaluation_is_its_own_best_and_mean(combine: Callable[[list[Evaluation]], Evaluation]) -> None:
    only = scored(3.0, m=1.0)

    assert combine([only]) is only


# Verdicts


@pytest.mark.parametrize("certainty", list(Certainty))
def test_a_verdict_is_read_by_its_word(certainty: Certainty) -> None:
    read = verdict_of({"verdict": str(certainty), "value": 2, "score": Fraction(1, 2), "detail": "so\x00", "more": 1})
    assert read == Verdict(verdict=certainty, value=2.0, score=0.5, detail="so\N{REPLACEMENT CHARACTER}")


def test_a_verdict_needs_nothing_but_its_word() -> None:
    assert verdict_of({"verdict": "refuted"}) == Verdict(verdict=Certainty.REFUTED)
    assert verdict_of({"verdict": "certified", "value": None, "certificate": None}).certificate == {}


def test_a_certificate_is_handed_on_as_it_is() -> None:
    certificate: Mapping[str, object] = {"circles": [["1/3", "0"]], "deep": {"er": [1, None, "text"]}}
    assert verdict_of({"verdict": "certified", "certificate": certificate}).certificate == certificate


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "verify returned nothing"),
        (True, "verify returned a bool"),
        ({}, "expected a dict with a verdict of"),
        ({"verdict": None}, "expected a dict with a verdict of"),
        ({"verdict": "CERTIFIED"}, "expected a dict with a verdict of"),
        ({"verdict": ["certified"]}, "expected a dict with a verdict of"),
        ({"verdict": "certified", "value": math.nan}, "value is nan, expected a finite number"),
        ({"verdict": "certified", "value": "1"}, "value is a str"),
        ({"verdict": "certified", "score": math.inf}, "score is inf"),
        ({"verdict": "certified", "score": False}, "score is a bool"),
        ({"verdict": "certified", "certificate": "yes"}, "certificate is a str, expected a dict"),
        ({"verdict": "certified", "certificate": [1]}, "certificate is a list, expected a dict"),
    ],
)
def test_a_verdict_that_breaks_its_contract_is_told(returned: object, words: str) -> None:
    with pytest.raises(WrongAnswerError, match=r".") as told:
        verdict_of(returned)
    assert words in str(told.value)
