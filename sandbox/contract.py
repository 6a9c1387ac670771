"""The sandbox's contract: start an untrusted program, call its functions, get plain data or a typed failure."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from sandbox.card_memory import CardArray, CardMemory
from sandbox.limits import Limits
from sandbox.pausing import CallTime
from sandbox.shared import SharedArray, SharedMemory

PlainData: TypeAlias = (
    bool | int | float | str | npt.NDArray[np.generic] | list["PlainData"] | Mapping[str, "PlainData"] | None
)
"""What crosses the border: JSON's values, and numpy arrays of booleans, integers and floats at any depth."""


class Session(Protocol):
    """One candidate in its own process; a context manager."""

    @property
    def output(self) -> str:
        """What the program printed so far on both streams: untrusted text, at most `Limits.output_bytes` long."""

    def call(self, name: str, *args: PlainData, timeout: float | None = None) -> Any:
        """Run `name(*args)` of the entry file in the candidate's process.

        The answer is plain data: finite numbers, text, lists (tuples become lists), string-keyed dicts and writable
        numpy arrays. A candidate that raised can be called again; one that crashed, hung or flooded is gone, and
        every later call raises the same error.

        Raises:
            CandidateError: the program failed; the subclass says how.
            SandboxError: the sandbox failed; start again.
            PlainDataError: `args` are not plain data. The program was not called.
        """

    def close(self) -> None:
        """End the program and everything it started; harmless when repeated."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SharingSession(Session, Protocol):
    """A session with memory that both sides see (`Limits.shared_bytes`), and whose process can be stopped.

    What lies in the memory may change at any time unless the process is paused.
    """

    @property
    def shared(self) -> SharedMemory:
        """That memory; its arrays are arguments for `call` and `timed`.

        Raises:
            SandboxError: the limits say that there is none.
        """

    @property
    def card(self) -> CardMemory:
        """Memory of the first graphics card that both sides see (`Limits.gpu_shared_bytes`), for the same use.

        Raises:
            SandboxError: the limits say that there is none.
        """

    def timed(self, name: str, *args: PlainData | SharedArray | CardArray, timeout: float | None = None) -> CallTime:
        """Let the process go on, run `name(*args)` as `call` does, and pause it; the answer is thrown away.

        Raises:
            As `call`.
        """

    def pause(self) -> None:
        """Stop the process: nothing in it runs until the next call, which lets it go on. Harmless when repeated.

        Raises:
            SandboxError: it cannot be stopped here.
        """


class Sandbox(Protocol):
    """Starts candidates, each in a session of its own; a context manager."""

    @property
    def level(self) -> str:
        """How strong the isolation is, one word, to be stored with every result it helped to make."""

    def start(self, files: Mapping[str, str], *, entry: str | None = None, limits: Limits | None = None) -> Session:
        """Load a program and leave it ready for calls.

        Files are Python modules that can import each other; `entry` (the first file by default) is the one whose
        functions are called.

        Raises:
            CandidateSyntaxError: a file does not parse, or its name cannot be a module of a candidate.
            CandidateError: loading the entry file failed otherwise.
            SandboxError: the sandbox failed; a second try gets a fresh server.
        """

    def close(self) -> None:
        """End every session; harmless when repeated."""
