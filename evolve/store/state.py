"""Is a run going on? Read from its last session, without touching its lock."""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

SILENT_AFTER_SECONDS = 120.0
GOING = ("running", "paused", "silent")
"""States in which somebody works on the run, as far as is known."""


def run_state(
    sessions: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    host: str,
    is_alive: Callable[[int], bool],
) -> str:
    """Say `new`, `running`, `paused`, `stopped` (with the reason), `crashed`, or `silent`.

    `silent` is a run whose machine cannot be asked and which has not been heard of for a while.
    """
    if not sessions:
        return "new"
    last = sessions[-1]
    if last["stopped_by"] is not None:
        return f"stopped ({last['stopped_by']})"
    going = "paused" if last.get("paused") else "running"
    recent = (now - datetime.fromisoformat(last["heartbeat"])).total_seconds() < SILENT_AFTER_SECONDS
    if last["host"] != host:
        return going if recent else "silent"
    return going if is_alive(last["pid"]) else "crashed"


def current_state(sessions: Sequence[Mapping[str, Any]]) -> str:
    """Apply `run_state` to this machine and this moment."""
    return run_state(sessions, now=datetime.now(UTC), host=socket.gethostname(), is_alive=process_exists)


def process_exists(pid: int) -> bool:
    """Whether a process with this number exists on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
