"""The runner's end of the engine: starts it, asks it, looks at it, buries it with everything it left."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evolve.testing.hostile import observe

SECRET_VARIABLE = "OPENAI_API_KEY"  # noqa: S105 a name
PASSED_ON = ("LD_LIBRARY_PATH", "TMPDIR", "PYTHONPATH", "COVERAGE_PROCESS_START")
START_SECONDS = 120.0
POLL_SECONDS = 0.02
END_SECONDS = 10.0
MODULES = {False: "evolve.testing.hostile.engine", True: "evolve.testing.hostile.guard"}


class ArenaError(Exception):
    """The suite itself cannot run here; the text says why. It says nothing about any attack."""


class Victim:
    """One engine process, in a guard if asked for; a candidate of it may do anything to it."""

    def __init__(self, *, secret: str, home: Path, is_guarded: bool) -> None:
        """Start it; `secret` is in its environment."""
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(home), SECRET_VARIABLE: secret}
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULES[is_guarded]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
        self._is_guarded = is_guarded
        self._received = bytearray()
        self.pid = 0

    def open(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Have it start its sandbox.

        Raises:
            ArenaError: it could not; the text is what it said.
        """
        reply = self.ask({"op": "open", **request}, seconds=START_SECONDS)
        if reply is None:
            self._process.kill()
            assert self._process.stderr is not None
            said = self._process.stderr.read().decode(errors="replace").strip().splitlines()
            raise ArenaError(said[-1] if said else "the engine does not start")
        below = observe.descendants(self._process.pid)
        inner = reply["knowledge"]["engine_pid"]
        self.pid = self._process.pid
        if self._is_guarded:
            self.pid = next(pid for pid in below if observe.innermost_pid(pid) == inner)
        return reply

    def ask(self, request: Mapping[str, Any], *, seconds: float) -> dict[str, Any] | None:
        """Its reply, or None when it is dead, stopped, or says nothing for so long."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return None
        while b"\n" not in self._received:
            if select.select([self._process.stdout], [], [], POLL_SECONDS)[0]:
                chunk = os.read(self._process.stdout.fileno(), 1 << 20)
                if not chunk:
                    return None
                self._received += chunk
            elif time.monotonic() > deadline or self._is_stopped():
                return None
        line, _, self._received = self._received.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def outside(self, marks: Iterable[str]) -> dict[str, str]:
        """What others see of it; nothing when it is gone."""
        with contextlib.suppress(OSError):
            return observe.portrait(self.pid, marks)
        return {}

    def processes(self) -> dict[int, str]:
        """Everything that runs below it."""
        top = self._process.pid if self._is_guarded else self.pid
        return {pid: name for pid, name in observe.descendants(top).items() if pid != self.pid}

    def kill(self, pids: Iterable[int]) -> None:
        """End processes that are below it."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Let it end by itself, or else end it and all below it."""
        below = []  # handles: when the engine is gone, the numbers of its processes may be those of others
        for pid in self.processes() if self.pid else ():
            with contextlib.suppress(OSError):
                below.append(os.pidfd_open(pid))
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.0 if self._is_stopped() else END_SECONDS)
        self._process.kill()
        self._process.wait()
        for handle in below:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _is_stopped(self) -> bool:
        return bool(self.pid) and self.outside(()).get("state") != "runs"
