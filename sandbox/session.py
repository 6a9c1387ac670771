"""The controller's side of one session: sends calls, reads answers, names what went wrong."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from sandbox.card_memory import CardArray, CardMemory
from sandbox.channel import Channel, ChannelError, ClosedError, FloodError, OverdueError
from sandbox.contract import PlainData
from sandbox.endings import error_of_end, overdue, told_limit
from sandbox.errors import (
    CandidateCrashed,
    CandidateDiskLimit,
    CandidateError,
    CandidateFileLimit,
    CandidateNotFinite,
    CandidateOutOfGpuMemory,
    CandidateOutOfMemory,
    CandidateOutputLimit,
    CandidateProcessLimit,
    CandidateRaised,
    CandidateResultInvalid,
    CandidateSyntaxError,
    CandidateTimedOut,
    SandboxError,
)
from sandbox.limits import Limits
from sandbox.link import Reply, ServerLink
from sandbox.pausing import CallTime, Pausing
from sandbox.shared import SharedArray, SharedMemory
from sandbox.untrusted_text import tame
from sandbox.wire import NotFiniteError, PlainDataError, decode, encode, has_only_finite_arrays

SETUP_SECONDS = 30.0
LAST_WORDS = 1000

_ERROR_OF_KIND: Mapping[str, type[CandidateError]] = {
    error.kind: error
    for error in (
        CandidateRaised,
        CandidateSyntaxError,
        CandidateOutOfMemory,
        CandidateOutputLimit,
        CandidateProcessLimit,
        CandidateFileLimit,
        CandidateDiskLimit,
        CandidateOutOfGpuMemory,
        CandidateResultInvalid,
        CandidateNotFinite,
    )
}


class ProcessSession:
    """A candidate in its own process. See `sandbox.contract.Session`; used by one thread at a time."""

    def __init__(self, link: ServerLink, limits: Limits) -> None:
        """Ask for a confined process, with no candidate in it; `load` waits until it stands.

        Raises:
            SandboxError: the server is gone.
        """
        self._link = link
        self._when_answered: Callable[[], None] | None = None
        self._limits = limits
        self._pausing: Pausing | None = None
        self._shared: SharedMemory | None = None
        self._card: CardMemory | None = None
        try:
            self._channel = Channel(
                output_bytes=limits.output_bytes, answer_bytes=limits.result_bytes, lifeline=link.lifeline
            )
        except OSError as error:
            raise SandboxError(f"cannot open the pipes of a session: {error}") from error
        self._error: CandidateError | SandboxError | None = None
        self._ending: dict[str, Any] | None = None
        try:
            if limits.shared_bytes:
                self._shared = SharedMemory(limits.shared_bytes)
            if limits.gpu_shared_bytes:
                self._card = CardMemory(limits.gpu_shared_bytes)
            shared = [each.descriptor for each in (self._shared, self._card) if each is not None]
            self._started: Reply | None = link.start(limits, (*self._channel.theirs, *shared))
            self._channel.close_theirs()
        except (OSError, SandboxError) as error:
            self._channel.close()
            if self._card is not None:
                with suppress(SandboxError):
                    self._card.close()
            if isinstance(error, OSError):
                raise SandboxError(f"cannot open the shared memory of a session: {error}") from error
            raise
        finally:
            for each in (self._shared, self._card):
                if each is not None:
                    each.give_away()

    def when_answered(self, action: Callable[[], None]) -> None:
        """Do this once: after the first call, or when the session is closed without one."""
        self._when_answered = action

    def belongs_to(self, link: ServerLink) -> bool:
        """Whether this server forked it."""
        return self._link is link

    @property
    def output(self) -> str:
        """What the program printed so far, without control characters."""
        if self._error is None:
            with suppress(FloodError):
                self._channel.drain_output()
        return tame(self._channel.printed.decode(errors="replace"), max_length=self._limits.output_bytes)

    def load(self, files: Mapping[str, str], entry: str) -> None:
        """Give the process its program; to be called once, first."""
        self._await_process()
        try:
            message = encode(["load", [list(pair) for pair in files.items()], entry])
        except PlainDataError as error:
            raise self._failed(CandidateSyntaxError(f"the text of a file is not text: {error}")) from None
        self._ask(message, self._limits.wall_seconds)

    def call(self, name: str, *args: PlainData | SharedArray | CardArray, timeout: float | None = None) -> Any:
        """Run `name(*args)` in the candidate's process; see `sandbox.contract.Session.call`."""
        message = encode(["call", name, list(args)])
        if self._pausing is not None and self._pausing.is_paused:
            self._pausing.go()
        try:
            return self._ask(message, self._allowed(timeout))
        finally:
            self._tell()

    def timed(self, name: str, *args: PlainData | SharedArray | CardArray, timeout: float | None = None) -> CallTime:
        """Let a paused process go on, call it, pause it again; see `sandbox.contract.SharingSession.timed`."""
        message, seconds = encode(["call", name, list(args)]), self._allowed(timeout)
        pausing = self._taken_hold()
        try:
            before, started = pausing.processor_seconds(), time.perf_counter()
            pausing.go()
            self._ask(message, seconds)
            pausing.stop()
            wall_seconds = time.perf_counter() - started
            return CallTime(wall_seconds, pausing.processor_seconds() - before)
        finally:
            self._tell()

    def pause(self) -> None:
        """Stop the process where it is; see `sandbox.contract.SharingSession.pause`."""
        self._taken_hold().stop()

    @property
    def shared(self) -> SharedMemory:
        """The memory that it shares with us.

        Raises:
            SandboxError: its limits say that there is none.
        """
        if self._shared is None:
            raise SandboxError("this session shares no memory: set [limits] shared_mb")
        return self._shared

    @property
    def card(self) -> CardMemory:
        """The memory of its card that it shares with us.

        Raises:
            SandboxError: its limits say that there is none.
        """
        if self._card is None:
            raise SandboxError("this session shares no memory of a card: set [limits] gpu_shared_mb")
        return self._card

    def close(self) -> None:
        """Kill the process and everything it started; harmless when repeated."""
        if self._error is None:
            self._error = CandidateCrashed("the session is closed")
        with suppress(SandboxError):  # the server died, and its sessions with it
            self._end()
        if self._card is not None:
            with suppress(SandboxError):  # a card that failed takes nothing back
                self._card.close()
        self._tell()

    def __enter__(self) -> Self:
        """The session itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _allowed(self, timeout: float | None) -> float:
        return self._limits.wall_seconds if timeout is None else min(timeout, self._limits.wall_seconds)

    def _taken_hold(self) -> Pausing:
        """The means to pause the process, which are there for whoever shares memory."""
        if self._pausing is None:
            if self._error is not None:
                raise self._error.with_traceback(None)
            if self._shared is None or self._started is None:
                raise SandboxError("only a session that shares memory can be paused: set [limits] shared_mb")
            self._pausing = Pausing(self._link.wait(self._started)["outer_pid"], parent=self._link.pid)
        return self._pausing

    def _tell(self) -> None:
        action, self._when_answered = self._when_answered, None
        if action is not None:
            action()

    def _await_process(self) -> None:
        """Wait until the process is confined.

        Raises:
            SandboxError: it could not be.
        """
        try:
            self._channel.exchange(b"", seconds=SETUP_SECONDS)
            self._channel.expect_silence()  # a parked process may have died since it said that it is ready
            if self._started is not None:
                self._link.wait(self._started)  # the server has limited it too
        except ChannelError:
            self._end()
            said = tame(self._channel.printed.decode(errors="replace"), max_length=LAST_WORDS)
            self._error = SandboxError(f"a process could not be confined: {said or self._ending}")
            raise self._error from None

    def _ask(self, message: bytes, seconds: float) -> Any:
        if self._error is not None:
            raise self._error.with_traceback(None)
        try:
            frame = self._channel.exchange(message, seconds=seconds)
        except ClosedError:
            raise self._failed(None) from None
        except OverdueError:
            raise self._failed(CandidateTimedOut(overdue(seconds, self._limits))) from None
        except FloodError as error:
            raise self._failed(CandidateOutputLimit(str(error))) from None
        except ChannelError as error:
            raise self._failed(CandidateResultInvalid(str(error))) from None
        return self._value_of(*frame)

    def _value_of(self, tag: int, body: bytearray) -> Any:
        """The value of an answer, or the error it reports."""
        try:
            answer = decode(tag, body)
        except NotFiniteError as error:
            raise CandidateNotFinite(f"the answer is not finite: {error}") from None
        except PlainDataError as error:
            raise self._failed(CandidateResultInvalid(f"the answer is not plain data: {error}")) from None
        match answer:
            case ["ok", value]:
                if has_only_finite_arrays(value):
                    return value
                raise CandidateNotFinite("an array in the answer holds NaN or infinity")
            case ["error", str(kind), str(text)] if kind in _ERROR_OF_KIND:
                raise _ERROR_OF_KIND[kind](told_limit(kind, self._limits) + tame(text))
        raise self._failed(CandidateResultInvalid("the answer is neither a value nor an error: a forged message"))

    def _failed(self, error: CandidateError | None) -> CandidateError:
        """End the process for good and give the error to raise; without one, its end says what happened."""
        try:
            self._end()
        except SandboxError as lost:
            self._error = lost
            raise
        self._error = error = error or self._error_of_end()
        return error

    def _end(self) -> None:
        if self._started is None:
            return
        started, self._started = self._started, None
        if self._pausing is not None:
            self._pausing.close()
            self._pausing = None
        try:
            number = self._link.wait(started)["session"]
            self._ending = self._link.wait(self._link.stop(number))
        finally:
            self._channel.close()

    def _error_of_end(self) -> CandidateError:
        """Read a process's last record: which limit ended it, or that it simply ended."""
        ending = self._ending or {}
        said = tame(self._channel.printed.decode(errors="replace"), max_length=LAST_WORDS).strip()
        tail = f"; last output:\n{said}" if said else ""
        return error_of_end(ending, self._limits, tail)
