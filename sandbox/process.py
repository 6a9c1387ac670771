"""The isolated Python process: candidates run in confined forks of one warm server."""

import threading
import weakref
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from sandbox.errors import CandidateSyntaxError, SandboxError
from sandbox.limits import Limits
from sandbox.link import ServerLink
from sandbox.modules import module_name_of
from sandbox.session import ProcessSession

WEAK = "WEAK"


class ProcessSandbox:
    """A warm fork server and the sessions forked from it; see `sandbox.contract.Sandbox`.

    Every session is a fresh process with its own session, limits, descriptors and folder, and, when the server runs as
    root, its own uid. The server starts with the first session and again after it died; the sessions of a dead server
    raise `SandboxError`. Sessions of one sandbox may be used from different threads.
    """

    def __init__(self, *, limits: Limits | None = None, preload: tuple[str, ...] = ("numpy",)) -> None:
        """Remember the limits of sessions that bring none, and the modules that candidates find already imported."""
        self._limits = limits or Limits()
        self._preload = preload
        self._link: ServerLink | None = None
        self._lock = threading.Lock()
        self._sessions: weakref.WeakSet[ProcessSession] = weakref.WeakSet()
        self._is_closed = False

    @property
    def level(self) -> str:
        """`WEAK`: processes, limits and (as root) other uids; files that anyone may read can be read."""
        return WEAK

    @property
    def measures(self) -> tuple[str, ...]:
        """What confines candidates here, one word each; starts the server."""
        return self._live_link().measures

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
        session = ProcessSession(self._live_link(), limits or self._limits)
        self._sessions.add(session)
        try:
            session.load(files, entry)
        except BaseException:
            session.close()
            raise
        return session

    def close(self) -> None:
        """Kill all sessions, end the server; harmless when repeated."""
        self._is_closed = True
        for session in list(self._sessions):
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
                self._link = ServerLink(self._preload)
            return self._link

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
