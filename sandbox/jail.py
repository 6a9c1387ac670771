"""What a forked child gives up before it may read a candidate's first byte.

The steps run in a fixed order and each is checked: a step that fails ends the child before any candidate code. Later
layers (namespaces, Landlock, seccomp) join the same list; what is active is told by `Jail.measures`.
"""

import ctypes
import os
import resource
import signal
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sandbox.limits import MEBIBYTE

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION = 0x20080522

N_UIDS = 64  # sessions of one server at once that are told apart by their uid
UNUSED_UIDS = 0x7000_0000  # from here to 2**31 no distribution or container manager hands out uids
N_UNUSED_RANGES = 1 << 22
SMALL_UIDS = 20_000  # inside user namespaces that map only 65,536 uids
N_SMALL_RANGES = 500

N_SPARE_PROCESSES = 16
N_SPARE_PROCESSES_SHARED = 512
N_FILES = 64
ADDRESS_SLACK_BYTES = 256 * MEBIBYTE  # reserved, never touched: allocator arenas, thread stacks
ADDRESS_BYTES_PER_THREAD = 136 * MEBIBYTE

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)


class JailError(OSError):
    """A step of the jail failed; no candidate may run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jail:
    """How children of one server are confined; made once, before the first fork.

    `first_uid` is None when children keep the server's uid. `reads_all_files` says that they keep the right to read
    every file, because the interpreter lies where only root may look. `n_processes_now` counts what the server's own
    uid runs already (the process limit is per uid). Sizes are the server's own and come on top of a session's limits.
    """

    first_uid: int | None
    reads_all_files: bool
    n_processes_now: int
    address_bytes: int
    data_bytes: int

    @property
    def measures(self) -> tuple[str, ...]:
        """The active layers, for logs and records."""
        names = ["own-session", "rlimits", "closed-descriptors", "clean-environment", "no-new-privileges"]
        if self.first_uid is not None:
            names.append("own-uid-reads-files" if self.reads_all_files else "own-uid")
        return tuple(names)

    def uid_of(self, slot: int) -> int | None:
        """The uid of the session in a slot, or None when there is no other uid to take."""
        return None if self.first_uid is None else self.first_uid + slot % N_UIDS


def prctl(option: int, value: int) -> None:
    """Set one of the process's own switches.

    Raises:
        JailError: the kernel refused.
    """
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise JailError(ctypes.get_errno(), f"prctl({option}, {value})")


def enter(jail: Jail, limits: dict[str, Any], *, slot: int, server_pid: int) -> None:
    """Confine this process for good; the caller has set up descriptors 0 to 4 and the working directory.

    Raises:
        OSError: a step failed; the caller must end the process.
    """
    for number in (signal.SIGCHLD, signal.SIGXCPU, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _be_killed_first()
    _limit(jail, limits)
    uid = jail.uid_of(slot)
    if uid is not None:
        _drop_to(uid, reads_all_files=jail.reads_all_files)
    _limit_processes(jail, limits["n_threads"])
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of uid, which clears it
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if os.getppid() != server_pid:
        raise JailError("the server died while the child was made")


def _be_killed_first() -> None:
    """Offer this process before any other when the machine runs out of memory."""
    try:
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    except OSError:  # a convenience, not a wall: some containers mount /proc read-only
        return
    with suppress(OSError):
        os.write(descriptor, b"1000")
    os.close(descriptor)


def _limit(jail: Jail, limits: dict[str, Any]) -> None:
    memory = limits["memory_bytes"]
    slack = ADDRESS_SLACK_BYTES + (limits["n_threads"] - 1) * ADDRESS_BYTES_PER_THREAD
    cpu_seconds = max(1, -int(-limits["cpu_seconds"] // 1))
    _set(resource.RLIMIT_CPU, cpu_seconds)
    _set(resource.RLIMIT_AS, jail.address_bytes + memory + slack)
    _set(resource.RLIMIT_DATA, jail.data_bytes + memory)
    _set(resource.RLIMIT_FSIZE, 0)
    _set(resource.RLIMIT_NOFILE, N_FILES)
    _set(resource.RLIMIT_CORE, 0)
    for name in (resource.RLIMIT_MSGQUEUE, resource.RLIMIT_MEMLOCK):
        with suppress(OSError, ValueError):  # some user-space kernels do not know them
            _set(name, 0)


def _set(name: int, value: int) -> None:
    """Lower a limit for good; one that is lower already stays."""
    _, present = resource.getrlimit(name)
    if present != resource.RLIM_INFINITY:
        value = min(value, present)
    resource.setrlimit(name, (value, value))


def _limit_processes(jail: Jail, n_threads: int) -> None:
    """Bound forks and threads; the kernel counts all of a uid's, so a shared uid gets room for what runs already."""
    if jail.first_uid is not None:
        _set(resource.RLIMIT_NPROC, n_threads + N_SPARE_PROCESSES)
    else:
        _set(resource.RLIMIT_NPROC, jail.n_processes_now + n_threads + N_SPARE_PROCESSES_SHARED)


def _drop_to(uid: int, *, reads_all_files: bool) -> None:
    if reads_all_files:
        prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if reads_all_files:
        _keep_only_capability(CAP_DAC_READ_SEARCH)
        prctl(PR_SET_KEEPCAPS, 0)


def _keep_only_capability(number: int) -> None:
    header = struct.pack("<Ii", _CAPABILITY_VERSION, 0)
    mask = 1 << number
    low = struct.pack("<III", mask, mask, 0)
    if _libc.capset(header, low + struct.pack("<III", 0, 0, 0)) != 0:
        raise JailError(ctypes.get_errno(), "capset")
