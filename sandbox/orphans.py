"""Finds and kills processes that outlived the one that started them."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

TOKEN_VARIABLE = "EVOLVE_SANDBOX"  # noqa: S105 a name, not a password: by its value a server's processes are known
PATIENCE_SECONDS = 1.0
POLL_SECONDS = 0.005
DYING_SECONDS = 0.001
FEWEST_ROUNDS = 20


def kill_orphans(leaders: set[int], *, patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Kill and reap all children of this process but the leaders, and their children as they fall to us.

    This process must be a child subreaper. Every process it adopts is a runaway, whichever session it came from.

    Returns:
        How many are left when patience is at its end; more than none means that they multiply faster than they die, or
        that this process may not kill them.
    """
    deadline = time.monotonic() + patience_seconds
    n_rounds = 0
    while orphans := own_children() - leaders:
        for pid in orphans:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        are_buried = [_is_buried(pid) for pid in orphans]
        if not all(are_buried):
            time.sleep(DYING_SECONDS)
        n_rounds += 1
        if n_rounds >= FEWEST_ROUNDS and time.monotonic() > deadline:  # a machine that stood still lets nobody die
            return len(own_children() - leaders)
    return 0


def _is_buried(pid: int) -> bool:
    """Reap a child if it is dead; never waits, for it may be one that cannot be killed."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def own_children() -> set[int]:
    """The pids of this process's children, dead ones included."""
    pid = os.getpid()
    try:
        return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except FileNotFoundError:  # a kernel without that file, or a file tree without /proc
        return {other for other in _pids() if _parent_of(other) == pid}


def kill_uid(uid: int) -> None:
    """Kill all processes of a uid that only candidates have, at once, however fast they fork."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        except OSError:  # nobody left to kill
            os._exit(1)
        os._exit(0)
    os.waitpid(pid, 0)


def sweep(token: str, uids: range) -> int:
    """Kill what a dead server left behind; called by the controller.

    Its processes carry its token in the environment they were started with, or a uid out of its own range (empty when
    the range may be shared).

    Returns:
        How many processes were killed.
    """
    marker = token.encode()
    killed: set[int] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while found := {pid for pid in _pids() if _kill_if_marked(pid, marker, uids)}:
        killed |= found
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    return len(killed)


def _kill_if_marked(pid: int, marker: bytes, uids: range) -> bool:
    """Kill one process if it is the server's; the descriptor keeps its number from meaning another one meanwhile."""
    if pid == os.getpid():
        return False
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        is_marked = _is_marked(pid, marker, uids)
        if is_marked:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return is_marked


def _is_marked(pid: int, marker: bytes, uids: range) -> bool:
    folder = Path("/proc") / str(pid)
    lines = (folder / "status").read_bytes().splitlines()  # bytes: a process may call itself anything
    status = {name: rest.split() for name, _, rest in (line.partition(b":") for line in lines)}
    if status[b"State"][0] == b"Z":  # dead, and waiting for whoever adopted it
        return False
    return int(status[b"Uid"][0]) in uids or marker in (folder / "environ").read_bytes()


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except FileNotFoundError:
        return []


def _parent_of(pid: int) -> int:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2]
    except OSError:
        return -1
    return int(after_name.split()[1])
