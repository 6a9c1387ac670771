"""The victim: a process that holds secrets and runs candidates, told what to do over a pipe. `python -m` runs it."""

import fcntl
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from evolve.testing.hostile import prelude
from evolve.testing.hostile.attack import SMALL, Visit
from evolve.testing.hostile.guest import Guest
from evolve.testing.hostile.peer import Peer
from sandbox.kernel import PR_SET_CHILD_SUBREAPER, prctl
from sandbox.layers import Layer
from sandbox.limits import MEBIBYTE, Limits

if TYPE_CHECKING:  # slow to import, threads of their own, and peers do without: imported where they are used
    from evolve.testing.hostile.judged import Judged
    from sandbox.process import ProcessSandbox

PRELOAD = ("ctypes", "fcntl", "mmap", "numpy", "platform", "resource", "select", "signal", "socket", "struct")
NEIGHBOUR_NUMBER = 9
NEIGHBOUR = """
import os
kept = []
def remember(secret):
    kept.append("kept " + secret)
    try:
        with open("notes.txt", "w") as file:
            file.write(secret)
    except OSError:
        pass
    return [os.getpid(), os.getcwd()]
def tell(secret):
    kept.append("before " + secret)
    return secret + " after"
def stay(world):
    return remember(world["secret"])
"""
_FUNCTIONS = {"clock": time.monotonic, "dumps": json.dumps, "loads": json.loads, "fork": os.fork}


def main() -> None:
    """Answer one request a line until the input ends; candidates inherit neither end of the pipe."""
    requests = os.fdopen(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 50), encoding="utf-8")
    replies = os.fdopen(fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 50), "w", encoding="utf-8")
    sys.dont_write_bytecode = True  # a folder of compiled files beside the evaluator would look like an attacker's
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # what a candidate leaves behind stays below this process, and is found there
    with ExitStack() as stack:
        _serve(requests, replies, Engine(stack))


def _serve(requests: TextIO, replies: TextIO, engine: "Engine") -> None:
    for line in requests:
        request = json.loads(line)
        reply = getattr(engine, request.pop("op"))(**request)
        replies.write(json.dumps(reply, default=repr) + "\n")
        replies.flush()


@dataclass(slots=True)
class Engine:
    """What it can be asked; what is opened stays open until the stack ends."""

    stack: ExitStack
    kept: list[str] = field(default_factory=list)
    sandbox: "ProcessSandbox | None" = None

    def open(
        self, *, secrets: Mapping[str, str], world: Mapping[str, Any], without: list[str], is_peer: bool
    ) -> dict[str, Any]:
        """Take in the secrets, start the sandbox, run an earlier candidate and one that stays.

        Returns:
            The level, its layers, and what to add to the knowledge of attackers.
        """
        self.kept.append(secrets["memory"])
        _keep_in_descriptor(secrets["descriptor"], Path(world["home"]))
        files = {"main.py": NEIGHBOUR}
        if is_peer:
            peer = Peer(files, SMALL, world, number=NEIGHBOUR_NUMBER)
            self.stack.callback(peer.end)
            peer.run(["stay"], {**world, "secret": secrets["neighbour"]})
            return {"level": "PEER", "layers": [], "knowledge": _whereabouts(peer.pid, world["work"])}
        self.sandbox = sandbox = self.stack.enter_context(_sandbox(without))
        with sandbox.start(files) as earlier:
            earlier.call("tell", secrets["earlier"])
        stays = self.stack.enter_context(sandbox.start(files, limits=replace(SMALL, scratch_bytes=MEBIBYTE)))
        return {
            "level": str(sandbox.level),
            "layers": sorted(map(str, sandbox.layers)),
            "knowledge": _whereabouts(*stays.call("remember", secrets["neighbour"])),
        }

    def attack(
        self,
        *,
        text: str,
        calls: list[str],
        limits: Mapping[str, Any],
        visit: str,
        world: dict[str, Any],
        is_forger: bool,
    ) -> dict[str, Any]:
        """Run one attack; the reports of its visitors, in order, and what was wrong while the first still ran."""
        files = {"main.py": text, prelude.NAME: prelude.TEXT}
        first = self._receive(files, Limits(**limits), world, number=1, is_forger=is_forger)
        reports = [first.run(calls, world)]
        wrong = _locked(world["database"])
        if visit == Visit.AFTER:
            reports[0]["output"] = first.end()
        if visit != Visit.NONE:
            known = {key: value for key, value in world.items() if key != "word"}
            second = self._receive(files, Limits(**limits), known, number=2)
            reports.append(second.run(["later"], known))
            reports[1]["output"] = second.end()
        if visit != Visit.AFTER:
            reports[0]["output"] = first.end()
        return {"reports": reports, "wrong": wrong}

    def portrait(self, *, key: int) -> dict[str, Any]:
        """What must not change in this process, as it sees itself."""
        functions = {"clock": time.monotonic, "dumps": json.dumps, "loads": json.loads, "fork": os.fork}
        return {
            "environment": dict(os.environ),
            "functions": [name for name, function in functions.items() if function is not _FUNCTIONS[name]],
            "open descriptors": len(os.listdir("/proc/self/fd")),
            "threads": threading.active_count(),
            "working folder": os.getcwd(),
            "shared memory and queues": _with_key(key),
            "limits": [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if "RLIMIT_" in name],
        }

    def _receive(
        self,
        files: Mapping[str, str],
        limits: Limits,
        world: Mapping[str, Any],
        *,
        number: int,
        is_forger: bool = False,
    ) -> "Guest | Judged | Peer":
        if self.sandbox is None:
            return Peer(files, limits, world, number=number)
        if is_forger:
            from evolve.testing.hostile.judged import Judged

            return Judged(self.sandbox, files, limits)
        return Guest(self.sandbox, files, limits)


def _sandbox(without: Sequence[str]) -> "ProcessSandbox":
    from sandbox.process import ProcessSandbox

    return ProcessSandbox(preload=PRELOAD, without=frozenset(map(Layer, without)), unsafe=True, n_parked=0)


def _whereabouts(pid: int, folder: str) -> dict[str, Any]:
    return {"engine_pid": os.getpid(), "neighbour_pid": pid, "neighbour_folder": folder}


def _keep_in_descriptor(secret: str, home: Path) -> None:
    """Leave a secret where only an inherited descriptor leads."""
    path = home / "token"
    path.write_text(secret)
    descriptor = os.open(path, os.O_RDONLY)
    path.unlink()
    os.set_inheritable(descriptor, True)


def _with_key(key: int) -> list[str]:
    """The kernel's shared objects that carry the world's number."""
    found = []
    for kind in ("shm", "sem", "msg"):
        with suppress(OSError):
            lines = Path("/proc/sysvipc", kind).read_text().splitlines()[1:]
            found += [f"{kind} {line.split()[1]}" for line in lines if int(line.split()[0]) == key]
    return found


def _locked(path: str) -> list[str]:
    """Whether somebody holds a lock that the engine needs."""
    with suppress(FileNotFoundError, PermissionError), open(path, "r+b") as file:
        for lock in (fcntl.flock, fcntl.lockf):
            try:
                lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return ["the database is locked"]
    return []


if __name__ == "__main__":
    main()
