"""Is a run going on? Read from its last session, without touching its lock."""

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SILENT_AFTER_SECONDS = 120.0
CLOCK_SECONDS = 2.0  # by how much the kernel's clock and a written time may differ
GOING = ("running", "paused", "silent")
"""States in which somebody works on the run, as far as is known."""


def run_state(
    sessions: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    host: str,
    is_alive: Callable[[int, float], bool],
) -> str:
    """Say `new`, `running`, `paused`, `stopped` (with the reason), `crashed`, or `silent`.

    `silent` is a run whose machine cannot be asked and which has not been heard of for a while. `is_alive` is asked
    for a process of this machine, by its number and for how many seconds it has not been heard of.
    """
    if not sessions:
        return "new"
    last = sessions[-1]
    if last["stopped_by"] is not None:
        return f"stopped ({last['stopped_by']})"
    going = "paused" if last.get("paused") else "running"
    silent_seconds = (now - datetime.fromisoformat(last["heartbeat"])).total_seconds()
    if last["host"] != host:
        return going if silent_seconds < SILENT_AFTER_SECONDS else "silent"
    return going if is_alive(last["pid"], silent_seconds) else "crashed"


def current_state(sessions: Sequence[Mapping[str, Any]]) -> str:
    """Apply `run_state` to this machine and this moment."""
    return run_state(sessions, now=datetime.now(UTC), host=socket.gethostname(), is_alive=process_lives)


def process_lives(pid: int, silent_seconds: float) -> bool:
    """Whether a process that was heard of so long ago lives; another may have got its number since."""
    if not process_exists(pid):
        return False
    try:
        state, *_, born = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[:20]
    except (OSError, ValueError):  # it ends just now, or this system shows nothing
        return True
    running_seconds = time.clock_gettime(time.CLOCK_BOOTTIME) - int(born) / os.sysconf("SC_CLK_TCK")
    return state != "Z" and running_seconds > silent_seconds - CLOCK_SECONDS


def process_exists(pid: int) -> bool:
    """Whether a process with this number exists on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
