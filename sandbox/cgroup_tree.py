"""One server's folder in a tree of control groups: locked while the server lives, emptied and removed with it.

All goes through descriptors, so that the server may change its view of files once the folder is made.
"""

import errno
import fcntl
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PREFIX = "evolve-sandbox-"
SLOT = "slot"
PATIENCE_SECONDS = 1.0
OWN_PATIENCE_SECONDS = 5.0
FEWEST_ROUNDS = 20  # a machine that stood still lets nobody die
POLL_SECONDS = 0.002

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class CgroupTree:
    """A server's folder and the group that it lies in, both open."""

    above: int
    name: str
    folder: int

    @classmethod
    def make(cls, group: Path, token: str) -> "CgroupTree":
        """Make and lock a folder for a server.

        Raises:
            OSError: nothing can be made in the group.
        """
        name = PREFIX + token
        above = os.open(group, _FOLDER)
        try:
            while True:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=above)
                with suppress(FileNotFoundError):  # somebody's sweep was faster than the lock
                    return cls(above, name, _open_locked(above, name, wait=True))
        except BaseException:
            os.close(above)
            raise

    def hand_down(self, controllers: set[str]) -> None:
        """Let the slots have limits (v2).

        Raises:
            OSError: the kernel refused, because processes are in the way or a controller is missing.
        """
        for folder in (self.above, self.folder):
            missing = controllers - set(_read(folder, "cgroup.subtree_control").split())
            if missing:
                _write(folder, "cgroup.subtree_control", " ".join(f"+{name}" for name in sorted(missing)))

    def make_slot(self, slot: int) -> None:
        """Make a slot, unless it is there."""
        with suppress(FileExistsError):
            os.mkdir(f"{SLOT}{slot}", 0o700, dir_fd=self.folder)

    def write(self, slot: int, file: str, text: str, *, missing_ok: bool = False) -> None:
        """Write one of a slot's files."""
        try:
            _write(self.folder, f"{SLOT}{slot}/{file}", text)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def read(self, slot: int, file: str) -> str:
        """Read one of a slot's files."""
        return _read(self.folder, f"{SLOT}{slot}/{file}")

    def kill(self, slot: int) -> None:
        """Kill all processes in a slot."""
        _kill_members(self.folder, f"{SLOT}{slot}")

    def remove(self) -> None:
        """Kill what is left and remove the folder; what cannot be removed is left to the next sweep."""
        _empty(self.folder, patience_seconds=OWN_PATIENCE_SECONDS)
        with suppress(OSError):
            os.rmdir(self.name, dir_fd=self.above)
        os.close(self.folder)
        os.close(self.above)


def sweep_group(group: Path) -> int:
    """Kill and remove what dead servers left in a group; returns how many folders were removed."""
    try:
        above = os.open(group, _FOLDER)
    except OSError:
        return 0
    try:
        return sum(_remove_if_stale(above, name) for name in os.listdir(above) if name.startswith(PREFIX))
    finally:
        os.close(above)


def _remove_if_stale(above: int, name: str) -> bool:
    try:
        folder = _open_locked(above, name, wait=False)
    except OSError:  # its server lives, it is another user's, or somebody else was faster
        return False
    try:
        _empty(folder)
        os.rmdir(name, dir_fd=above)
    except OSError:  # not emptied: its processes cannot be killed from here, or it is not what its name says
        return False
    finally:
        os.close(folder)
    return True


def _open_locked(above: int, name: str, *, wait: bool) -> int:
    """Open and lock a server's folder.

    Raises:
        OSError: it is locked (without `wait`), or it is gone.
    """
    descriptor = os.open(name, _FOLDER, dir_fd=above)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        os.stat(name, dir_fd=above)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _empty(folder: int, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Remove the slots in a folder with all that runs in them, as far as that can be done in this time."""
    deadline = time.monotonic() + patience_seconds
    n_rounds = 0
    for name in os.listdir(folder):
        if name.startswith(SLOT):
            while _holds_dying(folder, name) and (n_rounds < FEWEST_ROUNDS or time.monotonic() < deadline):
                n_rounds += 1
                time.sleep(POLL_SECONDS)


def _holds_dying(folder: int, name: str) -> bool:
    """Kill all in a slot and remove it; true when it cannot be removed yet, as the killed take a moment to die."""
    try:
        _kill_members(folder, name)
        os.rmdir(name, dir_fd=folder)
    except OSError as error:
        return error.errno == errno.EBUSY
    return False


def _kill_members(folder: int, group: str) -> None:
    with suppress(FileNotFoundError):  # v1, and v2 before Linux 5.14
        _write(folder, f"{group}/cgroup.kill", "1")
        return
    killed: set[int] = set()
    while new := _members(folder, group) - killed:
        killed |= new
        for pid in new:
            _kill_member(pid, folder, group)


def _kill_member(pid: int, folder: int, group: str) -> None:
    """Kill one process; the descriptor keeps its number from meaning another one after it was found here."""
    with suppress(OSError):
        descriptor = os.pidfd_open(pid)
        try:
            if pid in _members(folder, group):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


def _members(folder: int, group: str) -> set[int]:
    """The processes in a group; those that cannot be seen from here, in other namespaces, are left out."""
    return {int(word) for word in _read(folder, f"{group}/cgroup.procs").split()} - {0}


def _read(folder: int, file: str) -> str:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return os.read(descriptor, 65536).decode()
    finally:
        os.close(descriptor)


def _write(folder: int, file: str, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
