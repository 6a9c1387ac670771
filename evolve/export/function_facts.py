"""What the head of an exported function says: what it computes, how exactly, and how we know."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.errors import EvaluatorError
from evolve.errors import UsageError
from evolve.export.discovery import Discovery
from evolve.export.float64_error import Float64Error, measured_in_float64
from evolve.export.heading import origin
from evolve.export.straight_line import exportable
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import depth, operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.precise import written_pair
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import BUILT_IN, FLOAT32, Vocabulary

APPROXIMATION = "function_approximation"
MACHINE = "float32"
PROVE_IT = "`evolve export --verify` proves it first."
BEYOND_DOUBLE = 1.5
"""A float64 error that is so many times the bound is told loudly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFunction:
    """A program to be written as a function called `name`; `summary` is one line, `facts` are paragraphs."""

    name: str
    program: Program
    vocabulary: Vocabulary
    summary: str
    facts: tuple[str, ...]
    origin: tuple[str, ...]

    @property
    def is_machine(self) -> bool:
        """Whether every operation rounds to float32."""
        return self.vocabulary == FLOAT32


def exported_function(discovery: Discovery) -> ExportedFunction:
    """The function that a symbolic candidate is, with all that its head says.

    Raises:
        UsageError: it is over a vocabulary of the problem's own, or is no program that can be exported.
    """
    problem = discovery.problem
    symbolic = problem.tables.symbolic
    vocabulary = BUILT_IN.get(symbolic.vocabulary)
    if vocabulary is None:
        raise UsageError(
            f"{problem.name} has a vocabulary of its own ({symbolic.vocabulary}): only that file knows its words",
            hint="--as python writes the program as it is; the vocabularies " + ", ".join(BUILT_IN) + " go everywhere",
        )
    try:
        parsed = parse(discovery.entry, vocabulary, inputs=symbolic.inputs)
    except CandidateSyntaxError as error:
        raise UsageError(f"candidate {discovery.record.candidate.id} cannot be read: {error.detail}") from error
    program = exportable(parsed, vocabulary)
    summary, facts = _facts(discovery, program, vocabulary)
    return ExportedFunction(
        name=f"evolved_{problem.name}",
        program=program,
        vocabulary=vocabulary,
        summary=summary,
        facts=(*facts, "", *_constants(program, vocabulary)),
        origin=tuple(origin(discovery)),
    )


def _facts(discovery: Discovery, program: Program, vocabulary: Vocabulary) -> tuple[str, list[str]]:
    cost = f"{operation_count(program)} operations, depth {depth(program)}."
    family = discovery.problem.tables.evaluator.family
    if family == APPROXIMATION:
        summary, facts = _approximation(discovery, program, vocabulary)
    elif family == MACHINE:
        summary, facts = _machine(discovery)
    else:
        summary = f"What {discovery.problem.name} asks for: {discovery.problem.title}"
        facts = [_measured_score(discovery)]
    return summary, [summary, cost, *facts]


def _approximation(discovery: Discovery, program: Program, vocabulary: Vocabulary) -> tuple[str, list[str]]:
    options = discovery.problem.tables.evaluator.options
    function, interval, error = (options.get(key, "relative") for key in ("function", "interval", "error"))
    weight = error.get("weight") if isinstance(error, Mapping) else None
    kind = "weighted" if weight is not None else str(error)
    summary = f"Approximates {_target_name(function, discovery)} for {_ends(interval)}."
    facts = []
    if weight is not None:
        facts.append(f"Errors are absolute errors times the weight {weight}.")
    bound, told = _bound(discovery, f"max_{kind}_error", f"{kind} error")
    facts += [told, "The error is that of real arithmetic with these very constants: rounding does not count in it."]
    try:
        found = measured_in_float64(program, vocabulary, options, discovery.problem.folder)
    except EvaluatorError as problem:
        return summary, [*facts, f"The error in float64 arithmetic is not measured: {problem}."]
    return summary, [*facts, *_float64_lines(found, bound, kind)]


def _float64_lines(found: Float64Error | None, bound: float | None, kind: str) -> list[str]:
    if found is None:
        return [
            "The error in float64 arithmetic is not measured: the function is code of the problem's own, "
            "which an export does not run."
        ]
    told = (
        f"Evaluated in float64 as written here, the largest {kind} error over {found.n_points} points of the interval "
        f"is {found.largest:.4g}, at {found.point!r} (measured, not proved)."
    )
    lines = [told]
    if bound is not None and found.largest > BEYOND_DOUBLE * bound:
        lines.append(
            "WARNING: float64 arithmetic does NOT reach the bound above: with its rounding the error is "
            f"{_times(found.largest, bound)} it. Use more precise arithmetic to have the bound."
        )
    if found.not_finite:
        places = ", ".join(repr(point) for point in found.not_finite[:4])
        lines.append(
            f"WARNING: at {places} float64 evaluation gives no finite number: an intermediate value has a pole there, "
            "which cancels in real arithmetic only."
        )
    return lines


def _times(error: float, bound: float) -> str:
    return f"{error / bound:.3g} times" if bound > 0 and math.isfinite(error) else "far above"


def _machine(discovery: Discovery) -> tuple[str, list[str]]:
    options = discovery.problem.tables.evaluator.options
    summary = (
        f"Computes {options.get('function')}(x) in float32 for every float32 x with {_ends(options.get('interval'))}."
    )
    _, told = _bound(discovery, "ulp", "error in ulp")
    rounds = "Every operation rounds to float32, to nearest, ties to even; an fma rounds once."
    return summary, [told, f"{rounds} This code gives the very bits that were judged."]


def _bound(discovery: Discovery, metric: str, what: str) -> tuple[float | None, str]:
    """The largest error that is known, and a sentence that says whether it is proved."""
    proof = discovery.certificate
    if proof is not None and proof.is_proof and proof.value is not None:
        is_told = f" {proof.value!r} " in proof.detail
        detail = proof.detail if is_told else f"{what} at most {proof.value!r}: {proof.detail}"
        return proof.value, f"PROVED: {detail}. Certificate {proof.name} of the run, SHA-256 {proof.sha256}."
    value = discovery.record.evaluation.metrics.get(metric)
    said = f"Verification says: {discovery.verification}." if discovery.verification else PROVE_IT
    if value is None:
        return None, f"NOT PROVED, and no {what} was measured. {said}"
    return value, f"NOT PROVED, only measured: {what} {value!r}, the largest that the judge found. {said}"


def _measured_score(discovery: Discovery) -> str:
    """What the problem's own evaluator says of a program."""
    proof = discovery.certificate
    score = f"score {discovery.record.evaluation.score!r} ({discovery.problem.tables.problem.score})"
    if proof is not None and proof.is_proof:
        return (
            f"PROVED by the problem's own verification: value {proof.value!r}. {proof.detail}. "
            f"Certificate {proof.name} of the run, SHA-256 {proof.sha256}."
        )
    said = f" Verification says: {discovery.verification}." if discovery.verification else ""
    return f"NOT PROVED, only measured by the problem's evaluator: {score}.{said}"


def _constants(program: Program, vocabulary: Vocabulary) -> list[str]:
    """A line for constants that float64 does not hold."""
    n_long = sum(bool(low) for low in program.lows)
    if not n_long:
        kind = "float32" if vocabulary == FLOAT32 else "float64"
        return [f"Every constant is the {kind} that was judged, written so that it reads back exactly."]
    pairs = zip(program.constants, program.lows, strict=True)
    example = next(written_pair(value, low) for value, low in pairs if low)
    many = f"{n_long} of the constants were" if n_long > 1 else "1 of the constants was"
    return [
        f"{many} judged with more digits than float64 holds (such as {example}): code has the nearest float64 of each, "
        "and its exact digits beside it."
    ]


def _target_name(function: object, discovery: Discovery) -> str:
    """The function as people write it; a certificate knows it, and so do the built-in targets."""
    proof = discovery.certificate
    if proof is not None and isinstance(proof.body.get("function"), str):
        return str(proof.body["function"])
    from evaluators.approximation.functions import TARGETS

    target = TARGETS.get(str(function))
    return target.written if target is not None else str(function)


def _ends(interval: object) -> str:
    if isinstance(interval, Sequence) and not isinstance(interval, str) and len(interval) == 2:
        return f"{_end(interval[0])} <= x <= {_end(interval[1])}"
    return str(interval)


def _end(end: Any) -> str:
    return repr(end) if isinstance(end, float) and math.isfinite(end) else str(end)
