"""Runs the engine in namespaces of its own, so that an attack without a sandbox hits nobody else. Run with `python -m`.

Own processes (a kill of everything ends at its border), own queues and shared memory, an own /proc. When the guard's
process is killed, the kernel ends everything inside.
"""

import os
import signal
import sys

from evolve.testing.hostile import engine
from sandbox.kernel import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    PR_SET_PDEATHSIG,
    keep_capabilities,
    mount,
    prctl,
    unshare,
)


def main() -> int:
    """Enter the namespaces, run the engine as their second process, wait for it."""
    uid, gid = os.getuid(), os.getgid()
    unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | (CLONE_NEWUSER if uid else 0))
    if uid:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    pid = os.fork()
    if pid == 0:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        mount("none", "/", None, MS_REC | MS_PRIVATE)
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        if uid:
            keep_capabilities(0)
        _run_engine()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _run_engine() -> None:
    """Be the first process: start the engine, bury everybody, end with the engine."""
    pid = os.fork()
    if pid == 0:
        engine.main()
        os._exit(0)
    for descriptor in (0, 1):
        os.close(descriptor)
    while os.wait()[0] != pid:
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
