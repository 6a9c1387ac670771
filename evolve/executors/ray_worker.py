"""What runs in a Ray worker: it hands frames to a process of ours below it and brings bounded bytes back.

No code of a problem or a candidate runs in the Ray worker itself: what it answers is unpickled by the controller.
"""

import os
import platform
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from typing import Any

from evaluators.environment import scrubbed_environment
from evolve.executors.frames import HEADER_BYTES, decode_length, encode
from evolve.executors.shipping import arrived

POLL_SECONDS = 0.05
"""How soon a cancelled task notices: Ray interrupts Python code, not a read that blocks."""
DIED = "died"

_children: dict[str, "Child"] = {}


class ChildDiedError(Exception):
    """The process below ended before it answered."""


class Child:
    """A process of ours that serves frames, see `evolve.executors.worker`; it dies with the Ray worker."""

    def __init__(self, handler: str) -> None:
        code = f"from evolve.executors.worker import main; main({handler!r}, {os.getpid()})"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=scrubbed_environment(),
            start_new_session=True,
        )

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, frame: bytes) -> bytes:
        """Send a frame, wait for the body of the frame that answers it.

        Raises:
            ChildDiedError: there will be no answer.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(frame)
            self._process.stdin.flush()
            return self._read(decode_length(self._read(HEADER_BYTES)))
        except (OSError, ValueError) as error:
            raise ChildDiedError(str(error)) from error

    def _read(self, n_bytes: int) -> bytes:
        assert self._process.stdout is not None
        file, parts, left = self._process.stdout.fileno(), [], n_bytes
        while left:
            if not select.select([file], [], [], POLL_SECONDS)[0]:
                continue
            part = os.read(file, min(left, 1 << 20))
            if not part:
                raise ChildDiedError("it closed its pipe")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def end(self) -> int:
        """Kill the process with all of its session; its exit code."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        return code


def serve(handler: str, task: str, payload: Mapping[str, Any], *bundles: bytes) -> bytes:
    """Have a task done below this process; the body of an answer's frame, or `died` and how.

    `bundles` are the folders that the payload names by content, see `evolve.executors.shipping`.
    """
    frame = encode({"task": task, "payload": arrived(payload, bundles)})
    child = _child_for(handler)
    try:
        return child.ask(frame)
    except ChildDiedError as error:
        code = _children.pop(handler).end()
        return encode({DIED: f"{error} (exit code {code}) on {socket.gethostname()}"})[HEADER_BYTES:]
    except BaseException:  # a cancelled task: Ray interrupts this process, the work below must not go on
        _children.pop(handler).end()
        raise


def _child_for(handler: str) -> Child:
    """The warm process of this worker. One that died while it waited is replaced, and no task is blamed."""
    child = _children.get(handler)
    if child is None or not child.is_alive:
        if child is not None:
            child.end()
        child = _children[handler] = Child(handler)
    return child


def probe() -> bytes:
    """Whether a worker can run Evolve at all: its versions, as JSON."""
    facts = {"python": platform.python_version(), "evolve": metadata.version("evolve-discovery")}
    return encode(facts)[HEADER_BYTES:]
