"""The isolated Python process: candidates run in confined forks of one warm server."""

import threading
import weakref
from collections import deque
from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from sandbox.errors import CandidateSyntaxError, SandboxError
from sandbox.gpu import GpuAccess, share_bytes
from sandbox.gpu_search import find_gpu
from sandbox.gpu_watch import GpuWatch, WatchedSession
from sandbox.layers import Layer, Level, level_of
from sandbox.limits import Limits
from sandbox.link import ServerLink
from sandbox.modules import module_name_of
from sandbox.session import ProcessSession


class ProcessSandbox:
    """A warm fork server and the sessions forked from it; see `sandbox.contract.Sandbox`.

    Every session is a fresh process with its own session, limits, descriptors and folder, and, when the server runs as
    root, its own uid. The server starts with the first session and again after it died; the sessions of a dead server
    raise `SandboxError`. Sessions of one sandbox may be used from different threads.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        preload: tuple[str, ...] = ("numpy",),
        without: Set[Layer] = frozenset(),
        unsafe: bool = False,
        n_parked: int = 1,
        gpu: GpuAccess | None = None,
    ) -> None:
        """Remember what sessions will get; nothing is started yet.

        Args:
            limits: of sessions that bring none.
            preload: modules that candidates find already imported.
            without: layers to leave away, to see what they are good for; the level falls accordingly.
            unsafe: start at the level `WEAK` too, at which a hostile candidate can do what its user can.
            n_parked: confined processes that wait for a candidate, so that it need not wait for them.
            gpu: the graphics cards that candidates may use; without it they see none.
        """
        self._limits = limits or Limits()
        self._preload = preload
        self._without = frozenset(without)
        self._unsafe = unsafe
        self._n_parked = n_parked
        self._gpu = gpu
        self._gpu_watch = None if gpu is None else GpuWatch(gpu)
        self._share_bytes = 0
        self._link: ServerLink | None = None
        self._lock = threading.Lock()
        self._sessions_lock = threading.Lock()
        self._parked: deque[ProcessSession] = deque()
        self._sessions: weakref.WeakSet[ProcessSession] = weakref.WeakSet()
        self._is_closed = False
        self._first_level: Level | None = None

    @property
    def level(self) -> Level:
        """How strong the isolation is; starts the server."""
        return level_of(self.layers)

    @property
    def layers(self) -> frozenset[Layer]:
        """What confines candidates here; starts the server."""
        return self._live_link().layers

    @property
    def report(self) -> Mapping[Layer, str]:
        """For every layer `active`, or why it is not; starts the server."""
        return self._live_link().report

    @property
    def server_pid(self) -> int:
        """The fork server's process; starts it."""
        return self._live_link().pid

    def start(
        self, files: Mapping[str, str], *, entry: str | None = None, limits: Limits | None = None
    ) -> ProcessSession:
        """Load a program in a process of its own; see `sandbox.contract.Sandbox.start`."""
        entry = entry if entry is not None else next(iter(files), "")
        self._check(files, entry)
        session = self._take(limits or self._limits)
        if session is not None:
            with suppress(SandboxError):  # it died while it waited
                return _loaded(session, files, entry)
        return _loaded(self._make(limits or self._limits), files, entry)

    def close(self) -> None:
        """Kill all sessions, end the server; harmless when repeated."""
        with self._lock:
            self._is_closed = True
        with self._sessions_lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()
        with self._lock:
            if self._link is not None:
                self._link.close()
                self._link = None

    def __enter__(self) -> Self:
        """The sandbox itself; the server starts when it is needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _live_link(self) -> ServerLink:
        with self._lock:
            if self._is_closed:
                raise SandboxError("the sandbox is closed")
            if self._link is not None and not self._link.is_alive:
                self._link.close()
                self._link = None
            if self._link is None:
                gpu = None if self._gpu is None else find_gpu(self._gpu)
                self._share_bytes = 0 if gpu is None or self._gpu is None else share_bytes(gpu, self._gpu)
                self._link = ServerLink(self._preload, without=self._without, unsafe=self._unsafe, gpu=gpu)
                level = level_of(self._link.layers)
                if self._first_level not in (None, level):
                    self._link.close()
                    self._link = None
                    raise SandboxError(f"the sandbox came up again at level {level}, it was {self._first_level} before")
                self._first_level = level
            return self._link

    def _make(self, limits: Limits) -> ProcessSession:
        """A new process without a program."""
        return self._new_session(self._live_link(), limits)

    def _new_session(self, link: ServerLink, limits: Limits) -> ProcessSession:
        if self._gpu_watch is None:
            session = ProcessSession(link, limits)
        elif self._share_bytes and not limits.gpu_memory_bytes:
            share = replace(limits, gpu_memory_bytes=self._share_bytes)
            session = WatchedSession(link, share, self._gpu_watch, is_share=True)
        else:
            session = WatchedSession(link, limits, self._gpu_watch)
        with self._sessions_lock:
            self._sessions.add(session)
        session.when_answered(self._refill)
        return session

    def _take(self, limits: Limits) -> ProcessSession | None:
        """A parked process, if there is one with these limits; another is parked after its first answer."""
        link = self._live_link()
        while limits == self._limits:
            with self._lock:
                session = self._parked.popleft() if self._parked else None
            if session is None:
                return None
            if session.belongs_to(link):
                return session
            session.close()
        return None

    def _refill(self) -> None:
        """Park processes again, without waiting for them.

        Not before a candidate's first answer: a fork beside it would make it wait.
        """
        with self._lock, suppress(SandboxError):
            link = self._link
            while link is not None and link.is_alive and not self._is_closed and len(self._parked) < self._n_parked:
                self._parked.append(self._new_session(link, self._limits))

    def _check(self, files: Mapping[str, str], entry: str) -> None:
        """Refuse file names that cannot live together as a candidate's modules."""
        if entry not in files:
            raise CandidateSyntaxError(f"the entry file {entry!r} is missing: there are {sorted(files)[:10]}")
        taken = {name.partition(".")[0] for name in self._preload}
        seen: dict[str, str] = {}
        for file_name in files:
            try:
                name = module_name_of(file_name)
            except ValueError as error:
                raise CandidateSyntaxError(str(error)) from None
            if name in seen:
                raise CandidateSyntaxError(f"the files {seen[name]!r} and {file_name!r} are one module, {name!r}")
            if name.partition(".")[0] in taken:
                raise CandidateSyntaxError(
                    f"the file {file_name!r:.80} hides an installed module: give it another name"
                )
            seen[name] = file_name


def _loaded(session: ProcessSession, files: Mapping[str, str], entry: str) -> ProcessSession:
    """The session with its program; it is closed if that fails."""
    try:
        session.load(files, entry)
    except BaseException:
        session.close()
        raise
    return session
