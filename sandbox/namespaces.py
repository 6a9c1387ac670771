"""Own namespaces for the fork server and its children: other processes, mounts, networks and queues are not there."""

import json
import os
import select
import signal
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path

from sandbox.filetree import library_paths, stand_in_private_tree
from sandbox.kernel import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    PR_SET_PDEATHSIG,
    prctl,
    setns,
    unshare,
)
from sandbox.layers import Layer

FLAGS = {
    Layer.MOUNT_NAMESPACE: CLONE_NEWNS,
    Layer.PID_NAMESPACE: CLONE_NEWPID,
    Layer.NETWORK_NAMESPACE: CLONE_NEWNET,
    Layer.IPC_NAMESPACE: CLONE_NEWIPC,
}
FILES = {  # of /proc/self/ns
    Layer.USER_NAMESPACE: "user",
    Layer.MOUNT_NAMESPACE: "mnt",
    Layer.NETWORK_NAMESPACE: "net",
    Layer.IPC_NAMESPACE: "ipc",
}
PROBE_SECONDS = 60.0
CHECK_SECONDS = 1.0


def probe(wanted: Set[Layer]) -> dict[Layer, str]:
    """Why each wanted namespace cannot be had here; those that can be had are not in it. Leaves this process alone."""
    reasons: dict[Layer, str] = {}
    wanted = wanted & set(FLAGS)
    while wanted - set(reasons):
        failed = _in_child(lambda: _rehearse(wanted - set(reasons)))
        if failed is None:
            break
        reasons[Layer(failed[0])] = failed[1]
    if os.geteuid() != 0 and not wanted - set(reasons):
        reasons[Layer.USER_NAMESPACE] = next(iter(reasons.values()), "not needed")
    return reasons


def enter(layers: Set[Layer], controller_pid: int) -> int | None:
    """Move this single-threaded process into new namespaces; its file tree stays what it was (see `filetree`).

    With `PID_NAMESPACE` the caller goes on as process 1 of its own namespace; the original process waits for its end,
    ends it when the controller dies, and never returns.

    Returns:
        A descriptor of the own process namespace, or None without one.

    Raises:
        OSError: the kernel refused.
    """
    if Layer.USER_NAMESPACE in layers:
        _enter_user_namespace()
    flags = _flags(layers)
    if flags:
        unshare(flags)
    if Layer.PID_NAMESPACE not in layers:
        return None
    launcher = os.getpid()
    pid = os.fork()
    if pid != 0:
        _wait_and_end(pid, controller_pid)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    status = Path("/proc/self/status").read_text().splitlines()  # this /proc still counts as the launcher does
    if f"PPid:\t{launcher}" not in status:
        os._exit(1)
    return os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)


def fork_apart(own_pids: int) -> int:
    """Fork a child that is process 1 of a new namespace; as `os.fork`.

    Raises:
        OSError: the kernel refused.
    """
    unshare(CLONE_NEWPID)
    try:
        pid = os.fork()
    except OSError:
        setns(own_pids, CLONE_NEWPID)
        raise
    if pid != 0:
        setns(own_pids, CLONE_NEWPID)
    return pid


def identities(proc: int) -> dict[str, str]:
    """Which namespaces this process is in, by kind; `proc` is a descriptor of /proc."""
    return {layer.value: os.readlink(f"self/ns/{name}", dir_fd=proc) for layer, name in FILES.items()}


def _flags(layers: Set[Layer]) -> int:
    flags = 0
    for layer in layers & set(FLAGS):
        flags |= FLAGS[layer]
    return flags


def _enter_user_namespace() -> None:
    """Be the same user, alone and with all capabilities, in a namespace of our own."""
    uid, gid = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _rehearse(layers: Set[Layer]) -> tuple[Layer, str] | None:
    """Enter the namespaces one by one; the first that fails, and why."""
    layer = Layer.USER_NAMESPACE
    try:
        if os.geteuid() != 0:
            _enter_user_namespace()
        for layer in sorted(layers):
            unshare(FLAGS[layer])
        if Layer.MOUNT_NAMESPACE in layers:
            layer = Layer.MOUNT_NAMESPACE
            stand_in_private_tree(library_paths())
        if Layer.PID_NAMESPACE in layers:
            layer = Layer.PID_NAMESPACE
            _end_child(os.fork())
    except OSError as error:
        # Without a user namespace an ordinary user gets no other: any of them carries the reason.
        return (min(layers) if layer is Layer.USER_NAMESPACE else layer), str(error)
    return None


def _end_child(pid: int) -> None:
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _in_child(action: Callable[[], tuple[Layer, str] | None]) -> tuple[str, str] | None:
    """What an action returns in a forked child that ends with it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            os.write(writing, json.dumps(action()).encode())
        os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], PROBE_SECONDS)
    said = os.read(reading, 65536) if ready else b""
    os.close(reading)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    if not said:
        raise OSError("the probe of namespaces died")
    answer = json.loads(said)
    return None if answer is None else (answer[0], answer[1])


def _wait_and_end(server: int, controller_pid: int) -> None:
    """The original process: nothing but the server's only link to the process tree."""
    os.closerange(0, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    watched = os.pidfd_open(server)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    while not poll.poll(CHECK_SECONDS * 1000):
        if os.getppid() != controller_pid:
            with suppress(ProcessLookupError):
                os.kill(server, signal.SIGKILL)
    _, status = os.waitpid(server, 0)
    os._exit(0 if status == 0 else 1)
