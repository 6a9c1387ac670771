"""Seed noise: how much the score of one program depends on the random state, measured and kept with the problem.

Two programs are compared on the same random states: what is luck for one is luck for the other, so that their
differences vary less than their scores wherever luck is shared (common random numbers).
"""

import hashlib
import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluators.contract import Evaluation
from evolve.config.problem import NOISE_FILE, Problem
from evolve.errors import EvolveEnvironmentError, SeedError
from evolve.scaffold.trials import Trials
from sandbox.errors import SandboxError

SCHEMA = "evolve.noise/1"
HASH_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Scores of one program with different random states; `seconds` is the median of what one evaluation took."""

    problem: str
    parameters: Mapping[str, Any]
    program: str
    scores: Sequence[float]
    n_failed: int = 0
    seconds: float = 0.0
    measured: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())

    @property
    def mean(self) -> float:
        """The mean score."""
        return statistics.fmean(self.scores)

    @property
    def deviation(self) -> float:
        """The standard deviation of one score."""
        return statistics.stdev(self.scores)

    def to_json(self) -> dict[str, Any]:
        """Plain data: the scores and what they amount to."""
        told = {"best": max(self.scores), "mean": self.mean, "worst": min(self.scores), "deviation": self.deviation}
        return {**asdict(self), **told, "scores": list(self.scores)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """By how much one program scores above another, random state by random state."""

    differences: Sequence[float]
    unpaired_error: float

    @property
    def mean(self) -> float:
        """The mean difference."""
        return statistics.fmean(self.differences)

    @property
    def error(self) -> float:
        """Its standard error."""
        return statistics.stdev(self.differences) / math.sqrt(len(self.differences))

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the counts of random states where the other program is better or worse."""
        better, worse = (sum(sign * each > 0 for each in self.differences) for sign in (1, -1))
        told = {"mean": self.mean, "standard_error": self.error, "unpaired_error": self.unpaired_error}
        return {**told, "better": better, "worse": worse, "equal": len(self.differences) - better - worse}


def measure_noise(
    problem: Problem,
    programs: Sequence[Mapping[str, str]],
    *,
    n_seeds: int,
    unsafe_sandbox: bool = False,
    listener: Callable[[str], None] = lambda _: None,
) -> tuple[list[Noise], Comparison | None]:
    """Judge one program, or two, with the random states 0, 1, 2, ...; two are also compared.

    Raises:
        SeedError: fewer than two random states give a score.
        EvolveEnvironmentError: the sandbox does not work on this machine.
    """
    evaluations: list[list[Evaluation]] = [[] for _ in programs]
    try:
        with Trials.of(problem, seconds=math.inf, unsafe=unsafe_sandbox) as trials:
            for number in range(n_seeds):
                listener(f"random state {number + 1} of {n_seeds}")
                for each, files in zip(evaluations, programs, strict=True):
                    each.append(trials.judge(files, rng_seed=number))
    except SandboxError as broken:
        raise EvolveEnvironmentError(f"the sandbox does not work: {broken}", hint="see `evolve doctor`") from broken
    found = [_noise(problem, files, each) for files, each in zip(programs, evaluations, strict=True)]
    return found, _compared(*evaluations) if len(programs) == 2 else None


def _noise(problem: Problem, files: Mapping[str, str], evaluations: Sequence[Evaluation]) -> Noise:
    scores = [each.score for each in evaluations if each.score is not None]
    if len(scores) < 2:
        failed = next(each for each in evaluations if each.score is None)
        raise SeedError(f"the program of {problem.name} fails ({failed.failure}): {failed.detail.strip()[-300:]}")
    return Noise(
        problem=problem.name,
        parameters=_parameters_of(problem),
        program=hash_of(files),
        scores=scores,
        n_failed=len(evaluations) - len(scores),
        seconds=round(statistics.median(each.seconds for each in evaluations), 3),
    )


def _parameters_of(problem: Problem) -> dict[str, Any]:
    """The parameters' values, and all sizes of the one that a family varies."""
    family = problem.tables.family
    varied = {family.parameter: list(family.sizes)} if family is not None and problem.generalizes else {}
    return {**problem.tables.parameters, **varied}


def _compared(first: Sequence[Evaluation], other: Sequence[Evaluation]) -> Comparison | None:
    pairs = [
        (one.score, two.score)
        for one, two in zip(first, other, strict=True)
        if one.score is not None and two.score is not None
    ]
    if len(pairs) < 2:
        return None
    variances = [statistics.variance(scores) for scores in zip(*pairs, strict=True)]
    return Comparison(
        differences=[after - before for before, after in pairs],
        unpaired_error=math.sqrt(sum(variances) / len(pairs)),
    )


def hash_of(files: Mapping[str, str]) -> str:
    """A short name of a program: the beginning of a hash of its files."""
    return hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()[:HASH_DIGITS]


def save_noise(problem: Problem, noise: Noise) -> Path:
    """Write what was measured into the problem's folder, in the place of what stood there for these parameters.

    Raises:
        EvolveEnvironmentError: it cannot be written.
    """
    path = problem.folder / NOISE_FILE
    here = noise.problem, noise.parameters
    others = [each for each in _stored(path) if (each.get("problem"), each.get("parameters")) != here]
    rows = sorted([*others, noise.to_json()], key=lambda row: str(row.get("problem")))
    try:
        path.write_text(json.dumps({"schema": SCHEMA, "measured": rows}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise EvolveEnvironmentError(f"cannot write {path}: {error.strerror}") from error
    return path


def stored_noise(problem: Problem) -> dict[str, Any] | None:
    """What was measured for a problem with these parameters; `is_current` says whether of this seed program."""
    for row in _stored(problem.folder / NOISE_FILE):
        if (row.get("problem"), row.get("parameters")) == (problem.name, _parameters_of(problem)):
            numbers = [row.get(key) for key in ("mean", "deviation", "best", "seconds", "n_failed")]
            is_whole = isinstance(row.get("scores"), list) and all(isinstance(each, int | float) for each in numbers)
            is_current = row.get("program") == hash_of(problem.seed_files)
            return {**row, "is_current": is_current} if is_whole else None
    return None


def _stored(path: Path) -> list[dict[str, Any]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    rows = document.get("measured") if isinstance(document, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
