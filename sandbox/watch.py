"""Reads how much memory and how many threads a child has now, and ends it when that is too much."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.filetree import N_SCRATCH_FILES

POLL_SECONDS = 0.01
SLACK_BYTES = 16 << 20  # the kernel refuses an allocation at the limit itself: that is the kinder end
STATUS_BYTES = 65536
_COUNTED = (b"RssAnon", b"RssShmem", b"VmPTE")
_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """What a child of the server holds when it is born, in bytes: all that its own use is counted from."""

    used_bytes: int
    rss_bytes: int


@dataclass(slots=True, kw_only=True)
class Watch:
    """One child under watch: what it may use, and why it had to be ended.

    Counted are anonymous and shared pages and page tables beyond what the child was born with: files of the
    interpreter that it maps are not its own, and address space that it never touches is nobody's. Its status file in
    /proc is opened at the first look, as most children are gone before. `proc` is a descriptor of a /proc, possibly of
    an outer process namespace; `folder` is where the child may write, if that has to be watched.
    """

    proc: int
    pid: int
    limits: Mapping[str, Any]
    birth: Birth
    folder: str | None = None
    reason: dict[str, Any] = field(default_factory=dict)
    _status: int | None = None

    def look(self) -> bool:
        """Measure; False when the child has to be ended, and `reason` says which limit it met, if any."""
        try:
            if self._status is None:
                self._status = open_status(self.proc, self.pid)
            now = read_status(self._status)
        except (FileNotFoundError, ProcessLookupError):
            return True  # dead already
        except OSError as error:  # who cannot be watched does not run
            self.reason = {"limit": "watch", "used": 0, "error": str(error)}
            return False
        if b"VmRSS" not in now and now[b"Threads"] > 1:
            return False  # its main thread ended before the others, which hides what they use; or it is just dying
        used, most = usage(now) - self.birth.used_bytes, self.limits["scratch_bytes"]
        if used > self.limits["memory_bytes"] + self.limits["shared_bytes"] + SLACK_BYTES:
            self.reason = {"limit": "memory", "used": used}
        elif now[b"Threads"] > self.limits["n_processes"]:
            self.reason = {"limit": "processes", "used": now[b"Threads"]}
        elif self.folder is not None and (held := size_of(self.folder, unseen=most)) > most:
            self.reason = {"limit": "disk", "used": held}
        return not self.reason

    def close(self) -> None:
        """Forget the child."""
        if self._status is not None:
            os.close(self._status)
            self._status = None


def birth_of(proc: int, pid: int) -> Birth:
    """What a child that was forked just now holds.

    Raises:
        OSError: it is gone.
    """
    status = open_status(proc, pid)
    try:
        now = read_status(status)
    finally:
        os.close(status)
    return Birth(used_bytes=usage(now), rss_bytes=now.get(b"VmRSS", 0))


def usage(status: Mapping[bytes, int]) -> int:
    """The bytes that a process alone is to blame for."""
    return sum(status.get(name, 0) for name in _COUNTED)


def open_status(proc: int, pid: int) -> int:
    """Open the status file of a child.

    Raises:
        OSError: it is gone.
    """
    return os.open(f"{outer_pid(proc, pid)}/status", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)


def read_status(descriptor: int) -> dict[bytes, int]:
    """The numbers of an open status file of /proc, sizes in bytes.

    Raises:
        OSError: the process is gone.
    """
    numbers = {b"Threads": 1}
    for line in os.pread(descriptor, STATUS_BYTES, 0).split(b"\n"):
        name, _, rest = line.partition(b":")
        if name in _COUNTED or name in (b"VmRSS", b"Threads"):
            number, _, unit = rest.strip().partition(b" ")
            numbers[name] = int(number) * (_KIBIBYTE if unit else 1)
    return numbers


def outer_pid(proc: int, pid: int) -> int:
    """The number of a child in the namespace that /proc shows, which may be outside ours."""
    descriptor = os.pidfd_open(pid)
    try:
        told = os.open(f"self/fdinfo/{descriptor}", os.O_RDONLY, dir_fd=proc)
        try:
            lines = os.read(told, STATUS_BYTES).split(b"\n")
        finally:
            os.close(told)
    finally:
        os.close(descriptor)
    return next(int(line[4:]) for line in lines if line.startswith(b"Pid:"))


def size_of(folder: str, *, unseen: int) -> int:
    """The bytes in a folder and below, each file at least a page; a hostile tree may change meanwhile.

    What cannot be looked at, as it lies too deep or is closed, counts as `unseen` bytes, which is all there may be; so
    do more files than a scratch folder may hold. Nothing is counted beyond that.
    """
    total, n_entries, folders = 0, 0, [folder]
    while folders and total <= unseen:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    n_entries += 1
                    if n_entries > N_SCRATCH_FILES:
                        return unseen + 1
                    total += max(_blocks_of(entry, unseen), 4096)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # it has just been removed
        except OSError:
            total += unseen
    return total


def _blocks_of(entry: os.DirEntry[str], unseen: int) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0
    except OSError:
        return unseen
