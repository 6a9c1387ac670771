"""Where a run may live, and the lock that keeps a second controller out."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from evolve.errors import EvolveEnvironmentError

LOCK_NAME = "controller.lock"
NETWORK_FILESYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "lustre", "ceph"}


def take_lock(run_dir: Path) -> IO[str]:
    """Lock the run for this process; the lock ends with the process, however it ends.

    Raises:
        EvolveEnvironmentError: another controller holds the run, or the folder cannot be written.
    """
    path = run_dir / LOCK_NAME
    try:
        handle = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise _unwritable(run_dir, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        holder = _described(handle.read())
        handle.close()
        raise EvolveEnvironmentError(
            f"another controller is working on {run_dir}: {holder}; wait for it or stop it, then resume"
        ) from error
    try:
        handle.seek(0)
        handle.truncate()
        handle.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        handle.flush()
    except OSError as error:
        with suppress(OSError):  # what could not be written is tried once more
            handle.close()
        raise _unwritable(run_dir, error) from error
    return handle


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Keep every other process that asks for the same file out until the block ends; the file is made if need be.

    Raises:
        EvolveEnvironmentError: another process writes it.
        OSError: it cannot be opened for writing.
    """
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EvolveEnvironmentError(
                f"another process is writing {path}: wait for it or stop it, then start again"
            ) from error
        yield


def _unwritable(run_dir: Path, error: OSError) -> EvolveEnvironmentError:
    return EvolveEnvironmentError(
        f"cannot write in the run directory {run_dir}: {error.strerror}; make it writable or use another"
    )


def _described(note: str) -> str:
    """Say who holds the lock; the note may be empty or torn while the holder writes it."""
    try:
        holder = json.loads(note)
        return f"process {holder['pid']} on {holder['host']}"
    except (ValueError, KeyError, TypeError):
        return "an unknown process"


def refuse_network_filesystem(path: Path) -> None:
    """Refuse folders on filesystems whose locks and write order SQLite cannot trust.

    Raises:
        EvolveEnvironmentError: the folder is on NFS, CIFS or the like.
    """
    kind = filesystem_of(path)
    if kind in NETWORK_FILESYSTEMS:
        raise EvolveEnvironmentError(
            f"{path} is on a network filesystem ({kind}), where run.db can be corrupted; "
            "use a local folder, or --allow-network-fs at your own risk"
        )


def filesystem_of(path: Path) -> str:
    """Name the filesystem type that holds `path`, or `unknown` where the system does not say."""
    mounts = Path("/proc/self/mountinfo")
    if not mounts.exists():
        return "unknown"
    target = path.resolve()
    best, kind = Path("/"), "unknown"
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        left, _, right = line.partition(" - ")
        mount_point = Path(left.split()[4].replace("\\040", " "))
        if target.is_relative_to(mount_point) and mount_point.is_relative_to(best):
            best, kind = mount_point, right.split()[0]
    return kind
