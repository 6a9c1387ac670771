"""All that judging needs, as plain data: it travels to workers as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from evaluators.errors import EvaluatorError
from sandbox.limits import MEBIBYTE, Limits

KIBIBYTE = 1 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSpec:
    """One stage: a candidate that scores below `threshold` there goes no further (None: never stopped)."""

    name: str
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolicSpec:
    """The language of symbolic candidates. `vocabulary` is a built-in name or the path of a .py file."""

    vocabulary: str = "arithmetic"
    inputs: tuple[str, ...] = ("x",)
    function: str = "f"
    max_operations: int = 14
    max_constants: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSpec:
    """The limits of one candidate's process, in the units of problem.toml."""

    wall_seconds: float = 10.0
    cpu_seconds: float = 60.0
    memory_mb: int = 1024
    output_kb: int = 64
    result_mb: int = 16
    n_threads: int = 1

    def limits(self) -> Limits:
        """The same as the sandbox takes them."""
        return Limits(
            wall_seconds=self.wall_seconds,
            cpu_seconds=self.cpu_seconds,
            memory_bytes=self.memory_mb * MEBIBYTE,
            output_bytes=self.output_kb * KIBIBYTE,
            result_bytes=self.result_mb * MEBIBYTE,
            n_threads=self.n_threads,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSpec:
    """A problem as its judge sees it.

    Exactly one of `family` (a built-in evaluator, with `options`) and `file` (a Python file in `folder`) is set.
    `axes` names the archive's axes: every evaluation has a descriptor value for each. `entry` is the file of a Python
    candidate whose functions are called (the first if None).
    """

    name: str = ""
    language: str
    folder: str = ""
    family: str | None = None
    file: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    repeats: int = 1
    stages: tuple[StageSpec, ...] = ()
    axes: tuple[str, ...] = ()
    symbolic: SymbolicSpec | None = None
    limits: LimitsSpec = field(default_factory=LimitsSpec)
    entry: str | None = None

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
            data["limits"] = LimitsSpec(**data.get("limits", {}))
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
        if data["symbolic"] is not None:
            data["symbolic"]["inputs"] = list(data["symbolic"]["inputs"])
        return data
