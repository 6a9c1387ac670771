"""The tasks that workers are asked for, called in this process: JSON in, JSON out, nothing raised but our own bugs."""

import json
from collections.abc import Iterator, Mapping
from math import log10
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.contract import Certainty, Evaluation, Failure, Verdict
from evaluators.records import LEVELS, verdict_to_mapping
from evolve import tasks
from evolve.config.problem import load_problem
from tests.extent import examples

texts = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=10)
numbers = st.floats(allow_nan=False, allow_infinity=False)
metrics = st.dictionaries(texts, numbers, max_size=3)
evaluations = st.one_of(
    st.builds(
        Evaluation,
        score=numbers,
        descriptor=st.dictionaries(texts, st.one_of(numbers, texts), max_size=3),
        metrics=metrics,
        detail=texts,
        artifacts=st.dictionaries(texts, texts, max_size=2),
        stage=texts,
        seconds=numbers,
        level=st.sampled_from(sorted(LEVELS)),
    ),
    st.builds(Evaluation, failure=st.sampled_from(Failure), detail=texts, metrics=metrics, stage=texts),
)

DIES_ONCE = """
from pathlib import Path
mark = Path(__file__).with_name("died")
if mark.exists():
    raise ValueError("not again")

def evaluate(candidate):
    value = float(candidate.files["seed.py"].split("+")[1])
    if value == 9.0:
        mark.touch()
        import os; os._exit(9)
    return {"score": value, "descriptor": {"operations": 1.0}}
"""


@pytest.fixture(scope="module")
def judge() -> Mapping[str, Any]:
    """The judge of a shipped problem that needs no sandbox process."""
    return load_problem("exp2").judge_spec_mapping()


@pytest.fixture(autouse=True, scope="module")
def no_judge_is_left() -> Iterator[None]:
    yield
    for each in tasks._judges.values():
        each.close()
    tasks._judges.clear()


def program(expression: str) -> dict[str, str]:
    return {"seed.py": f"def f(x):\n    return {expression}\n"}


def through_json(task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Ask as a worker is asked: the payload and the answer are JSON without special numbers."""
    answer = tasks.handle(task, json.loads(json.dumps(payload, allow_nan=False)))
    copy: dict[str, Any] = json.loads(json.dumps(answer, allow_nan=False))
    assert copy == answer
    return copy


def judged(judge: Mapping[str, Any], *expressions: str) -> list[Evaluation]:
    children = [{"files": program(each), "rng_seed": 1} for each in expressions]
    answer = through_json(tasks.EVALUATE, {"judge": judge, "children": children})
    return [tasks.evaluation_from_mapping(each) for each in answer["evaluations"]]


@settings(max_examples=examples(60), deadline=None)
@given(evaluations)
def test_an_evaluation_survives_the_way_through_json(evaluation: Evaluation) -> None:
    wire = json.dumps(tasks.evaluation_to_mapping(evaluation), allow_nan=False)

    assert tasks.evaluation_from_mapping(json.loads(wire)) == evaluation


@pytest.mark.parametrize("certainty", Certainty)
def test_a_verdict_survives_the_way_through_json(certainty: Certainty) -> None:
    verdict = Verdict(verdict=certainty, value=0.5, detail="so", certificate={"boxes": [1, 2]})

    wire = json.dumps(verdict_to_mapping(verdict))

    assert tasks.verdict_from_mapping(json.loads(wire)) == verdict


@pytest.mark.parametrize("change", [{"failure": "bored"}, {"failure": None, "score": None}, {"extra": 1}])
def test_a_mapping_that_is_no_evaluation_is_refused(change: dict[str, Any]) -> None:
    mapping = tasks.evaluation_to_mapping(Evaluation.failed(Failure.CRASH, detail="gone"))

    with pytest.raises((ValueError, TypeError)):
        tasks.evaluation_from_mapping({**mapping, **change})


def test_an_unknown_task_is_the_callers_mistake() -> None:
    with pytest.raises(KeyError, match="telepathy"):
        tasks.handle("telepathy", {})


def test_children_are_judged_in_the_order_they_were_given(judge: Mapping[str, Any]) -> None:
    expressions = ["x", "1.0 + x", "x + 1.2", "1.0 + x"]
    points = np.linspace(0.0, 1.0, 20_001)

    scores = [each.score for each in judged(judge, *expressions)]

    for expression, score in zip(expressions, scores, strict=True):
        values = eval(expression, {"x": points})
        worst = float(np.abs(values / np.exp2(points) - 1.0).max())
        assert score == pytest.approx(-log10(worst), abs=1e-5)


def test_a_child_that_fails_does_not_hurt_its_siblings(judge: Mapping[str, Any]) -> None:
    good, bad, poles, again = judged(judge, "1.0 + x", "import os", "1.0 / (x - 0.5)", "1.0 + x")

    assert bad.failure is Failure.SYNTAX
    assert poles.failure is Failure.NOT_FINITE
    assert good.score == again.score is not None


def test_no_children_are_no_evaluations(judge: Mapping[str, Any]) -> None:
    assert judged(judge) == []


def test_a_judge_that_cannot_be_built_fails_every_child_with_the_reason(judge: Mapping[str, Any]) -> None:
    wrong = {**judge, "family": "astrology"}

    evaluations = judged(wrong, "x", "x + 1.0")

    assert [each.failure for each in evaluations] == [Failure.EVALUATOR] * 2
    assert all("astrology" in each.detail for each in evaluations)


def test_an_evaluator_that_cannot_be_loaded_again_after_a_crash_costs_no_evaluation_already_made(
    symbolic_problem: Path,
) -> None:
    (symbolic_problem / "evaluate.py").write_text(DIES_ONCE, encoding="utf-8")
    spec = load_problem(symbolic_problem).judge_spec_mapping()

    first, crashed, lost = judged(spec, "x + 1.0", "x + 9.0", "x + 1.0")

    assert first.score == 1.0
    assert (crashed.failure, lost.failure) == (Failure.EVALUATOR, Failure.EVALUATOR)
    assert "died: exit status 9" in crashed.detail
    assert "cannot be loaded" in lost.detail


def test_a_worker_keeps_one_judge_and_builds_another_for_another_problem(judge: Mapping[str, Any]) -> None:
    judged(judge, "x")
    (first,) = tasks._judges.values()
    judged(json.loads(json.dumps(judge)), "x + 1.0")
    assert list(tasks._judges.values()) == [first]

    log2 = judged(load_problem("log2").judge_spec_mapping(), "x")

    (second,) = tasks._judges.values()
    assert second is not first
    assert log2[0].score != judged(judge, "x")[0].score


def test_a_proof_is_plain_data_and_bounds_the_measured_error(judge: Mapping[str, Any]) -> None:
    answer = through_json(tasks.VERIFY, {"judge": judge, "files": program("1.0 + x")})

    verdict = tasks.verdict_from_mapping(answer["verdict"])
    measured = judged(judge, "1.0 + x")[0].score
    assert verdict.verdict is Certainty.CERTIFIED
    assert verdict.value is not None
    assert measured is not None
    assert 10.0**-measured <= verdict.value <= 1.02 * 10.0**-measured
    assert verdict.certificate


def test_a_proof_by_a_judge_that_cannot_be_built_says_why(judge: Mapping[str, Any]) -> None:
    answer = through_json(tasks.VERIFY, {"judge": {**judge, "family": "astrology"}, "files": program("x")})

    assert list(answer) == ["failed"]
    assert "astrology" in answer["failed"]


def test_a_burst_needs_a_fit_target(symbolic_problem: Path) -> None:
    spec = load_problem(symbolic_problem).judge_spec_mapping()
    payload = {
        "judge": spec,
        "parents": [],
        "vocabulary": "arithmetic",
        "inputs": ["x"],
        "settings": {},
        "rng_seed": [1],
    }

    with pytest.raises(ValueError, match="no fit target"):
        tasks.handle(tasks.BURST, payload)


def test_a_burst_over_another_number_of_inputs_than_the_fit_target_has_says_so(symbolic_problem: Path) -> None:
    with (symbolic_problem / "evaluate.py").open("a", encoding="utf-8") as handle:
        handle.write("\ndef fit_target():\n    return [[1, 2, 3, 4], [5, 6, 7, 8]], [1, 2, 3, 4], True\n")
    spec = load_problem(symbolic_problem).judge_spec_mapping()
    payload = {"judge": spec, "parents": [], "vocabulary": "arithmetic", "inputs": ["x"], "settings": {}}

    answer = tasks.handle(tasks.BURST, payload)

    assert answer == {"failed": "its fit_target has points of 2 inputs, programs take 1"}


def test_a_burst_with_a_judge_that_cannot_be_built_says_why(judge: Mapping[str, Any]) -> None:
    payload = {"judge": {**judge, "family": "astrology"}, "parents": [], "settings": {}}

    assert "astrology" in through_json(tasks.BURST, payload)["failed"]
