"""A construction as JSON: the data that its program returns, and what is proved about it."""

import json
import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from evaluators.answers import CONSTRUCTION
from evaluators.errors import EvaluatorError
from evaluators.handles import PythonCandidate
from evaluators.spec import JudgeSpec
from evolve.config.problem import Problem
from evolve.errors import EvolveEnvironmentError, SeedError
from evolve.export.discovery import Discovery
from evolve.export.heading import origin, plain

SCHEMA = "evolve.construction/1"
MOST_EXACT_NUMBERS = 20_000
NOTE = (
    "`data` is the construction that the run keeps, or what the function returned when it was run for this export (for "
    "a program of several sizes: by size); `exact` has the same numbers as fractions. "
    "`certificate` is what the problem's verification proved of a run of its own: where the program always returns the "
    "same, of the same data; in any case what is proved is the certificate's own data."
)


def constructed_json(discovery: Discovery, *, unsafe: bool = False) -> str:
    """Run the program's function in the sandbox, under the problem's limits, and write what it returned as JSON.

    Raises:
        SeedError: the program fails or returns no plain data.
        EvolveEnvironmentError: the sandbox does not work.
    """
    return document_text(discovery, constructed(discovery, unsafe=unsafe))


def document_text(discovery: Discovery, data: Any) -> str:
    """The JSON document of a construction's data."""
    candidate, proof = discovery.record.candidate, discovery.certificate
    numbers = _count(data)
    document = {
        "schema": SCHEMA,
        "problem": discovery.problem.name,
        "title": plain(discovery.problem.title),
        "parameters": _parameters(discovery.problem),
        "problem_content": discovery.problem.content_hash,
        "run": discovery.run,
        "candidate": candidate.id,
        "rng_seed": discovery.rng_seed,
        "score": discovery.record.evaluation.score,
        "metrics": dict(discovery.record.evaluation.metrics),
        "function": _function(discovery),
        "data": data,
        "exact": _exact(data) if numbers <= MOST_EXACT_NUMBERS else None,
        "verdict": None if proof is None else proof.verdict,
        "proved_value": proof.value if proof is not None and proof.is_proof else None,
        "verification": discovery.verdict if proof is None else proof.detail,
        "certificate": None if proof is None else dict(proof.body),
        "certificate_file": None if proof is None else {"name": proof.name, "sha256": proof.sha256},
        "note": NOTE,
        "origin": [plain(line) for line in origin(discovery)],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _parameters(problem: Problem) -> dict[str, Any]:
    """The parameters that all of the data is for."""
    family = problem.tables.family
    varied = family.parameter if family is not None and family.generalize else None
    return {name: value for name, value in problem.tables.parameters.items() if name != varied}


def constructed(discovery: Discovery, *, unsafe: bool = False) -> Any:
    """The construction that the run keeps, or else what the program's function returns, as plain JSON data.

    Raises:
        SeedError: the program fails or returns something else.
        EvolveEnvironmentError: the sandbox does not work.
    """
    # The sandbox is for Linux only, and other exports do without it.
    from evaluators.judge import open_sandbox
    from sandbox.errors import CandidateError, SandboxError

    kept = discovery.record.evaluation.artifacts.get(CONSTRUCTION)
    if kept:
        return json.loads(kept)
    try:
        spec = replace(JudgeSpec.from_mapping(discovery.problem.judge_spec_mapping()), unsafe=unsafe)
    except EvaluatorError as error:
        raise SeedError(f"the stored problem cannot be used: {error}") from error
    try:
        with closing(open_sandbox(spec)) as sandbox:
            candidate = PythonCandidate(discovery.files, sandbox, entry=spec.entry, limits=spec.limits.limits())
            with closing(candidate):
                return _returned(discovery, candidate)
    except CandidateError as error:
        identifier = discovery.record.candidate.id
        raise SeedError(f"candidate {identifier} gives no construction: {error.kind}: {plain(error.detail)}") from error
    except SandboxError as error:
        raise EvolveEnvironmentError(str(error), hint="`evolve doctor` shows what works here") from error


def _returned(discovery: Discovery, candidate: PythonCandidate) -> Any:
    """What the function returns for the problem's parameters; for several sizes one construction for each."""
    tables = discovery.problem.tables
    more = (None, 0) if tables.search.inherit else ()  # no construction to start from, and a random state
    family = tables.family
    if family is None or not family.generalize:
        return json_data(candidate.call(_function(discovery), *tables.parameters.values(), *more))
    found = {}
    for size in (*family.sizes, *family.held_out):
        values = {**tables.parameters, family.parameter: size}
        found[f"{family.parameter}{size}"] = json_data(candidate.call(_function(discovery), *values.values(), *more))
        candidate.close()  # each size gets a fresh process, as when it is judged
    return found


def json_data(value: Any) -> Any:
    """Plain data of the sandbox as JSON data: arrays become lists, all numbers are finite."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): json_data(each) for key, each in value.items()}
    if isinstance(value, list):
        return [json_data(each) for each in value]
    return value


def _function(discovery: Discovery) -> str:
    assert discovery.export is not None
    assert discovery.export.function is not None
    return discovery.export.function


def _exact(value: Any) -> Any:
    """The same data with every float as a fraction, `"p/q"`; whole numbers and text stay."""
    if isinstance(value, float):
        return str(Fraction(value)) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _exact(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_exact(each) for each in value]
    return value


def _count(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(map(_count, value.values()))
    return sum(map(_count, value)) if isinstance(value, list) else 1
