"""OpenEvolve's contract: which stages run, and what their metrics amount to."""

from collections.abc import Callable
from typing import Any

from evaluators.answers import WrongAnswerError
from evaluators.contract import Failure
from evaluators.peers.inside.openevolve import STAGES
from evaluators.peers.outcome import Outcome
from evaluators.peers.readings import Readings, read
from evaluators.peers.spec import PeerSpec
from sandbox.errors import CandidateError

COMBINED = "combined_score"
ERROR = "error"
NO_SCORES = frozenset({ERROR, "timeout"})

Ask = Callable[..., Any]


def judge(spec: PeerSpec, ask: Ask, files: dict[str, str]) -> Outcome:
    """Run the evaluator, stage by stage where it has stages, and read its metrics.

    A program that a threshold stops keeps what the stages so far found, as in OpenEvolve.
    """
    del files  # they lie where the evaluator finds them
    offered = ask("openevolve_prepare", spec.evaluator)
    if "evaluate" not in offered:
        raise WrongAnswerError(f"{spec.evaluator} has no function evaluate(program_path)")
    names = [name for name in STAGES if name in offered] if spec.cascade else []
    if not names or names[0] != STAGES[0]:
        names = ["evaluate"]
    metrics, artifacts, reached = Readings(), Readings(), ""
    for position, name in enumerate(names):
        found, texts = _stage(ask, name)
        metrics, artifacts, reached = metrics.updated(found), artifacts.updated(texts), name
        if position + 1 < len(names) and not _passes(metrics, spec.thresholds, position):
            break
    return _outcome(spec, metrics, artifacts, reached if len(names) > 1 else "")


def _stage(ask: Ask, name: str) -> tuple[Readings, Readings]:
    try:
        result = ask("openevolve_stage", name)
    except CandidateError as error:
        error.detail = f"{name}: {error.detail}"
        raise
    if not isinstance(result, dict):
        raise WrongAnswerError("the candidate's process sent no result of a stage")
    return read(result.get("metrics")), read(result.get("artifacts"))


def _passes(metrics: Readings, thresholds: tuple[float, ...], position: int) -> bool:
    """Whether the next stage is reached; without a threshold the second is, the third is not."""
    if position >= len(thresholds):
        return False
    if COMBINED in metrics.numbers:
        return metrics.numbers[COMBINED] >= thresholds[position]
    values = [value for name, value in metrics.metrics().items() if name != ERROR]
    return bool(values) and sum(values) / len(values) >= thresholds[position]


def _outcome(spec: PeerSpec, metrics: Readings, artifacts: Readings, stage: str) -> Outcome:
    texts = metrics.texts | metrics.odd | artifacts.as_texts()
    complaint = metrics.texts.get(ERROR, "").strip()
    if set(metrics.numbers) | set(metrics.flags) <= NO_SCORES and COMBINED not in metrics.odd:
        reason = complaint or "the evaluator returned no metric but an error"
        return Outcome.failed(Failure.INVALID, reason, texts=texts, stage=stage)
    if complaint and not metrics.numbers.get(COMBINED):
        return Outcome.failed(Failure.INVALID, complaint, texts=texts, stage=stage)
    if COMBINED in metrics.odd:
        reason = f"{COMBINED} is {metrics.odd[COMBINED]}"
        return Outcome.failed(Failure.NOT_FINITE, reason, texts=texts, stage=stage)
    return Outcome(score=fitness(metrics, spec.dimensions), metrics=metrics.metrics(), texts=texts, stage=stage)


def fitness(metrics: Readings, dimensions: tuple[str, ...]) -> float:
    """`combined_score`, else the mean of the metrics that are no dimensions of the archive, else of all."""
    if COMBINED in metrics.numbers:
        return metrics.numbers[COMBINED]
    counted = [value for name, value in metrics.numbers.items() if name not in dimensions]
    counted = counted or list(metrics.numbers.values())
    return sum(counted) / len(counted) if counted else 0.0
