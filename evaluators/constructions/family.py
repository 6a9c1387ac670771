"""Families of constructions: a program has to work for every size, and for sizes that the search never sees."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluators.answers import PICTURE
from evaluators.constructions.evaluator import PROGRAM_LINES, ConstructionEvaluator, Judging, program_lines
from evaluators.contract import Certainty, Failure
from evaluators.errors import EvaluatorError
from evaluators.options import checked_options
from evaluators.spec import FAMILY_SCHEMA, JudgeSpec, StageSpec
from sandbox.errors import CandidateError

FAMILY_KEYS = ("parameter", "sizes", "held_out", "threshold", "references")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the program is worth at one size: its value relative to the yardstick's, or why it has none."""

    size: int
    is_held_out: bool
    relative: float = 0.0
    value: float | None = None
    failure: str = ""
    certificate: Mapping[str, Any] | None = None

    @property
    def told(self) -> str:
        """The size and what was found, in words."""
        return f"{self.size}: {self.failure[:120]}" if self.failure else f"{self.size}: {self.relative:.6g}"


class FamilyEvaluator:
    """Judges programs by what their function returns for each of several sizes; each is asked of a fresh process.

    The value at a size is divided by that of a yardstick, the best known value or a baseline (where small is good: the
    other way round), so that sizes can be compared; the score is the mean. Small sizes come first. A program that fails
    at one size, or falls below the threshold there, has failed. Nothing is inherited.

    Options are those of `ConstructionEvaluator`, and `family`: the `parameter` that varies, `sizes`, those `held_out`,
    `threshold`, and `references`, the value of each size to compare with.
    """

    def __init__(self, spec: JudgeSpec) -> None:
        options = dict(spec.options)
        family = checked_options(options.pop("family"), required=FAMILY_KEYS, optional={})
        self._name: str = family["parameter"]
        self._sizes: tuple[int, ...] = tuple(family["sizes"])
        self._held_out: tuple[int, ...] = tuple(family["held_out"])
        self._threshold: float = family["threshold"]
        self._references = {int(size): float(value) for size, value in family["references"].items()}
        self._members = {size: self._member(spec, options, size) for size in (*self._sizes, *self._held_out)}
        self.fit_target: Callable[[], Any] | None = None
        self.stages: tuple[tuple[StageSpec, Judging], ...] = ((StageSpec(name=""), self.judge),)

    def judge(self, candidate: Any) -> dict[str, Any]:
        """Score the program by all sizes of the search; an answer as `evaluation_of` reads it."""
        answers: dict[int, Mapping[str, Any]] = {}
        relatives: dict[int, float] = {}
        for size in self._sizes:
            candidate.close()  # what a program keeps from one size must not help it at the next
            answer = self._answer(candidate, size)
            if "failure" in answer:
                return answer
            relatives[size] = self._relative(size, answer["metrics"]["value"])
            if relatives[size] < self._threshold:
                return self._too_low(size, relatives[size])
            answers[size] = answer
        details = _means([answer["metrics"] for answer in answers.values()])
        values = {f"value_{self._name}{size}": answer["metrics"]["value"] for size, answer in answers.items()}
        shown = {f"relative_{self._name}{size}": relative for size, relative in relatives.items()}
        artifacts = answers[self._sizes[-1]]["artifacts"]
        return {
            "score": mean(list(relatives.values())),
            "descriptor": {**details, PROGRAM_LINES: program_lines(candidate.files)},
            "metrics": {"worst": min(relatives.values()), **shown, **details, **values},
            "artifacts": {PICTURE: artifacts[PICTURE]} if PICTURE in artifacts else {},
        }

    def verify(self, candidate: Any) -> dict[str, Any]:
        """Judge all sizes and those held out with one random state, with a certificate for each.

        The value is the mean over the sizes that were held out, where a failure counts nothing.
        """
        proofs = [self._proof(candidate, size) for size in (*self._sizes, *self._held_out)]
        seen = mean([proof.relative for proof in proofs if not proof.is_held_out])
        unseen = mean([proof.relative for proof in proofs if proof.is_held_out]) if self._held_out else None
        works = not any(proof.failure for proof in proofs)
        return {
            "verdict": str(Certainty.CERTIFIED if works else Certainty.REFUTED),
            "value": seen if unseen is None else unseen,
            "score": seen,
            "detail": self._detail(proofs, seen, unseen),
            "certificate": {
                "schema": FAMILY_SCHEMA,
                "parameter": self._name,
                "mean": seen,
                "held_out_mean": unseen,
                "generalization_gap": None if unseen is None else seen - unseen,
                "sizes": [self._as_json(proof) for proof in proofs],
            },
        }

    def _member(self, spec: JudgeSpec, options: Mapping[str, Any], size: int) -> ConstructionEvaluator:
        parameters = {**options.get("parameters", {}), self._name: size}
        # Told by its size, so that the certificate of each size says what problem it solves.
        name = f"{spec.name}, {self._name} = {size}"
        return ConstructionEvaluator(replace(spec, name=name, options={**options, "parameters": parameters}))

    def _answer(self, candidate: Any, size: int) -> dict[str, Any]:
        """The evaluation at one size; what is wrong there names the size."""
        try:
            answer = self._members[size].judge(candidate)
        except CandidateError as error:
            return {"failure": f"at {self._name} = {size}: {error.detail}", "kind": error.kind}
        if "failure" in answer:
            answer["failure"] = f"at {self._name} = {size}: {answer['failure']}"
        return answer

    def _relative(self, size: int, value: float) -> float:
        reference = self._references[size]
        if self._members[size].direction == "max":
            return value / reference
        if value <= 0.0:
            raise EvaluatorError(f"the value {value!r} at {self._name} = {size} cannot be compared with {reference!r}")
        return reference / value

    def _too_low(self, size: int, relative: float) -> dict[str, Any]:
        told = f"at {self._name} = {size}: the value is {relative:.6g} of {self._references[size]:.12g}"
        return {"failure": f"{told}, below the threshold {self._threshold:g}", "kind": str(Failure.THRESHOLD)}

    def _proof(self, candidate: Any, size: int) -> Proof:
        is_held_out = size in self._held_out
        candidate.close()
        try:
            answer = self._members[size].verify(candidate)
        except CandidateError as error:
            return Proof(size=size, is_held_out=is_held_out, failure=f"{error.kind}: {error.detail}")
        if answer["verdict"] != Certainty.CERTIFIED:
            return Proof(size=size, is_held_out=is_held_out, failure=answer["detail"])
        return Proof(
            size=size,
            is_held_out=is_held_out,
            relative=self._relative(size, answer["value"]),
            value=answer["value"],
            certificate=answer["certificate"],
        )

    def _detail(self, proofs: Sequence[Proof], seen: float, unseen: float | None) -> str:
        told = "; ".join(proof.told for proof in proofs if not proof.is_held_out)
        text = f"relative values for {self._name} of the search: mean {seen:.6g} ({told})"
        if unseen is None:
            return f"{text}\nno sizes were held out"
        told = "; ".join(proof.told for proof in proofs if proof.is_held_out)
        return f"{text}\nheld out: mean {unseen:.6g} ({told})\ngeneralization gap {seen - unseen:.6g}"

    def _as_json(self, proof: Proof) -> dict[str, Any]:
        return {
            "size": proof.size,
            "held_out": proof.is_held_out,
            "value": proof.value,
            "compared_with": self._references[proof.size],
            "relative": proof.relative,
            "failure": proof.failure or None,
            "certificate": proof.certificate,
        }


def mean(numbers: Sequence[float]) -> float:
    """The mean; 1 where all are 1."""
    return math.fsum(numbers) / len(numbers)


def _means(tables: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The means of the numbers that all tables have; the values themselves cannot be compared."""
    shared = [name for name in tables[0] if name != "value" and all(name in table for table in tables)]
    return {name: mean([table[name] for table in tables]) for name in shared}
