"""From what a problem's own evaluator returns to an `Evaluation`: everything is checked, nothing is trusted."""

import math
import numbers
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from evaluators.contract import Certainty, Evaluation, Failure, Verdict

MAX_TEXT = 2000
PICTURE = "picture"
"""The artifact that dashboard and report draw: JSON, which is of no use once it is cut."""
MAX_PICTURE = 20_000
CONSTRUCTION = "construction"
"""The artifact that later programs inherit: JSON; one that is too long is left out, for it is of no use once cut."""
MAX_CONSTRUCTION = 400_000
ARTIFACT_LIMITS = {PICTURE: MAX_PICTURE, CONSTRUCTION: MAX_CONSTRUCTION}
NOISE = ("score_spread", "n_repeats")
STANDARD_ERROR = "standard_error"
MAX_NAME = 200
MAX_METRICS = 1000
MAX_ARTIFACTS = 50
KEYS = frozenset({"score", "descriptor", "metrics", "artifacts", "failure", "kind"})


class WrongAnswerError(ValueError):
    """The evaluator's answer breaks its contract; the text says how."""


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Untrusted text without control characters, at most `limit` characters: its beginning and its end."""
    printable = "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
    if len(printable) <= limit:
        return printable
    half = (limit - 5) // 2
    return f"{printable[:half]}\n...\n{printable[-half:]}"


def evaluation_of(answer: object, *, axes: Sequence[str], stage: str = "") -> Evaluation:
    """The evaluation that an evaluator's answer amounts to.

    Raises:
        WrongAnswerError: it is not a dict with a finite score and a value for every axis, or with a failure.
    """
    if not isinstance(answer, Mapping):
        raise WrongAnswerError(f"it returned {_kind(answer)}, expected a dict")
    unknown = [str(key) for key in answer if key not in KEYS]
    if unknown:
        raise WrongAnswerError(f"it returned the unknown keys {unknown}, expected some of {sorted(KEYS)}")
    if answer.get("failure") is not None:
        return _failure(answer, stage)
    score = _number(answer.get("score"), "score")
    descriptor = answer.get("descriptor") or {}
    if not isinstance(descriptor, Mapping):
        raise WrongAnswerError(f"descriptor is {_kind(descriptor)}, expected a dict")
    missing = [axis for axis in axes if axis not in descriptor]
    if missing:
        raise WrongAnswerError(f"the descriptor lacks {missing}, expected a value for each axis of {list(axes)}")
    return Evaluation(
        score=score,
        descriptor={axis: _place(descriptor[axis], axis) for axis in axes},
        metrics=_metrics(answer.get("metrics")),
        artifacts=_artifacts(answer.get("artifacts")),
        stage=stage,
    )


def median_of(evaluations: Sequence[Evaluation]) -> Evaluation:
    """One evaluation for several of the same candidate, all scored.

    Score and metrics are medians; the descriptor is that of the evaluation in the middle. The metrics `score_spread`
    (largest less smallest score) and `n_repeats` tell how noisy the score is.
    """
    if len(evaluations) == 1:
        return evaluations[0]
    ordered = sorted(evaluations, key=_score_of)
    middle = ordered[(len(ordered) - 1) // 2]
    shared = [name for name in middle.metrics if all(name in each.metrics for each in ordered)]
    metrics = {name: _median([each.metrics[name] for each in ordered]) for name in shared}
    metrics |= _noise_of(ordered)
    return Evaluation(
        score=_median([_score_of(each) for each in ordered]),
        descriptor=middle.descriptor,
        metrics=metrics,
        artifacts=middle.artifacts,
        stage=middle.stage,
    )


def best_of(evaluations: Sequence[Evaluation]) -> Evaluation:
    """The first of the best, with what `median_of` tells of the noise: for scores whose record is what counts."""
    if len(evaluations) == 1:
        return evaluations[0]
    best = max(evaluations, key=_score_of)
    return replace(best, metrics={**best.metrics, **_noise_of(evaluations)})


def mean_of(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Score and metrics as means, the rest of the evaluation in the middle; `standard_error` is that of the score."""
    if len(evaluations) == 1:
        return evaluations[0]
    together = median_of(evaluations)
    scores = [_score_of(each) for each in evaluations]
    means = {
        name: _mean([each.metrics[name] for each in evaluations if name in each.metrics])
        for name in together.metrics
        if name not in NOISE
    }
    try:
        error = statistics.stdev(scores) / math.sqrt(len(scores))
    except OverflowError:
        error = sys.float_info.max
    return replace(together, score=_mean(scores), metrics={**means, **_noise_of(evaluations), STANDARD_ERROR: error})


COMBINE: Mapping[str, Callable[[Sequence[Evaluation]], Evaluation]] = {
    "median": median_of,
    "best": best_of,
    "mean": mean_of,
}


def verdict_of(answer: object) -> Verdict:
    """The verdict that a problem's `verify` returned.

    Raises:
        WrongAnswerError: it is not a dict with a known verdict.
    """
    if not isinstance(answer, Mapping) or answer.get("verdict") not in list(Certainty):
        raise WrongAnswerError(f"verify returned {_kind(answer)}, expected a dict with a verdict of {list(Certainty)}")
    value, score = answer.get("value"), answer.get("score")
    certificate = answer.get("certificate") or {}
    if not isinstance(certificate, Mapping):
        raise WrongAnswerError(f"certificate is {_kind(certificate)}, expected a dict")
    return Verdict(
        verdict=Certainty(answer["verdict"]),
        value=None if value is None else _number(value, "value"),
        score=None if score is None else _number(score, "score"),
        detail=clean(str(answer.get("detail", ""))),
        certificate=dict(certificate),
    )


def _noise_of(evaluations: Sequence[Evaluation]) -> dict[str, float]:
    scores = [_score_of(each) for each in evaluations]
    return dict(zip(NOISE, (min(max(scores) - min(scores), sys.float_info.max), float(len(scores))), strict=True))


def _mean(numbers: Sequence[float]) -> float:
    """The mean; between the least and the greatest number, also where their sum is no float."""
    try:
        mean = math.fsum(numbers) / len(numbers)
    except OverflowError:
        mean = math.fsum(number / len(numbers) for number in numbers)
    return min(max(mean, min(numbers)), max(numbers))


def _median(numbers: Sequence[float]) -> float:
    """The median; finite for finite numbers, also where the sum of the two in the middle is not."""
    middle = statistics.median(numbers)
    return middle if math.isfinite(middle) else statistics.median(number / 2 for number in numbers) * 2


def _score_of(evaluation: Evaluation) -> float:
    assert evaluation.score is not None
    return evaluation.score


def _failure(answer: Mapping[str, Any], stage: str) -> Evaluation:
    kind = answer.get("kind", Failure.INVALID)
    if kind not in list(Failure):
        raise WrongAnswerError(f"the failure has the kind {kind!r}, expected one of {[str(each) for each in Failure]}")
    return Evaluation.failed(Failure(kind), detail=clean(str(answer["failure"])), stage=stage)


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise WrongAnswerError(f"{name} is {_kind(value)}, expected a finite number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise WrongAnswerError(f"{name} is {number}, expected a finite number")
    return number


def _place(value: object, axis: str) -> float | str:
    return _name(value) if isinstance(value, str) else _number(value, f"the descriptor's {axis}")


def _metrics(metrics: object) -> dict[str, float]:
    if metrics is None:
        return {}
    if not isinstance(metrics, Mapping):
        raise WrongAnswerError(f"metrics is {_kind(metrics)}, expected a dict")
    _refuse_more(len(metrics), MAX_METRICS, "metrics")
    return {_name(name): _number(value, f"the metric {name}") for name, value in metrics.items()}


def _artifacts(artifacts: object) -> dict[str, str]:
    if artifacts is None:
        return {}
    if not isinstance(artifacts, Mapping):
        raise WrongAnswerError(f"artifacts is {_kind(artifacts)}, expected a dict")
    _refuse_more(len(artifacts), MAX_ARTIFACTS, "artifacts")
    kept = {name: str(text) for name, text in artifacts.items()}
    if len(kept.get(CONSTRUCTION, "")) > MAX_CONSTRUCTION:
        del kept[CONSTRUCTION]
    return {_name(name): clean(text, ARTIFACT_LIMITS.get(name, MAX_TEXT)) for name, text in kept.items()}


def _name(name: object) -> str:
    return " ".join(clean(str(name), MAX_NAME).split())


def _refuse_more(n: int, most: int, name: str) -> None:
    if n > most:
        raise WrongAnswerError(f"it returned {n} {name}, at most {most} are kept: every candidate's go into the log")


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
