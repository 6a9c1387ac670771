"""Finds the processes that a test started, however far they have moved from it: by a folder in their environment."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.01


def marked(folder: Path) -> list[int]:
    """The living processes, but for this one, whose temporary folder is this folder."""
    marker = f"TMPDIR={folder}".encode()
    return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _is_marked(pid, marker)]


def leftovers(folder: Path) -> list[str]:
    """The command lines of those that still live after some patience."""
    wait_for(lambda: not marked(folder))
    return [_command_of(pid) for pid in marked(folder)]


def wait_for(condition: Callable[[], object]) -> bool:
    """Whether the condition became true in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return bool(condition())


def kill_all(pids: Iterable[int]) -> None:
    """Kill these processes one by one; the death of one may be that of the next, and its number another's by then."""
    with ExitStack() as opened:
        handles: list[int] = []
        for pid in pids:
            with suppress(ProcessLookupError):
                handles.append(os.pidfd_open(pid))
                opened.callback(os.close, handles[-1])
        for handle in handles:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return f"process {pid}, which has ended since"


def _is_marked(pid: int, marker: bytes) -> bool:
    try:
        return pid != os.getpid() and marker in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it is gone, or another user's
        return False
