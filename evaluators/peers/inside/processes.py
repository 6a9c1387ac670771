"""Processes for evaluators that start some: the sandbox allows none, so Python scripts run in a sandbox of their own.

A script that an evaluator starts with `subprocess` is told to the judge in the middle of a call: as the answer to it.
The judge runs the script in a fresh confined process with a copy of our files, and calls back with what came of it.
"""

import base64
import io
import json
import os
import shlex
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from evaluators.peers.inside import errands

REQUESTS, ANSWERS = 3, 4  # descriptors, see `sandbox.child`
PYTHONS = ("python", "python3", os.path.basename(sys.executable or "python"))
_HEADER, _TAG = struct.Struct("<IB"), ord("J")
_turn = threading.Lock()
_state: dict[str, Any] = {"can_ask": False}


class Process(subprocess.Popen):  # type: ignore[type-arg]  # so that it passes for one
    """Like `subprocess.Popen` for Python scripts; the script runs when its end is waited for."""

    def __init__(  # noqa: PLR0913, PLR0917 as in the standard library
        self,
        args: Any,
        bufsize: int = -1,
        executable: Any = None,
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
        preexec_fn: Any = None,
        close_fds: bool = True,
        shell: bool = False,
        cwd: Any = None,
        env: Mapping[str, str] | None = None,
        universal_newlines: bool | None = None,
        *unused: Any,
        text: bool | None = None,
        encoding: str | None = None,
        errors: str | None = None,
        **others: Any,
    ) -> None:
        del bufsize, executable, stdin, preexec_fn, close_fds, unused, others
        self.args = args
        self.returncode: int | None = None
        self.pid = 0
        self.stdin = None
        self._command = _command(args, shell=shell)
        self._wanted = (stdout, stderr)
        self._cwd = os.path.abspath(cwd or os.getcwd())
        self._env = dict(env) if env is not None else {}
        self._is_text = bool(text or universal_newlines or encoding or errors)
        self._parts: tuple[bytes, bytes] | None = None
        if not _state["can_ask"]:
            raise OSError(1, "Evolve starts no process for a process that an evaluator started")

    @property
    def stdout(self) -> Any:  # type: ignore[override]
        """What it printed, as a file."""
        return self._file(0)

    @property
    def stderr(self) -> Any:  # type: ignore[override]
        """The same of its other stream."""
        return self._file(1)

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[Any, Any]:  # noqa: A002
        """Run it to its end; gives what it printed where that was asked for."""
        self._run(input, timeout)
        out, err = (self._shown(index) for index in (0, 1))
        return out, err

    def wait(self, timeout: float | None = None) -> int:
        """Run it to its end; gives its exit status."""
        self._run(None, timeout)
        assert self.returncode is not None
        return self.returncode

    def poll(self) -> int | None:
        """Its exit status: nobody sees it half done."""
        return self.wait()

    def kill(self) -> None:
        """Not run it, if it was not run."""
        if self.returncode is None:
            self.returncode, self._parts = -9, (b"", b"")

    terminate = kill

    def send_signal(self, sig: int) -> None:
        """Every signal ends it."""
        del sig
        self.kill()

    def __exit__(self, *_: object) -> None:
        self.wait()

    def __del__(self, *_: object) -> None:
        """Nothing is left running."""

    def _run(self, given: Any, timeout: float | None) -> None:
        if self.returncode is not None:
            return
        data = given.encode() if isinstance(given, str) else bytes(given or b"")
        told = _ask({**self._command, "cwd": self._cwd, "env": self._env, "input": data, "seconds": timeout})
        if told.get("timed_out"):
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        out, err = (base64.b64decode(told.get(name, "")) for name in ("stdout", "stderr"))
        if self._wanted[1] == subprocess.STDOUT:
            out, err = out + err, b""
        self._parts, self.returncode = (out, err), int(told["status"])
        for index, stream in enumerate((sys.stdout, sys.stderr)):
            wanted = self._wanted[index]
            if wanted is None:
                stream.write(self._parts[index].decode(errors="replace"))
            elif not isinstance(wanted, int):
                _pass_on(wanted, self._parts[index])

    def _shown(self, index: int) -> Any:
        if self._wanted[index] != subprocess.PIPE:
            return None
        data = (self._parts or (b"", b""))[index]
        return data.decode(errors="replace") if self._is_text else data

    def _file(self, index: int) -> Any:
        if self._wanted[index] != subprocess.PIPE:
            return None
        self._run(None, None)
        shown = self._shown(index)
        return io.StringIO(shown) if self._is_text else io.BytesIO(shown)


def install(scratch: str, *, can_ask: bool) -> None:
    """Make `subprocess` ask the judge; `scratch` holds all files that a script may see."""
    _state.update(can_ask=can_ask, before=errands.snapshot(scratch), scratch=scratch)
    subprocess.Popen = Process  # type: ignore[misc,assignment]
    os.system = lambda command: subprocess.call(command, shell=True)  # noqa: S602 it reaches no shell


def _command(args: Any, *, shell: bool) -> dict[str, Any]:
    """What to run, if it is Python.

    Raises:
        FileNotFoundError: it is another program, and none is there.
    """
    words = shlex.split(os.fsdecode(args)) if shell or isinstance(args, str | bytes) else [os.fsdecode(a) for a in args]
    if not words or os.path.basename(words[0]) not in PYTHONS:
        name = words[0] if words else ""
        raise FileNotFoundError(2, "the sandbox has no such program, it has Python only", name)
    rest = words[1:]
    while rest and rest[0].startswith("-") and rest[0] not in ("-c", "-m"):
        rest = rest[1:]
    if not rest or (rest[0] in ("-c", "-m") and len(rest) == 1):
        raise FileNotFoundError(2, "Python was given nothing to run", " ".join(words))
    kind = {"-c": "code", "-m": "module"}.get(rest[0], "file")
    return {
        "kind": kind,
        "what": rest[0] if kind == "file" else rest[1],
        "arguments": rest[1 if kind == "file" else 2 :],
    }


def _ask(errand: Mapping[str, Any]) -> Mapping[str, Any]:
    """Have the judge do this; one at a time."""
    with _turn:
        before = _state["before"]
        now = errands.snapshot(_state["scratch"])
        files = errands.changed(_state["scratch"], before, now)
        errand = {**errand, "input": base64.b64encode(errand["input"]).decode(), "files": files}
        sys.stdout.flush()
        _write({"errand": errand})
        told = _read()
        errands.apply(_state["scratch"], told.get("files", {}))
        return told


def _write(value: Any) -> None:
    text = json.dumps(["ok", value]).encode()
    message = memoryview(_HEADER.pack(len(text) + 1, _TAG) + text)
    while message:
        message = message[os.write(ANSWERS, message) :]


def _read() -> Mapping[str, Any]:
    size, _ = _HEADER.unpack(_exactly(_HEADER.size))
    _, _, [told] = json.loads(_exactly(size - 1))
    return told  # type: ignore[no-any-return]


def _exactly(size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = os.read(REQUESTS, size - len(data))
        if not chunk:
            os._exit(0)  # nobody waits for us any more
        data += chunk
    return bytes(data)


def _pass_on(stream: Any, data: bytes) -> None:
    try:
        stream.write(data)
    except TypeError:
        stream.write(data.decode(errors="replace"))


__all__: Sequence[str] = ("Process", "install")
