"""What can be seen of a process from outside, by way of /proc."""

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

_STATE, _PARENT, _NICE, _PRIORITY, _POLICY = 0, 1, 16, 37, 38  # fields of /proc/<pid>/stat behind the name
_ALIVE = "RSDTt"


def descendants(pid: int) -> dict[int, str]:
    """All living processes below one, with their names; those that are dead but not buried do not count."""
    children: dict[int, list[int]] = {}
    names = {}
    for other in _pids():
        with contextlib.suppress(OSError):
            name, fields = _stat(other)
            if fields[_STATE] in _ALIVE or fields[_STATE] == "I":
                names[other] = name
            children.setdefault(int(fields[_PARENT]), []).append(other)
    below: list[int] = []
    todo = [pid]
    while todo:
        found = children.get(todo.pop(), [])
        below += found
        todo += found
    return {other: names[other] for other in below if other in names}


def portrait(pid: int, marks: Iterable[str]) -> dict[str, str]:
    """What others could change about a process: its state, priority, processors, limits, and the mounts it sees.

    `marks` are words by which a mount made by an attack can be told from others.

    Raises:
        OSError: the process is gone.
    """
    folder = Path("/proc", str(pid))
    _, fields = _stat(pid)
    status = (folder / "status").read_text()
    mounts = (folder / "mountinfo").read_text().splitlines()
    return {
        "state": "stopped" if fields[_STATE] in "Tt" else "dead" if fields[_STATE] in "ZX" else "runs",
        "priority": " ".join(fields[index] for index in (_NICE, _PRIORITY, _POLICY)),
        "processors": _line(status, "Cpus_allowed_list"),
        "uid": _line(status, "Uid"),
        "tracer": _line(status, "TracerPid"),
        "limits": (folder / "limits").read_text(),
        "first to be killed": (folder / "oom_score_adj").read_text(),
        "cgroup": (folder / "cgroup").read_text(),
        "mounts": "\n".join(line for line in mounts if any(mark in line for mark in marks)),
    }


def innermost_pid(pid: int) -> int:
    """The number that a process has in its own pid namespace."""
    status = Path("/proc", str(pid), "status").read_text()
    return int(_line(status, "NSpid").split()[-1])


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _stat(pid: int) -> tuple[str, list[str]]:
    with open(f"/proc/{pid}/stat", "rb") as file:  # of every process on the machine: no time for paths
        text = file.read().decode(errors="replace")
    name, _, rest = text.partition("(")[2].rpartition(")")
    return name, rest.split()


def _line(status: str, name: str) -> str:
    found = re.search(rf"^{name}:\s*(.*)$", status, re.MULTILINE)
    return found[1] if found else ""
