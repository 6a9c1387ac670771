"""The evaluator family `construction`: a Python program returns a construction, a verifier of ours measures it."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from evaluators.answers import CONSTRUCTION, PICTURE
from evaluators.constructions.certificate import certificate_of
from evaluators.constructions.pictures import as_text
from evaluators.constructions.registry import checked_parameters, verifier_named, verify
from evaluators.constructions.verdict import Verdict
from evaluators.options import checked_options
from evaluators.spec import JudgeSpec, StageSpec

PROGRAM_LINES = "program_lines"
LARGEST_DETAIL = 1e300
SEEDS = 1 << 32

Judging = Callable[[Any], object]


class ConstructionEvaluator:
    """Judges programs by the construction that one of their functions returns; used like `ForeignEvaluator`.

    The function is called with the values of the problem's parameters, in their order, and nothing else that the
    program says is read.

    Options:
        verifier: A name of `registry.MODULES`.
        function: The program's function, `construct` unless said otherwise.
        parameters: Values for the verifier's parameters: the table `[parameters]` of problem.toml.
        inherit: Whether the function has two arguments more: the best construction of the run so far, or None, and a
            whole number to draw random numbers from. Where the mean of repeats is what counts, the construction is
            None: it would hide what the program can do.
    """

    def __init__(self, spec: JudgeSpec) -> None:
        defaults = {"function": "construct", "parameters": {}, "inherit": False}
        options = checked_options(spec.options, required=("verifier",), optional=defaults)
        self._problem = spec.name
        self._function = options["function"]
        self._inherits = bool(options["inherit"])
        self._hands_on = self._inherits and spec.combine != "mean"
        self._verifier = verifier_named(options["verifier"])
        self.direction = self._verifier.direction
        self._parameters = checked_parameters(self._verifier, options["parameters"])
        self._arguments = tuple(options["parameters"].values())
        self.fit_target: Callable[[], Any] | None = None
        self.stages: tuple[tuple[StageSpec, Judging], ...] = ((StageSpec(name=""), self.judge),)

    def judge(self, candidate: Any) -> dict[str, Any]:
        """Score the construction that the program returns; an answer as `evaluation_of` reads it."""
        least, inherited = self._inherited(candidate)
        answer = self._answer(candidate, inherited)
        verdict = self._verdict(answer)
        if not verdict.valid:
            return {"failure": verdict.reason}
        details = {name: _bounded(value) for name, value in verdict.details.items()}
        assert verdict.score is not None
        value = verdict.score if self._verifier.direction == "max" else -verdict.score
        picture = as_text(verdict.picture)
        return {
            "score": verdict.score,
            "descriptor": {**details, PROGRAM_LINES: program_lines(candidate.files)},
            "metrics": {**details, "value": value},
            "artifacts": ({} if picture is None else {PICTURE: picture}) | self._heirloom(answer, verdict.score, least),
        }

    def verify(self, candidate: Any) -> dict[str, Any]:
        """The same arithmetic again, with a certificate that a stand-alone script re-checks."""
        recorded = json.loads(candidate.inherited) if candidate.inherited else None
        verdict = self._verdict(self._answer(candidate, None) if recorded is None else recorded)
        if not verdict.valid:
            return {"verdict": "refuted", "detail": verdict.reason}
        certificate = certificate_of(self._verifier, self._parameters, verdict, problem=self._problem)
        return {
            "verdict": "certified",
            "value": certificate["value_as_float"],
            "score": verdict.score,
            "detail": certificate["claim"],
            "certificate": certificate,
        }

    def _answer(self, candidate: Any, inherited: object) -> Any:
        more = (inherited, (candidate.rng_seed + candidate.repeat) % SEEDS) if self._inherits else ()
        return candidate.call(self._function, *self._arguments, *more)

    def _verdict(self, answer: Any) -> Verdict:
        return verify(self._verifier.name, answer, self._parameters)

    def _inherited(self, candidate: Any) -> tuple[float, Any]:
        """The score of the best construction so far and the construction; minus infinity and None at first."""
        if not self._hands_on or not candidate.inherited:
            return -math.inf, None
        score, construction = json.loads(candidate.inherited)
        return score, json.loads(construction)

    def _heirloom(self, answer: Any, score: float, least: float) -> dict[str, str]:
        """What later programs inherit: the construction, if it is better than all before it."""
        if not self._hands_on or score <= least:
            return {}
        return {CONSTRUCTION: json.dumps(answer, default=_plain)}


def program_lines(files: Mapping[str, str]) -> int:
    """Lines that are neither empty nor a comment."""
    lines = [line.strip() for text in files.values() for line in text.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


def _plain(value: Any) -> Any:
    """An array as lists; anything else has been refused by the verifier."""
    return value.tolist()


def _bounded(value: float) -> float:
    return max(-LARGEST_DETAIL, min(LARGEST_DETAIL, value)) if value == value else 0.0
