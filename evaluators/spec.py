"""All that judging needs, as plain data: it travels to workers as JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from evaluators.errors import EvaluatorError
from sandbox.limits import MEBIBYTE, Limits

KIBIBYTE = 1 << 10
N_TRIES = 2  # a sandbox that breaks is started once more
N_CALLS = 10  # all calls of a candidate together may take so many times the limit of one
SANDBOX_SECONDS = 180.0  # what a sandbox may take to start, to confine a process and to end it
PEER_FAMILY = "peer"  # the evaluators of other engines' folders, see `evaluators.peers`
OPTIMIZER_FAMILY = "optimizer"  # update rules that train networks, see `evaluators.optimizers`
CONSTRUCTION_FAMILY = "construction"  # verifiers of constructions, see `evaluators.constructions`
FAMILY_SCHEMA = "evolve.family/1"  # of a certificate for several sizes, see `evaluators.constructions.family`
TURN_SECONDS = 3600.0  # what one timed evaluation waits for its turn at most
GPUS_IF_ANY = "auto"  # instead of cards' names: the first card that is there, or none
GPUS_NEEDED = "needed"  # the first card that is there
COMBINATIONS = ("median", "best", "mean")  # what several scores of one candidate amount to
LOADING = 2  # an evaluator's own limit counts for loading it and for its evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSpec:
    """One stage: a candidate that scores below `threshold` there goes no further (None: never stopped).

    One that is `exclusive` measures time: nothing else is measured beside it, see `evaluators.exclusive`.
    """

    name: str
    threshold: float | None = None
    exclusive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolicSpec:
    """The language of symbolic candidates. `vocabulary` is a built-in name or the path of a .py file."""

    vocabulary: str = "arithmetic"
    inputs: tuple[str, ...] = ("x",)
    function: str = "f"
    max_operations: int = 14
    max_constants: int = 12


MAY_BE_ZERO = ("scratch_mb", "gpu_memory_mb", "shared_mb", "gpu_shared_mb")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSpec:
    """The limits of one candidate's process, in the units of problem.toml."""

    wall_seconds: float = 10.0
    cpu_seconds: float = 60.0
    memory_mb: int = 1024
    output_kb: int = 64
    result_mb: int = 16
    n_threads: int = 1
    n_processes: int = 32
    n_files: int = 64
    scratch_mb: int = 0
    gpu_memory_mb: int = 0
    shared_mb: int = 0
    gpu_shared_mb: int = 0

    def __post_init__(self) -> None:
        """Refuse limits that limit nothing, or leave nothing."""
        _refuse_endless("limits", self, may_be_zero=MAY_BE_ZERO)

    def limits(self) -> Limits:
        """The same as the sandbox takes them."""
        return Limits(
            wall_seconds=self.wall_seconds,
            cpu_seconds=self.cpu_seconds,
            memory_bytes=self.memory_mb * MEBIBYTE,
            output_bytes=self.output_kb * KIBIBYTE,
            result_bytes=self.result_mb * MEBIBYTE,
            n_threads=self.n_threads,
            n_processes=self.n_processes,
            n_files=self.n_files,
            scratch_bytes=self.scratch_mb * MEBIBYTE,
            gpu_memory_bytes=self.gpu_memory_mb * MEBIBYTE,
            shared_bytes=self.shared_mb * MEBIBYTE,
            gpu_shared_bytes=self.gpu_shared_mb * MEBIBYTE,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """The limits of the evaluator's own process.

    `wall_seconds` bounds its own time for one evaluation (all stages and repeats), and for loading it: what it waits
    for the candidate does not count, for that has its own limits. `verify_seconds` is the same for verification.
    """

    wall_seconds: float = 60.0
    verify_seconds: float = 600.0
    memory_mb: int = 8192

    def __post_init__(self) -> None:
        """Refuse limits that limit nothing, or leave nothing."""
        _refuse_endless("evaluator", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSpec:
    """A problem as its judge sees it.

    Exactly one of `family` (a built-in evaluator, with `options`) and `file` (a Python file in `folder`) is set.
    `axes` names the archive's axes: every evaluation has a descriptor value for each. `entry` is the file of a Python
    candidate whose functions are called (the first if None). `preload` names modules that Python candidates find
    already imported. `gpus` are the graphics cards that they see: numbers of `nvidia-smi`, UUIDs, or one word, `auto`
    or `needed`; `gpu_share` is the part of a card's memory that one candidate may take. All stages are `exclusive`, or
    those that say so. `unsafe` allows a sandbox that confines next to nothing. `combine` says which of the `repeats`
    counts; `paired` asks whoever chooses random states to give every candidate the same.
    """

    name: str = ""
    language: str
    folder: str = ""
    family: str | None = None
    file: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    repeats: int = 1
    combine: str = "median"
    paired: bool = False
    stages: tuple[StageSpec, ...] = ()
    axes: tuple[str, ...] = ()
    symbolic: SymbolicSpec | None = None
    limits: LimitsSpec = field(default_factory=LimitsSpec)
    process: ProcessSpec = field(default_factory=ProcessSpec)
    entry: str | None = None
    preload: tuple[str, ...] = ("numpy",)
    gpus: tuple[int | str, ...] = ()
    gpu_share: float = 1.0
    exclusive: bool = False
    unsafe: bool = False

    def __post_init__(self) -> None:
        """Refuse what no judge can be built from, all mistakes at once."""
        wrong = []
        if self.language not in ("symbolic", "python"):
            wrong.append(f"language is {self.language!r}, expected 'symbolic' or 'python'")
        if (self.family is None) == (self.file is None):
            wrong.append("exactly one of family and file must be set")
        if self.language == "symbolic" and self.symbolic is None:
            wrong.append("a symbolic problem needs the table symbolic")
        if self.repeats < 1:
            wrong.append(f"repeats is {self.repeats}, expected 1 or more")
        if self.combine not in COMBINATIONS:
            wrong.append(f"combine is {self.combine!r}, expected one of {', '.join(COMBINATIONS)}")
        if not 0.0 < self.gpu_share <= 1.0:
            wrong.append(f"gpu_share is {self.gpu_share!r}, expected above 0 and up to 1")
        if wrong:
            raise EvaluatorError("the problem cannot be judged: " + "; ".join(wrong))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "JudgeSpec":
        """Undo `to_mapping`.

        Raises:
            EvaluatorError: keys are unknown or missing, or the data contradict each other.
        """
        data = dict(mapping)
        unknown = sorted(set(data) - {each.name for each in fields(cls)})
        if unknown or "language" not in data:
            raise EvaluatorError(f"not a judge's data: unknown keys {unknown}, language given: {'language' in data}")
        try:
            data["stages"] = tuple(StageSpec(**stage) for stage in data.get("stages", ()))
            data["axes"] = tuple(data.get("axes", ()))
            data["preload"] = tuple(data.get("preload", ("numpy",)))
            data["gpus"] = tuple(data.get("gpus", ()))
            data["limits"] = LimitsSpec(**data.get("limits", {}))
            data["process"] = ProcessSpec(**data.get("process", {}))
            symbolic = data.get("symbolic")
            if symbolic is not None:
                data["symbolic"] = SymbolicSpec(**{**symbolic, "inputs": tuple(symbolic.get("inputs", ("x",)))})
        except TypeError as error:
            raise EvaluatorError(f"not a judge's data: {error}") from error
        return cls(**data)

    def to_mapping(self) -> dict[str, Any]:
        """Plain JSON data from which `from_mapping` makes an equal spec."""
        data = asdict(self)
        data["stages"] = [asdict(stage) for stage in self.stages]
        data["axes"] = list(self.axes)
        data["preload"] = list(self.preload)
        data["gpus"] = list(self.gpus)
        if data["symbolic"] is not None:
            data["symbolic"]["inputs"] = list(data["symbolic"]["inputs"])
        return data

    @property
    def runs_own_code(self) -> bool:
        """Whether judging needs a process of its own: for a file of the problem's folder, or for hostile data."""
        function = self.options.get("function")
        # Verifiers are ours, but a construction can be made to cost them more than a worker has.
        is_own_file = self.file is not None or self.family in (PEER_FAMILY, CONSTRUCTION_FAMILY)
        return is_own_file or (isinstance(function, str) and function.endswith(".py"))

    @property
    def n_turns(self) -> int:
        """How many stages of one evaluation are measured alone."""
        return max(1, len(self.stages)) if self.exclusive else sum(stage.exclusive for stage in self.stages)

    @property
    def longest_seconds(self) -> float:
        """How long one evaluation can take while everything of ours works: all limits together, each hit."""
        own = LOADING * self.process.wall_seconds + self.n_turns * TURN_SECONDS
        if self.language == "symbolic":
            return own
        n_candidates = N_TRIES * self.repeats * max(1, len(self.stages))
        candidates = n_candidates * ((N_CALLS + 1) * self.limits.wall_seconds + SANDBOX_SECONDS)
        return candidates + own

    @property
    def longest_verification_seconds(self) -> float:
        """The same for one verification."""
        return self.longest_seconds + self.process.verify_seconds


def _refuse_endless(name: str, limits: Any, may_be_zero: Sequence[str] = ()) -> None:
    wrong = []
    for each in fields(limits):
        value = getattr(limits, each.name)
        is_number = type(value) in (int, float) and math.isfinite(value)
        if not is_number or value < 0 or (value == 0 and each.name not in may_be_zero):
            wrong.append(f"{name}.{each.name} is {value!r}, expected a finite number above 0")
    if wrong:
        raise EvaluatorError("; ".join(wrong))
