"""What a forked child gives up before it may read a candidate's first byte.

The steps run in a fixed order and each is checked: a step that fails ends the child before any candidate code.
"""

import os
import resource
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox import landlock, seccomp
from sandbox.filetree import DEVICES, mount_scratch
from sandbox.gpu import Gpu
from sandbox.kernel import (
    CAP_DAC_READ_SEARCH,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    keep_capabilities,
    prctl,
)
from sandbox.layers import Layer
from sandbox.limits import MEBIBYTE

N_UIDS = 64  # sessions of one server at once that are told apart by their uid
UNUSED_UIDS = 0x7000_0000  # from here on no distribution or container manager hands out uids
N_UNUSED_RANGES = 0x3F_F000  # below those that systemd keeps for foreign images
SMALL_UIDS = 20_000  # inside user namespaces that map only 65,536 uids
N_SMALL_RANGES = 500

N_SPARE_PROCESSES_SHARED = 512
N_SIGNALS = 256
OPTIONAL_LIMITS = (resource.RLIMIT_MSGQUEUE, resource.RLIMIT_MEMLOCK, resource.RLIMIT_SIGPENDING)  # not in all kernels
N_OWN_FILES = 5  # standard streams and the two pipes
N_DRIVER_FILES = 64  # CUDA holds about 30 open for one card
RULESET = 5  # the descriptor of Landlock's rules in a child, until they are in force
ADDRESS_SLACK_BYTES = 256 * MEBIBYTE  # reserved, never touched: allocator arenas, thread stacks
ADDRESS_BYTES_PER_THREAD = 136 * MEBIBYTE


# Without the wrapper that makes enumerations of the answers, for which a child would have to copy fifty pages.
_set_signal = getattr(signal.signal, "__wrapped__", signal.signal)


class JailError(OSError):
    """A step of the jail failed; no candidate may run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jail:
    """How children of one server are confined; made once, before the first fork.

    `first_uid` is None when children keep the server's uid. `reads_all_files` says that they keep the right to read
    every file, because the interpreter lies where only root may look. `n_processes_now` counts what the server's own
    uid runs already (the process limit is per uid). Sizes are the server's own and come on top of a session's limits.
    `ruleset` is the server's descriptor of the Landlock rules of children without a scratch folder, `filters` has the
    system-call filters without and with one. `gpu` are the graphics cards of children, if they have any; `hidden`
    device files must not open, which only the self-test asks. `skipped` layers are not applied although they count as
    active: so the self-test is tested.
    """

    layers: frozenset[Layer]
    skipped: frozenset[Layer] = frozenset()
    first_uid: int | None = None
    reads_all_files: bool = False
    n_processes_now: int
    address_bytes: int
    data_bytes: int
    readable: tuple[str, ...] = ()
    devices: tuple[str, ...] = DEVICES
    ruleset: int | None = None
    filters: Mapping[bool, bytes] = field(default_factory=dict)
    gpu: Gpu | None = None
    hidden: tuple[str, ...] = ()

    def does(self, layer: Layer) -> bool:
        """Whether a layer is to be applied."""
        return layer in self.layers and layer not in self.skipped

    def uid_of(self, slot: int) -> int | None:
        """The uid of the session in a slot, or None when there is no other uid to take."""
        return None if self.first_uid is None else self.first_uid + slot % N_UIDS


def confine(jail: Jail, limits: Mapping[str, Any], *, slot: int, server_pid: int) -> None:
    """Set limits, change the uid, give up every privilege; descriptors and the working directory are in place.

    Raises:
        OSError: a step failed; the caller must end the process.
    """
    _set_signal(signal.SIGCHLD, signal.SIG_DFL)
    uid = jail.uid_of(slot)
    if limits["scratch_bytes"] and Layer.MOUNT_NAMESPACE in jail.layers:
        mount_scratch(limits["scratch_bytes"], os.geteuid() if uid is None else uid)
    if jail.does(Layer.RESOURCE_LIMITS):
        for name, value in resource_limits(jail, limits).items():
            _set(name, value)
    _drop_privileges(jail, uid)
    if jail.does(Layer.RESOURCE_LIMITS):
        _set(resource.RLIMIT_NPROC, process_limit(jail, limits))
    _set_switches(jail)
    if Layer.PID_NAMESPACE not in jail.layers and os.getppid() != server_pid:
        raise JailError("the server died while the child was made")


def close_files(jail: Jail, limits: Mapping[str, Any]) -> None:
    """From here only the interpreter's files can be read, and only the scratch folder can be written.

    Raises:
        OSError: the kernel refused.
    """
    if not jail.does(Layer.LANDLOCK):
        return
    writable = (os.getcwd(),) if limits["scratch_bytes"] else ()
    if jail.gpu is not None:  # CUDA names its threads, each in a file of the process's own folder, or gives up
        jail = replace(jail, readable=(*jail.readable, "/proc/self"))
        writable = (*writable, "/proc/self/task")
    ruleset = make_rules(jail, writable=writable) if writable else RULESET
    landlock.restrict(ruleset)
    for descriptor in {ruleset, RULESET}:
        os.close(descriptor)


def filter_calls(jail: Jail, limits: Mapping[str, Any]) -> None:
    """From here only the calls of an allow-list reach the kernel.

    Raises:
        OSError: the kernel refused.
    """
    if jail.does(Layer.SECCOMP):
        seccomp.install(jail.filters[bool(limits["scratch_bytes"])])


def make_rules(jail: Jail, writable: tuple[str, ...] = ()) -> int:
    """A Landlock ruleset for the jail's files; returns its descriptor.

    Raises:
        OSError: the kernel refused.
    """
    read, write, devices = (map(Path, paths) for paths in (jail.readable, writable, jail.devices))
    return landlock.make_ruleset(read=read, write=write, devices=devices, missing_ok=True)


def be_killed_first(proc: int) -> None:
    """Offer this process and its children before any other when the machine runs out of memory.

    Among them the kernel takes the largest, which a child that took the memory is. `proc` is a descriptor of /proc.
    """
    with suppress(OSError):  # a convenience, not a wall: some containers mount /proc read-only
        descriptor = os.open("self/oom_score_adj", os.O_WRONLY, dir_fd=proc)
        try:
            os.write(descriptor, b"1000")
        finally:
            os.close(descriptor)


def resource_limits(jail: Jail, limits: Mapping[str, Any]) -> dict[int, int]:
    """The limits of a child by their number in `resource`, but for that on processes."""
    memory = limits["memory_bytes"]
    slack = ADDRESS_SLACK_BYTES + (limits["n_threads"] - 1) * ADDRESS_BYTES_PER_THREAD
    slack += limits["shared_bytes"]
    always = {
        resource.RLIMIT_CPU: max(1, -int(-limits["cpu_seconds"] // 1)),
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: N_SIGNALS,  # bounds timers too, which the kernel keeps in memory of its own
    }
    if jail.gpu is not None:  # CUDA reserves more addresses than the machine has memory, and makes files in memory
        return always | {
            resource.RLIMIT_FSIZE: max(limits["scratch_bytes"], memory),
            resource.RLIMIT_NOFILE: limits["n_files"] + N_OWN_FILES + N_DRIVER_FILES,
            resource.RLIMIT_MEMLOCK: memory,
        }
    return always | {
        resource.RLIMIT_AS: jail.address_bytes + memory + slack,
        resource.RLIMIT_DATA: jail.data_bytes + memory,
        resource.RLIMIT_FSIZE: limits["scratch_bytes"],
        resource.RLIMIT_NOFILE: limits["n_files"] + N_OWN_FILES,
        resource.RLIMIT_MEMLOCK: 0,
    }


def process_limit(jail: Jail, limits: Mapping[str, Any]) -> int:
    """How many threads the child's uid may have; a shared uid gets room for what runs already."""
    if jail.first_uid is not None:
        return int(limits["n_processes"])
    return int(jail.n_processes_now + limits["n_processes"] + N_SPARE_PROCESSES_SHARED)


def _set(name: int, value: int) -> None:
    """Lower a limit for good; one that is lower already stays."""
    try:
        _, present = resource.getrlimit(name)
        if present != resource.RLIM_INFINITY:
            value = min(value, present)
        resource.setrlimit(name, (value, value))
    except (OSError, ValueError):
        if name not in OPTIONAL_LIMITS:
            raise


def _drop_privileges(jail: Jail, uid: int | None) -> None:
    """Become another user, or at least one without capabilities."""
    if uid is not None and jail.does(Layer.OWN_UID):
        _drop_to(uid, reads_all_files=jail.reads_all_files)
    elif jail.does(Layer.NO_NEW_PRIVILEGES) and (Layer.USER_NAMESPACE in jail.layers or os.geteuid() == 0):
        keep_capabilities(0)


def _set_switches(jail: Jail) -> None:
    """The process's own switches; after the change of uid, which clears the first."""
    if jail.does(Layer.PARENT_DEATH_SIGNAL):
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if jail.does(Layer.SECCOMP):  # where processes can be forked, whoever sweeps them up has to read their /proc
        prctl(PR_SET_DUMPABLE, 0)
    if jail.does(Layer.NO_NEW_PRIVILEGES):
        prctl(PR_SET_NO_NEW_PRIVS, 1)


def _drop_to(uid: int, *, reads_all_files: bool) -> None:
    if reads_all_files:
        prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if reads_all_files:
        keep_capabilities(1 << CAP_DAC_READ_SEARCH)
        prctl(PR_SET_KEEPCAPS, 0)
