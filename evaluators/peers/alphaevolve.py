"""AlphaEvolve's client contract: scores of which the first counts, and insights."""

from collections.abc import Callable
from typing import Any

from evaluators.answers import WrongAnswerError
from evaluators.contract import Failure
from evaluators.peers.outcome import Outcome
from evaluators.peers.readings import read
from evaluators.peers.spec import PeerSpec

FAILED_SCORE = -1e12
"""What evaluators of this contract answer for a program that could not be scored."""
OPTIONS = ("--output-file", "--program-dir", "--input-program-file")


def judge(spec: PeerSpec, ask: Callable[..., Any], files: dict[str, str]) -> Outcome:
    """Run the script, or call the function that `spec.function` names in the module of `spec.evaluator`."""
    if spec.function:
        module = spec.evaluator.removesuffix(".py").replace("/", ".")
        result = ask("alphaevolve_function", module, spec.function, [list(pair) for pair in files.items()])
    else:
        result = ask("alphaevolve_file", spec.evaluator, list(spec.options))
    if not isinstance(result, dict):
        raise WrongAnswerError("the candidate's process sent no result of the evaluator")
    scores, texts = read(result.get("scores")), read(result.get("insights")).as_texts()
    if not result["scores"]:
        return Outcome.failed(Failure.INVALID, "the evaluator returned no score", texts=texts)
    first = " ".join(str(result["scores"][0][0]).split())
    if first in scores.odd:
        return Outcome.failed(Failure.NOT_FINITE, f"{first} is {scores.odd[first]}", texts=texts)
    score = scores.metrics().get(first)
    if score is None or score <= FAILED_SCORE:
        return Outcome.failed(Failure.INVALID, f"the evaluator gave no score for {first}", texts=texts)
    return Outcome(score=score, metrics=scores.metrics(), texts=texts)
