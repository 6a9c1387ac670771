"""The controller's end of a fork server: starts it, sends it requests, notices its death, cleans up after it."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sandbox
from sandbox.errors import SandboxError
from sandbox.jail import N_UIDS, UNUSED_UIDS
from sandbox.limits import Limits
from sandbox.orphans import sweep
from sandbox.untrusted_text import tame

START_SECONDS = 120.0
REPLY_SECONDS = 30.0
END_SECONDS = 10.0
MESSAGE_BYTES = 65536
TOKEN_VARIABLE = "EVOLVE_SANDBOX"  # noqa: S105 a name, not a password
PASSED_ON = ("LD_LIBRARY_PATH", "TMPDIR")

# The server finds our package by its file and not by a folder on its path: candidates could import what lies beside it.
_BOOT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("sandbox", sys.argv[1])
sys.modules["sandbox"] = package = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
from sandbox.server import main
main(int(sys.argv[2]))
"""


class ServerLink:
    """One running fork server. Requests may come from any thread of the process that made it."""

    def __init__(self, preload: Sequence[str]) -> None:
        """Start a server and wait until it has imported `preload`.

        Raises:
            SandboxError: it did not come up; the text holds what it said.
        """
        self._token = secrets.token_hex(16)
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._is_lost = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-s", "-P", "-c", _BOOT, str(sandbox.__file__), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=_server_environment(self._token),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                cwd="/",
            )
        ready = self._await_ready({"token": self._token, "preload": list(preload)})
        self.measures: tuple[str, ...] = tuple(ready["measures"])
        self.rss_bytes: int = ready["rss_bytes"]
        self._folder = Path(ready["folder"])
        first_uid = ready["first_uid"] or 0
        self._uids = range(first_uid, first_uid + N_UIDS) if first_uid >= UNUSED_UIDS else range(0)

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    @property
    def lifeline(self) -> int:
        """A descriptor that hangs up when the server dies; not to be read or closed."""
        return self._control.fileno()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs, as far as can be told without asking it."""
        return not self._is_lost and self._process.poll() is None

    def start(self, limits: Limits, descriptors: Sequence[int]) -> int:
        """Fork a child that owns the three descriptors (requests, answers, output); returns the session's number.

        Raises:
            SandboxError: the server is gone or cannot fork.
        """
        return int(self._ask({"op": "start", "limits": asdict(limits)}, descriptors)["session"])

    def stop(self, session: int) -> dict[str, Any]:
        """Kill a session and everything it started, if it still runs, and tell how its process ended.

        Raises:
            SandboxError: the server is gone (the session is then dead too).
        """
        return self._ask({"op": "stop", "session": session})

    def close(self) -> None:
        """End the server and all its sessions; harmless when repeated."""
        self._control.close()
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if status != 0 and not self._is_lost:
            self._clean_up()
        self._is_lost = True

    def _await_ready(self, config: Mapping[str, Any]) -> dict[str, Any]:
        self._control.settimeout(START_SECONDS)
        try:
            self._control.send(json.dumps(config).encode())
            reply = self._control.recv(MESSAGE_BYTES)
        except OSError:
            reply = b""
        ready: dict[str, Any] = json.loads(reply) if reply else {}
        assert self._process.stderr is not None
        with self._process.stderr as errors:
            if "measures" in ready:
                self._control.settimeout(REPLY_SECONDS)
                return ready
            self._control.close()
            self._process.kill()
            said = errors.read().decode(errors="replace")
            self._process.wait()
        raise SandboxError(
            f"the sandbox's server did not start: {ready.get('error') or tame(said) or 'it said nothing'}"
        )

    def _ask(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        if os.getpid() != self._owner:
            raise SandboxError("this sandbox was opened before a fork: each process opens its own")
        with self._lock:
            if self._is_lost:
                raise SandboxError("the sandbox's server is gone")
            try:
                socket.send_fds(self._control, [json.dumps(message).encode()], descriptors)
                reply = self._control.recv(MESSAGE_BYTES)
            except OSError as error:
                reply = str(error).encode() if isinstance(error, TimeoutError) else b""
            if not reply.startswith(b"{"):
                self._bury()
                raise SandboxError(
                    "the sandbox's server died and took its sessions with it; the next start makes another"
                )
        answer: dict[str, Any] = json.loads(reply)
        if "error" in answer:
            raise SandboxError(answer["error"])
        return answer

    def _bury(self) -> None:
        """The server is dead or mute: end it, and what it can no longer end itself."""
        self._is_lost = True
        self._process.kill()
        self._process.wait()
        self._clean_up()

    def _clean_up(self) -> None:
        sweep(self._token, self._uids)
        shutil.rmtree(self._folder, ignore_errors=True)


def _server_environment(token: str) -> dict[str, str]:
    """Everything a server, and so a candidate, can learn from its environment: nothing of ours but these."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/",
        "PYTHONHASHSEED": "0",  # sets of text iterate alike in every run
        "OMP_NUM_THREADS": "1",  # a library that starts threads at import cannot be forked safely
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
        TOKEN_VARIABLE: token,
    }
    for name in PASSED_ON:
        with suppress(KeyError):
            environment[name] = os.environ[name]
    return environment
