"""A problem's own `evaluate.py`, loaded by path under a private name; it imports nothing of ours."""

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from evaluators.answers import clean
from evaluators.errors import EvaluatorError
from evaluators.spec import StageSpec

Judging = Callable[[Any], object]


class ForeignEvaluator:
    """The functions of one `evaluate.py`.

    It must have `evaluate(candidate)`, or, for a problem with stages, a dict `stages` from the names of
    `[[evaluator.stages]]` to such functions. It may have `verify(candidate)` and `fit_target()`.
    """

    def __init__(self, path: Path, stages: Sequence[StageSpec]) -> None:
        self.path = path
        self._module = load_file(path)
        self.stages: tuple[tuple[StageSpec, Judging], ...] = self._stages(stages)

    @property
    def verify(self) -> Judging | None:
        """The problem's proof, or None where it has none."""
        return self._function("verify")

    @property
    def fit_target(self) -> Callable[[], Any] | None:
        """What constants are fitted on, or None."""
        return self._function("fit_target")

    def _stages(self, stages: Sequence[StageSpec]) -> tuple[tuple[StageSpec, Judging], ...]:
        if not stages:
            evaluate = self._function("evaluate")
            if evaluate is None:
                raise EvaluatorError(f"{self.path} has no function evaluate(candidate)")
            return ((StageSpec(name=""), evaluate),)
        offered = getattr(self._module, "stages", None)
        if not isinstance(offered, Mapping):
            raise EvaluatorError(f"{self.path} has no dict `stages`, but problem.toml names stages")
        missing = [stage.name for stage in stages if not callable(offered.get(stage.name))]
        if missing:
            raise EvaluatorError(f"{self.path} lacks the stages {missing}, it has {sorted(map(str, offered))}")
        return tuple((stage, offered[stage.name]) for stage in stages)

    def _function(self, name: str) -> Callable[..., Any] | None:
        found = getattr(self._module, name, None)
        return found if callable(found) else None


def where(error: BaseException) -> str:
    """The error and the innermost line it came from, for a person who debugs an evaluator."""
    frames = traceback.extract_tb(error.__traceback__)
    # What does not parse is raised by the import system; its text tells the line.
    is_told = bool(frames) and not frames[-1].filename.startswith("<frozen importlib")
    at = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if is_told else ""
    return clean(f"{type(error).__name__}: {error}{at}")


class _SourceLoader(SourceFileLoader):
    """Compiles what the file says now: Python's own cache takes two edits of one second and one length for the same."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the module."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def load_file(path: Path) -> ModuleType:
    """Run a file of the problem's folder as a module with a private name; for the evaluator's own process only.

    Raises:
        EvaluatorError: it cannot be read, or it raised.
    """
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise EvaluatorError(f"cannot read the evaluator {path}: {error.strerror}") from error
    name = f"_evolve_problem_{digest}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_SourceLoader(name, str(path)))
    if path.suffix != ".py" or spec is None or spec.loader is None:
        raise EvaluatorError(f"the evaluator {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up by name
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise EvaluatorError(f"the evaluator {path} cannot be loaded: {where(error)}") from error
    return module
