"""GEPA's helper that runs a candidate's text, in our words: in this process, with a time limit of its own."""

import contextlib
import hashlib
import io
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class ExecutionMode(Enum):
    """Both mean the same here: the whole process is confined already."""

    IN_PROCESS = "in_process"
    SUBPROCESS = "subprocess"


class TimeLimitError(Exception):
    """The text ran for too long."""


@dataclass
class CodeExecutionResult:
    """How a text ran, and the names it left."""

    success: bool
    stdout: str = ""
    stderr: str = ""
    error: str = ""
    traceback: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    execution_time: float = 0.0
    code_hash: str = ""

    def get_variable(self, name: str, default: Any = None) -> Any:
        """One of the names."""
        return self.variables.get(name, default)

    def to_side_info_dict(self) -> dict[str, Any]:
        """What there is to say about it."""
        told = {"Stdout": self.stdout, "Stderr": self.stderr, "Error": self.error, "Traceback": self.traceback}
        return {name: text for name, text in told.items() if text or name.startswith("Std")}


def execute_code(  # noqa: PLR0913, PLR0917 its callers name these
    code: str,
    timeout: float = 30.0,
    mode: ExecutionMode = ExecutionMode.IN_PROCESS,
    global_vars: Mapping[str, Any] | None = None,
    entry_point: str | None = None,
    entry_point_args: Sequence[Any] = (),
    entry_point_kwargs: Mapping[str, Any] | None = None,
    capture_variables: Sequence[str] | None = None,
    seed: int | None = None,
    kill_child_processes: bool = True,
) -> CodeExecutionResult:
    """Run a text, then a function of it if one is named; its value is the variable `__return__`."""
    del mode, kill_child_processes
    if seed is not None:
        random.seed(seed)  # noqa: TID251 the evaluator asks for it
    names: dict[str, Any] = {"__name__": "__main__", **(global_vars or {})}
    out, err = io.StringIO(), io.StringIO()
    result = CodeExecutionResult(success=False, code_hash=get_code_hash(code, 64))
    started = time.perf_counter()
    try:
        with _limited(timeout), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            exec(compile(code, "<candidate>", "exec"), names)  # noqa: S102 this process exists to run it
            if entry_point is not None:
                names["__return__"] = _entry(names, entry_point)(*entry_point_args, **(entry_point_kwargs or {}))
        result.success = True
    except (Exception, SystemExit) as error:  # noqa: BLE001 whatever a candidate raises is told
        result.error = f"{type(error).__name__}: {error}"
        result.traceback = traceback.format_exc()
    result.execution_time = time.perf_counter() - started
    result.stdout, result.stderr = out.getvalue(), err.getvalue()
    wanted = set(names) if capture_variables is None else {*capture_variables, "__return__"}
    result.variables = {name: value for name, value in names.items() if name in wanted and name != "__builtins__"}
    return result


def get_code_hash(code: str, length: int = 8) -> str:
    """A short name for a text."""
    return hashlib.sha256("\n".join(map(str.rstrip, code.strip().splitlines())).encode()).hexdigest()[:length]


def _entry(names: Mapping[str, Any], name: str) -> Callable[..., Any]:
    function = names.get(name)
    if not callable(function):
        raise NameError(f"the program defines no function {name!r}")
    return function  # type: ignore[no-any-return]


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise in here after so long; only the main thread can be interrupted, the sandbox's limit holds for all."""

    def interrupt(*_: Any) -> None:
        raise TimeLimitError(f"the program ran for longer than {seconds:g} s")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


NAMES: dict[str, Any] = {
    "CodeExecutionResult": CodeExecutionResult,
    "ExecutionMode": ExecutionMode,
    "TimeLimitError": TimeLimitError,
    "execute_code": execute_code,
    "get_code_hash": get_code_hash,
}
