"""ShinkaEvolve's contract: what a script left in metrics.json and correct.json."""

from collections.abc import Callable
from typing import Any

from evaluators.answers import WrongAnswerError
from evaluators.contract import Failure
from evaluators.peers.outcome import Outcome
from evaluators.peers.readings import Readings, read
from evaluators.peers.spec import PeerSpec

COMBINED = "combined_score"
FEEDBACK = "text_feedback"
PUBLIC, PRIVATE = "public.", "private."


def judge(spec: PeerSpec, ask: Callable[..., Any], files: dict[str, str]) -> Outcome:
    """Run the script. A program that is not correct has no score, whatever the metrics say."""
    del files  # they lie where the script finds them
    result = ask("shinka_run", spec.evaluator)
    if not isinstance(result, dict) or not isinstance(result.get("error"), str):
        raise WrongAnswerError("the candidate's process sent no result of the script")
    status = result.get("status")
    if result.get("metrics") is None or result.get("correct") is None:
        reason = f"{result.get('wrong')}; {spec.evaluator} ended with exit status {status}"
        return Outcome.failed(Failure.INVALID, reason)
    metrics = read(result["metrics"])
    texts = _texts(metrics)
    if result["correct"] is not True:
        return Outcome.failed(Failure.INVALID, result["error"] or "correct.json says it is not correct", texts=texts)
    if COMBINED in metrics.odd:
        return Outcome.failed(Failure.NOT_FINITE, f"{COMBINED} is {metrics.odd[COMBINED]}", texts=texts)
    if COMBINED not in metrics.numbers:
        return Outcome.failed(Failure.INVALID, f"metrics.json has no number {COMBINED}", texts=texts)
    return Outcome(score=metrics.numbers[COMBINED], metrics=_public(metrics), texts=texts)


def _public(metrics: Readings) -> dict[str, float]:
    """All numbers; public ones by their own names, private ones marked, so that no model is shown them."""
    return {name.removeprefix(PUBLIC): value for name, value in metrics.metrics().items()}


def _texts(metrics: Readings) -> dict[str, str]:
    """What may be told about the program; private texts are told nobody."""
    found = {**metrics.odd, **metrics.texts}
    first = {FEEDBACK: found[FEEDBACK]} if found.get(FEEDBACK, "").strip() else {}
    rest = {
        name.removeprefix(PUBLIC): text
        for name, text in found.items()
        if not name.startswith(PRIVATE) and name != FEEDBACK and text not in ("", "[]")
    }
    return first | rest
