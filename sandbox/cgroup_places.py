"""Where this process may make control groups: which trees are mounted, where in them it is, what was left to it."""

import os
from contextlib import suppress
from pathlib import Path

OWN_PROC = Path("/proc/self")
CONTROLLERS = ("memory", "pids")
UNIFIED = ""  # stands for the tree of v2 where a controller of v1 has its name

_DELEGATION_MARKS = ("user.delegate", "trusted.delegate")  # written by systemd


class CgroupUnavailable(OSError):  # noqa: N818 it is a state of the machine, told as a reason
    """No group with a memory limit can be made here; the text says why."""


def find_places(proc: Path = OWN_PROC) -> tuple[dict[str, Path], bool]:
    """The groups to divide, by controller, memory first; and whether they are of v2.

    Args:
        proc: the folder of /proc that describes this process.

    Raises:
        CgroupUnavailable: there is none for memory.
    """
    try:
        lines = (proc / "cgroup").read_text().splitlines()
        mounts = _mounts(proc)
    except OSError as error:
        raise CgroupUnavailable(f"the own control groups are not known: {error}") from error
    own = {name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")}
    if UNIFIED in mounts and UNIFIED in own:
        group = _below_mount(*mounts[UNIFIED], own[UNIFIED])
        controllers = words_of(group / "cgroup.controllers")
        if "memory" in controllers:
            divisible = _divisible(group, mounts[UNIFIED][0])
            return {name: divisible for name in CONTROLLERS if name in controllers}, True
    if "memory" not in mounts or "memory" not in own:
        raise CgroupUnavailable("no control groups with the memory controller are mounted")
    found = {"memory": _below_mount(*mounts["memory"], own["memory"])}
    if "pids" in mounts and "pids" in own:
        with suppress(CgroupUnavailable):
            found["pids"] = _below_mount(*mounts["pids"], own["pids"])
    return found, False


def words_of(file: Path) -> set[str]:
    """The words in a file, none if it cannot be read."""
    try:
        return set(file.read_text().split())
    except OSError:
        return set()


def _mounts(proc: Path) -> dict[str, tuple[Path, str]]:
    """Where trees of groups are mounted, and which of their groups is on top there."""
    found: dict[str, tuple[Path, str]] = {}
    for line in (proc / "mountinfo").read_text().splitlines():
        head, _, tail = line.partition(" - ")
        top, point = head.split()[3:5]
        kind, _, options = tail.split(" ", 2)
        if kind == "cgroup2":
            found.setdefault(UNIFIED, (Path(point), top))
        elif kind == "cgroup":
            for option in options.split(","):
                found.setdefault(option, (Path(point), top))
    return found


def _below_mount(point: Path, top: str, group: str) -> Path:
    relative = os.path.relpath(group, top)
    if relative.startswith(".."):
        raise CgroupUnavailable(f"the own control group {group} is outside of what is mounted at {point}")
    return point / relative


def _divisible(group: Path, point: Path) -> Path:
    """The group to divide on v2.

    The root may hold processes beside groups. Any other group that holds processes, as ours does, cannot be divided;
    the one above can where it was left to us: by systemd, or as the top of a container.
    """
    if not (group / "cgroup.type").exists():
        return group
    is_top = group.parent == point and (point / "cgroup.type").exists()
    if group != point and (is_top or _is_delegated(group.parent)):
        return group.parent
    raise CgroupUnavailable(
        f"{group} holds processes, so no group can be made below it, and the one above is not delegated"
    )


def _is_delegated(group: Path) -> bool:
    for mark in _DELEGATION_MARKS:
        with suppress(OSError):
            if os.getxattr(group, mark) == b"1":
                return True
    return False
