"""Killing a process of ours with all that it started."""

import os
import signal
from contextlib import suppress


def kill_session(leader: int, *, is_buried: bool) -> None:
    """Kill the group of a process that began a session of its own; it may have ended.

    `is_buried` says that somebody has waited for it: its number may be another process's now. While its group has
    members, it cannot be.
    """
    if is_buried and _exists(leader):
        return
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
