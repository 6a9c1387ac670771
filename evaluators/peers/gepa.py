"""GEPA's contract: a score and what there is to say about it, once or for every example."""

from collections.abc import Callable
from typing import Any

from evaluators.answers import WrongAnswerError
from evaluators.contract import Failure
from evaluators.peers.outcome import Outcome
from evaluators.peers.readings import Readings, read
from evaluators.peers.spec import PeerSpec

ONE_TEXT = "text"
"""In `PeerSpec.function`: the candidate is one text, not components by name."""
SCORES = "scores."


def judge(spec: PeerSpec, ask: Callable[..., Any], files: dict[str, str]) -> Outcome:
    """Call the evaluator; over several examples the mean counts."""
    texts = [[name.removesuffix(".py"), text] for name, text in files.items()]
    results = ask("gepa_run", spec.evaluator, texts, spec.function == ONE_TEXT)
    if not isinstance(results, list) or not results:
        raise WrongAnswerError("the candidate's process sent no result of the evaluator")
    scores: list[float] = []
    metrics: dict[str, float] = {}
    told: dict[str, str] = {}
    for index, result in enumerate(results):
        score, info = _one(result)
        if "score" not in score.numbers and "score" not in score.flags:
            reason = f"the score is {score.odd.get('score', 'no number')}"
            return Outcome.failed(Failure.NOT_FINITE, reason, texts=info.as_texts())
        scores.append(score.metrics()["score"])
        if len(results) > 1:
            metrics[f"example {index + 1}"] = scores[-1]
        if index == 0 or len(results) == 1:
            metrics |= {name.removeprefix(SCORES): value for name, value in info.metrics().items()}
            told |= {name: text for name, text in {**info.odd, **info.texts}.items() if text not in ("", "None")}
    return Outcome(score=sum(scores) / len(scores), metrics=metrics, texts=told)


def _one(result: Any) -> tuple[Readings, Readings]:
    if not isinstance(result, dict):
        raise WrongAnswerError("the candidate's process sent no result of the evaluator")
    return read([result.get("score")]), read(result.get("info"))
