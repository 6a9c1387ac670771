"""Evaluations and verdicts as plain JSON data, read back as if an enemy had written them."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from evaluators.answers import ARTIFACT_LIMITS, MAX_ARTIFACTS, MAX_METRICS, MAX_NAME, MAX_TEXT, WrongAnswerError, clean
from evaluators.contract import INTERPRETER, Certainty, Evaluation, Failure, Verdict
from evaluators.errors import EvaluatorError
from sandbox.layers import Level

LEVELS = frozenset({"", INTERPRETER, *Level})
OUR_OWN = 2  # the metrics and the artifacts that judging adds: spread, repeats; output, machine
T = TypeVar("T")
KEYS = frozenset({"score", "descriptor", "metrics", "failure", "detail", "artifacts", "stage", "seconds", "level"})


def evaluation_to_mapping(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as JSON data."""
    return {
        "score": evaluation.score,
        "descriptor": dict(evaluation.descriptor),
        "metrics": dict(evaluation.metrics),
        "failure": None if evaluation.failure is None else str(evaluation.failure),
        "detail": evaluation.detail,
        "artifacts": dict(evaluation.artifacts),
        "stage": evaluation.stage,
        "seconds": evaluation.seconds,
        "level": evaluation.level,
    }


def evaluation_from_mapping(data: object, *, axes: Sequence[str] | None = None) -> Evaluation:
    """Undo `evaluation_to_mapping`; `axes` are the archive's, if they are known here.

    Raises:
        WrongAnswerError: anything but a whole evaluation of exact types, finite numbers and short, harmless texts.
    """
    data = _mapping(data, "the evaluation")
    if data.keys() != KEYS:
        raise WrongAnswerError(f"an evaluation has the keys {sorted(map(str, data))[:20]}, expected {sorted(KEYS)}")
    score, failure = data["score"], data["failure"]
    if (score is None) == (failure is None):
        raise WrongAnswerError("an evaluation has either a score or a failure")
    if failure is not None and failure not in list(Failure):
        raise WrongAnswerError(f"the failure {failure!r:.60} is unknown")
    if type(data["level"]) is not str or data["level"] not in LEVELS:
        raise WrongAnswerError(f"the level {data['level']!r:.60} is unknown")
    descriptor = _table(data["descriptor"], "descriptor's values", MAX_METRICS, _place)
    expected = set(axes or ()) if failure is None else set()
    if axes is not None and descriptor.keys() != expected:
        raise WrongAnswerError(f"the descriptor has the axes {sorted(descriptor)[:20]}, expected {sorted(expected)}")
    return Evaluation(
        score=None if score is None else _finite(score, "score"),
        descriptor=descriptor,
        metrics=_table(data["metrics"], "metrics", MAX_METRICS + OUR_OWN, _finite),
        failure=None if failure is None else Failure(failure),
        detail=_text(data["detail"], "detail"),
        artifacts=_artifacts(data["artifacts"]),
        stage=_short(data["stage"], "stage"),
        seconds=_finite(data["seconds"], "seconds"),
        level=data["level"],
    )


def verdict_to_mapping(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data; its certificate travels as JSON text: its own numbers may have any number of digits.

    Raises:
        EvaluatorError: the certificate is not JSON.
    """
    try:
        certificate = json.dumps(dict(verdict.certificate), default=str, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise EvaluatorError(f"the certificate is not JSON: {error}") from error
    return {
        "verdict": str(verdict.verdict),
        "value": verdict.value,
        "score": verdict.score,
        "detail": verdict.detail,
        "certificate": certificate,
    }


def verdict_from_mapping(data: object) -> Verdict:
    """Undo `verdict_to_mapping`.

    Raises:
        WrongAnswerError: anything but a whole verdict of exact types and finite numbers.
    """
    data = _mapping(data, "the verdict")
    if data.keys() != {"verdict", "value", "score", "detail", "certificate"}:
        raise WrongAnswerError(f"a verdict has the keys {sorted(map(str, data))[:20]}")
    if data["verdict"] not in list(Certainty):
        raise WrongAnswerError(f"the verdict {data['verdict']!r:.60} is unknown")
    try:
        certificate = json.loads(data["certificate"])
    except (TypeError, ValueError, RecursionError) as error:
        raise WrongAnswerError(f"the certificate is not JSON: {error}") from error
    return Verdict(
        verdict=Certainty(data["verdict"]),
        value=None if data["value"] is None else _finite(data["value"], "value"),
        score=None if data["score"] is None else _finite(data["score"], "score"),
        detail=_text(data["detail"], "detail"),
        certificate=_mapping(certificate, "the certificate"),
    )


def _mapping(data: object, name: str) -> Mapping[str, Any]:
    if type(data) is not dict:
        raise WrongAnswerError(f"{name} is of type {type(data).__name__}, expected a dict")
    return data


def _finite(value: object, name: str) -> float:
    if type(value) is not float or not math.isfinite(value):
        raise WrongAnswerError(f"{name} is {value!r:.60}, expected a finite float")
    return value


def _short(value: object, name: str, most: int = MAX_TEXT) -> str:
    if type(value) is not str or len(value) > most:
        raise WrongAnswerError(f"{name} is {value!r:.60}, expected a text of at most {most} characters")
    return value


def _text(value: object, name: str, most: int = MAX_TEXT) -> str:
    text = _short(value, name, most)
    if not text.isprintable() and clean(text) != text:
        raise WrongAnswerError(f"{name} holds control characters")
    return text


def _artifacts(data: object) -> dict[str, str]:
    """Texts by name; a picture and a construction may be longer than the others."""
    table = _table(data, "artifacts", MAX_ARTIFACTS + OUR_OWN, lambda value, _: value)
    return {name: _text(text, "artifacts", ARTIFACT_LIMITS.get(name, MAX_TEXT)) for name, text in table.items()}


def _place(value: object, name: str) -> float | str:
    return _text(value, name, MAX_NAME) if type(value) is str else _finite(value, name)


def _table(data: object, name: str, most: int, read: Callable[[object, str], T]) -> dict[str, T]:
    table = _mapping(data, name)
    if len(table) > most:
        raise WrongAnswerError(f"there are {len(table)} {name}, at most {most} are allowed")
    return {_text(key, f"a name of the {name}", MAX_NAME): read(value, name) for key, value in table.items()}
