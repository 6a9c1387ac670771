"""Ends sessions that take more GPU memory than they may: only the driver knows how much that is, so it is asked."""

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.errors import CandidateError, SandboxError
from sandbox.gpu import CONTEXT_BYTES, GpuAccess
from sandbox.limits import MEBIBYTE, Limits
from sandbox.link import Reply, ServerLink
from sandbox.nvidia_smi import ask
from sandbox.session import ProcessSession

POLL_SECONDS = 0.5
ASK_SECONDS = 5.0
N_PATIENCE = 3
REST = 4  # times what the driver took to answer: it wakes cards, and others measure time on them
_FIRST_PID_NAMESPACE = 0xEFFF_FFFC  # the machine's own; the kernel gives it this number


@dataclass(eq=False, slots=True)
class Watched:
    """A session under watch; `blind` says why it can no longer be watched."""

    link: ServerLink
    started: Reply
    limit_bytes: int
    blind: str = ""


class GpuWatch:
    """Asks `nvidia-smi`, twice a second if it is quick, in a thread that lives only while sessions with a limit run."""

    def __init__(self, access: GpuAccess) -> None:
        self._program = access.nvidia_smi
        self.knows_pids = counts_as_the_machine() if access.same_pids is None else access.same_pids
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._watched: set[Watched] = set()
        self._thread: threading.Thread | None = None

    def add(self, link: ServerLink, started: Reply, limit_bytes: int) -> Watched:
        """Watch a session from now on.

        Raises:
            SandboxError: its process cannot be told from others here.
        """
        if not self.knows_pids:
            raise SandboxError(
                "limits of GPU memory do not work in this container: the driver tells the machine's process numbers, "
                "which cannot be seen from here. Start the container with the machine's (--pid=host), or set "
                "gpu_memory_bytes to 0"
            )
        watched = Watched(link, started, limit_bytes)
        with self._lock:
            self._watched.add(watched)
            self._wake.clear()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gpu-watch", daemon=True)
                self._thread.start()
        return watched

    def remove(self, watched: Watched) -> None:
        """Forget a session; harmless when repeated."""
        with self._lock:
            self._watched.discard(watched)
            if not self._watched:
                self._wake.set()

    def _run(self) -> None:
        n_failed = 0
        while watched := self._rest():
            asked = time.monotonic()
            try:
                used = used_bytes(ask(self._program, "--query-compute-apps=pid,used_gpu_memory", seconds=ASK_SECONDS))
                n_failed = 0
                for each in watched:
                    self._judge(each, used)
            except SandboxError as error:
                n_failed += 1
                for each in watched if n_failed >= N_PATIENCE else ():
                    _end(each, blind=str(error))
            self._wake.wait(max(POLL_SECONDS, REST * (time.monotonic() - asked)))

    def _rest(self) -> list[Watched]:
        """Who is to be watched; with nobody left the thread ends."""
        with self._lock:
            if not self._watched:
                self._thread = None
            return list(self._watched)

    def _judge(self, watched: Watched, used: Mapping[int, int | None]) -> None:
        try:
            taken = used.get(watched.link.wait(watched.started)["pid"], 0)
        except SandboxError:  # the server is gone, and the session with it
            self.remove(watched)
            return
        if taken is None:
            _end(watched, blind="nvidia-smi does not tell how much memory a process takes on this card")
        elif taken > watched.limit_bytes + CONTEXT_BYTES:
            _end(watched, used=taken)


class WatchedSession(ProcessSession):
    """A session with a limit of GPU memory."""

    def __init__(self, link: ServerLink, limits: Limits, watch: GpuWatch, *, is_share: bool = False) -> None:
        """As `ProcessSession`; the watch begins when there is a program to watch.

        With `is_share` the limit is the candidate's share of its card, which nobody asked for in so many bytes: where
        it cannot be watched, torch still keeps to it and others need not.
        """
        super().__init__(link, limits)
        self._watch = watch
        self._is_to_watch = bool(limits.gpu_memory_bytes) and (watch.knows_pids or not is_share)
        self._watched: Watched | None = None

    def load(self, files: Mapping[str, str], entry: str) -> None:
        """As `ProcessSession.load`."""
        if self._is_to_watch and self._started is not None:
            self._watched = self._watch.add(self._link, self._started, self._limits.gpu_memory_bytes)
        super().load(files, entry)

    def _failed(self, error: CandidateError | None) -> CandidateError:
        failed = super()._failed(error)
        if error is None and self._watched is not None and self._watched.blind:
            lost = SandboxError(f"the GPU memory of a session could not be watched: {self._watched.blind}")
            self._error = lost
            raise lost
        return failed

    def _end(self) -> None:
        if self._watched is not None:
            self._watch.remove(self._watched)
        super()._end()


def used_bytes(table: list[list[str]]) -> dict[int, int | None]:
    """The memory of each process on all its cards together; None where the driver does not tell.

    Raises:
        SandboxError: the table is not of the kind that was asked for.
    """
    used: dict[int, int | None] = {}
    for row in table:
        if len(row) != 2 or not row[0].isdecimal():
            raise SandboxError(f"nvidia-smi says what nobody understands: {row}")
        pid, before = int(row[0]), used.get(int(row[0]), 0)
        known = row[1].isdecimal() and before is not None
        used[pid] = before + int(row[1]) * MEBIBYTE if known and before is not None else None
    return used


def counts_as_the_machine() -> bool:
    """Whether this process sees the machine's own process numbers; a container's are different ones."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino == _FIRST_PID_NAMESPACE
    except OSError:
        return False


def _end(watched: Watched, *, used: int = 0, blind: str = "") -> None:
    watched.blind = blind
    try:
        watched.link.blame(watched.link.wait(watched.started)["session"], "gpu_memory", used)
    except SandboxError:
        return
