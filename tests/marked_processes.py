"""Finds the processes that a test started, however far they have moved from it: by a folder in their environment."""

import os
import time
from collections.abc import Callable
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
    return [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in marked(folder)]


def wait_for(condition: Callable[[], object]) -> bool:
    """Whether the condition became true in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return bool(condition())


def _is_marked(pid: int, marker: bytes) -> bool:
    try:
        return pid != os.getpid() and marker in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it is gone, or another user's
        return False
