"""What others want of the process that works on a run: one small file in the run's folder, `control.json`.

Whoever wants something replaces the file in one step; the controller looks at it a few times a second. A request names
the session that it is meant for, so one that was left behind never touches a later session.
"""

import json
import os
import socket
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import Any

from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.store.reader import RunReader
from evolve.store.state import GOING, current_state

CONTROL_NAME = "control.json"
MAX_BYTES = 4096
MAX_TEXT = 200


class Wanted(StrEnum):
    """What a controller can be asked for."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKey:
    """Which session is meant: its number in `run.db`, and when it started, as written there."""

    id: int
    started: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request: what is wanted of which session, and who asked when."""

    wanted: Wanted
    session: SessionKey
    at: str
    pid: int
    host: str

    def asker(self) -> dict[str, Any]:
        """Who asked, as JSON data."""
        return {"at": self.at, "pid": self.pid, "host": self.host}


def request(run_dir: Path, wanted: Wanted | str) -> Request:
    """Ask the session that works on a run; it obeys within about a second, and `evolve status` shows it.

    Raises:
        UsageError: there is no run in the folder, or nobody works on it.
        EvolveEnvironmentError: the request cannot be written.
    """
    reader = RunReader(run_dir)
    try:
        sessions = reader.sessions()
    finally:
        reader.close()
    state = current_state(sessions)
    if state not in GOING:
        raise UsageError(
            f"nobody works on {run_dir}: it is {state}", hint=f"`evolve resume {quote(str(run_dir))}` goes on with it"
        )
    last = sessions[-1]
    return write_request(run_dir, Wanted(wanted), SessionKey(id=last["id"], started=last["started"]))


def write_request(run_dir: Path, wanted: Wanted, session: SessionKey) -> Request:
    """Leave a request for a session; it replaces one that was there, in one step.

    Raises:
        EvolveEnvironmentError: the file cannot be written; what was there is as it was.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    request = Request(wanted=wanted, session=session, at=now, pid=os.getpid(), host=socket.gethostname()[:MAX_TEXT])
    path = run_dir / CONTROL_NAME
    try:
        _replace(path, json.dumps(asdict(request)))
    except OSError as error:
        raise EvolveEnvironmentError(
            f"cannot write {path}: {error.strerror}; make room or the folder writable, "
            f"or send the process that works on the run a signal (SIGINT stops it in order)"
        ) from error
    return request


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{CONTROL_NAME}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def read_request(run_dir: Path) -> Request | None:
    """What the file asks for; None where there is none, or none that makes sense."""
    try:
        handle = os.open(run_dir / CONTROL_NAME, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        text = os.read(handle, MAX_BYTES + 1)
    except OSError:
        return None
    finally:
        os.close(handle)
    return _parsed(text)


def _parsed(text: bytes) -> Request | None:
    if len(text) > MAX_BYTES:
        return None
    try:
        data = json.loads(text)
        session: Mapping[str, Any] = data["session"]
        return Request(
            wanted=Wanted(data["wanted"]),
            session=SessionKey(id=int(session["id"]), started=str(session["started"])),
            at=str(data["at"])[:MAX_TEXT],
            pid=int(data["pid"]),
            host=str(data["host"])[:MAX_TEXT],
        )
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None


def forget_requests(run_dir: Path) -> None:
    """Remove the file; a session that ends or begins has nothing to hear from it."""
    with suppress(OSError):
        (run_dir / CONTROL_NAME).unlink()


class Mailbox:
    """The controller's side: every request for its session is handed out once, the newest only."""

    def __init__(self, run_dir: Path, session: SessionKey) -> None:
        self._run_dir = run_dir
        self._session = session
        self._seen: tuple[int, int, int] | None = None

    def news(self) -> Request | None:
        """A request that has come since the last look; costs one look at the folder when there is none."""
        try:
            status = os.stat(self._run_dir / CONTROL_NAME, follow_symlinks=False)
        except OSError:
            return None
        mark = (status.st_mtime_ns, status.st_ino, status.st_size)
        if mark == self._seen:
            return None
        self._seen = mark
        request = read_request(self._run_dir)
        return request if request is not None and request.session == self._session else None
