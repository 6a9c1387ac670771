"""Stopping a candidate's process between calls: while it stands still nothing in it can look, compute or write."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass

from sandbox.errors import SandboxError

STOP_SECONDS = 30.0
STAT_BYTES = 4096
_ALL_THREADS = 2  # of the kernel's numbers for the clocks of other processes
_STANDING = frozenset("TtZX")  # stopped, or dead


@dataclass(frozen=True, slots=True)
class CallTime:
    """What one call of a candidate took: by the caller's clock, and of processors as the kernel counts.

    `wall_seconds` reach from before the first to behind the last moment at which its process could do anything.
    `processor_seconds` leave out what it slept, and what it waited for a processor that others had.
    """

    wall_seconds: float
    processor_seconds: float


class Pausing:
    """Stops all threads of one process, and lets them go on."""

    def __init__(self, pid: int, *, parent: int) -> None:
        """Take hold of a process; `parent` is whose child it has to be, numbers are those of this process's /proc.

        Raises:
            SandboxError: it is gone, or these numbers mean others here.
        """
        try:
            self._descriptor = os.pidfd_open(pid)
        except OSError as error:
            raise SandboxError(f"a candidate's process cannot be found, so it cannot be paused: {error}") from error
        self._clock = (~pid << 3) | _ALL_THREADS
        self._tasks = f"/proc/{pid}/task"
        self.is_paused = False
        if _field(f"/proc/{pid}/stat", 1) != str(parent):
            self.close()
            raise SandboxError("candidates cannot be paused here: /proc shows other processes than the sandbox's")

    def stop(self) -> None:
        """Return when no thread runs any more; harmless when repeated.

        Raises:
            SandboxError: it may not be stopped, or went on for seconds.
        """
        self._send(signal.SIGSTOP)
        deadline = time.monotonic() + STOP_SECONDS
        while not self._stands_still():
            if time.monotonic() > deadline:
                raise SandboxError(f"a candidate's process did not stop within {STOP_SECONDS:g} s")
            os.sched_yield()
        self.is_paused = True

    def go(self) -> None:
        """Let it go on; harmless when repeated."""
        self.is_paused = False
        self._send(signal.SIGCONT)

    def processor_seconds(self) -> float:
        """What the kernel has counted for all its threads together, those that ended too; exact while it is paused."""
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            return 0.0  # it is gone, which the next call tells

    def close(self) -> None:
        """Forget the process; harmless when repeated."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _send(self, number: signal.Signals) -> None:
        try:
            with suppress(ProcessLookupError):  # who talks to it next is told how it ended
                signal.pidfd_send_signal(self._descriptor, number)
        except OSError as error:
            raise SandboxError(f"a candidate's process cannot be paused: {error}") from error

    def _stands_still(self) -> bool:
        try:
            names = os.listdir(self._tasks)
        except (FileNotFoundError, ProcessLookupError):
            return True
        return all(_field(f"{self._tasks}/{name}/stat", 0) in _STANDING for name in names)


def _field(path: str, number: int) -> str:
    """A field of a `stat` file behind the program's name, which may hold anything; "X" when the process is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return "X"
    try:
        return os.read(descriptor, STAT_BYTES).rpartition(b")")[2].split()[number].decode()
    except ProcessLookupError:
        return "X"
    finally:
        os.close(descriptor)
