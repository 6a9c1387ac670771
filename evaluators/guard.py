"""The first process of a judge: starts the judging process below it, and leaves nothing behind when either end is gone.

Whatever an evaluator starts falls to this process when its parent dies, so that a hang, a crash, or a `kill -9` of the
controller ends all of it. It imports next to nothing, and it never reads what passes through the pipes.
"""

import io
import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from sandbox.kernel import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl
from sandbox.orphans import TOKEN_VARIABLE, kill_orphans, own_children

ORDERLY_SECONDS = 0.5
SERVER_SECONDS = 2.0
ORPHAN_SECONDS = 5.0
POLL_SECONDS = 0.005


def main(requests: int, answers: int, stopwatch: int) -> NoReturn:
    """Fork the judging process, which owns these descriptors, and end with it, or when `requests` has no writer."""
    for descriptor in (requests, answers, stopwatch):
        os.set_inheritable(descriptor, False)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    guard_pid = os.getpid()
    judge = os.fork()
    if judge == 0:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard_pid:
            os._exit(0)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)  # what it printed before it hangs or crashes is to be told
        # Imported here, so that the guard stays small.
        from evaluators.judging import serve

        serve(requests, answers, stopwatch)
        sys.exit(0)
    for descriptor in (answers, stopwatch):
        os.close(descriptor)
    _wait_for_an_end(judge, requests)
    _end_like(_end_all(judge))


def _wait_for_an_end(judge: int, requests: int) -> None:
    """Return when the judging process has ended or the controller is gone; bury what falls to us meanwhile."""
    wake, child_ended = os.pipe()
    for descriptor in (wake, child_ended):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(child_ended)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(requests, 0)
    poll.register(wake, select.POLLIN)
    while not _has_ended(judge):
        if any(descriptor == requests for descriptor, _ in poll.poll()):
            return
        with suppress(BlockingIOError):
            os.read(wake, 4096)


def _has_ended(judge: int) -> bool:
    """Whether the judging process is dead; it stays unburied, so that its number cannot mean another process."""
    while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
        if ended.si_pid == judge:
            return True
        os.waitpid(ended.si_pid, 0)
    return False


def _end_all(judge: int) -> int:
    """Give the judging process a moment to end, then kill it and all that it started; returns its wait status."""
    deadline = time.monotonic() + ORDERLY_SECONDS
    while not _has_ended(judge) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    os.kill(judge, signal.SIGKILL)
    with suppress(ProcessLookupError):  # it had no time to found its group
        os.killpg(judge, signal.SIGKILL)
    _, status = os.waitpid(judge, 0)
    # A sandbox's server sees that its judge is gone; it is let time to end its candidates and to clean up after them.
    deadline = time.monotonic() + SERVER_SECONDS
    while any(map(is_server, own_children())) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    kill_orphans(set(), patience_seconds=ORPHAN_SECONDS)
    return status


def is_server(pid: int) -> bool:
    """Whether a child of ours is a sandbox's server that lives; whoever does not show its environment may be one."""
    try:
        return TOKEN_VARIABLE.encode() + b"=" in Path(f"/proc/{pid}/environ").read_bytes()
    except ProcessLookupError:  # dead, and buried by nobody but us
        return False
    except OSError:
        return True


def _end_like(status: int) -> NoReturn:
    """End as the judging process did, for the controller to see."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with suppress(OSError):  # SIGKILL has no handler to reset
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
