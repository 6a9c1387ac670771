"""The evaluator's contract: what a candidate can be asked, and the record that judging it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

INTERPRETER = "INTERPRETER"
"""The level of symbolic candidates: our interpreter runs them, they never get a process."""
MACHINE_ARTIFACT = "machine"
"""How busy the machine was during a timed evaluation: for people; it says nothing about the candidate."""


class Failure(StrEnum):
    """Why a candidate has no score. A failure is a type, never a number; nothing compares it with a score."""

    SYNTAX = "syntax"  # the text does not parse, or leaves its language or its evolve blocks
    EXCEPTION = "exception"  # the program raised
    CRASH = "crash"  # its process ended without an answer
    TIMEOUT = "timeout"  # wall limit
    CPU = "cpu"  # limit of CPU seconds
    MEMORY = "memory"  # memory limit
    GPU_MEMORY = "gpu_memory"  # limit of GPU memory
    OUTPUT = "output"  # printed or returned too much
    PROCESSES = "processes"  # limit of threads and processes
    FILES = "files"  # limit of open files
    DISK = "disk"  # limit of the scratch folder
    FORBIDDEN = "forbidden"  # a system call that only an attack makes
    INVALID = "invalid"  # answered, but the answer breaks the problem's rules
    NOT_FINITE = "not_finite"  # answered NaN or infinity where a number was needed
    THRESHOLD = "threshold"  # stopped by a stage's threshold
    EVALUATOR = "evaluator"  # the judge itself raised or returned nonsense: not the candidate's fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The record of judging one candidate: a score (higher is better) with its descriptor, or a failure.

    Exactly one of `score` and `failure` is set. `descriptor` has one value per archive axis (a number, or a
    category's name). `detail` and `artifacts` are untrusted text of bounded length. `seconds` is wall time. `level`
    says how well the candidate was isolated: a `sandbox.layers.Level`, `INTERPRETER`, or nothing if it never ran.
    """

    score: float | None = None
    descriptor: Mapping[str, float | str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    detail: str = ""
    artifacts: Mapping[str, str] = field(default_factory=dict)
    stage: str = ""
    seconds: float = 0.0
    level: str = ""

    def __post_init__(self) -> None:
        """Hold the law that an evaluation is scored or failed, never both; and no score is minus zero.

        The log of a run does not keep the sign of zero, and a resumed run is to see what the first one saw.
        """
        if self.score == 0.0:
            object.__setattr__(self, "score", 0.0)
        if (self.score is None) == (self.failure is None):
            raise ValueError(f"an evaluation has a score or a failure, got {self.score!r} and {self.failure!r}")

    @classmethod
    def failed(
        cls, failure: Failure, *, detail: str, stage: str = "", seconds: float = 0.0, level: str = ""
    ) -> "Evaluation":
        """The record of a candidate that could not be scored."""
        return cls(failure=failure, detail=detail, stage=stage, seconds=seconds, level=level)


class CandidateHandle(Protocol):
    """What `evaluate(candidate)` receives: the text, and for Python candidates a way to call the program."""

    files: Mapping[str, str]

    def call(self, name: str, *args: Any, timeout: float | None = None) -> Any:
        """Run `name(*args)` in the candidate's own process; plain data in, plain data out.

        Raises:
            sandbox.errors.CandidateError: the program failed; evaluators let it pass.
        """


class Certainty(StrEnum):
    """What verification found out."""

    CERTIFIED = "certified"  # proved, with a certificate that says how
    REFUTED = "refuted"  # proved wrong: the program does not do what was asked
    UNVERIFIED = "unverified"  # nothing is claimed: the problem has no proof, or the allowed work was spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verification proved about one candidate.

    `value` is the proven quantity in the problem's own terms: an upper bound of the error for approximations, the
    exact construction's value for constructions. `score` is the score that follows from it, rounded so that it is
    never too good. `certificate` is JSON data that another program can check.
    """

    verdict: Certainty
    value: float | None = None
    score: float | None = None
    detail: str = ""
    certificate: Mapping[str, Any] = field(default_factory=dict)
