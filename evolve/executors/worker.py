"""A worker process: reads tasks from standard input, answers on standard output, ends with its controller."""

import ctypes
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import IO, Any

from evolve.executors.frames import HEADER_BYTES, decode, decode_length, encode

PR_SET_PDEATHSIG = 1
Handle = Callable[[str, Mapping[str, Any]], dict[str, Any]]


def main(handler: str, controller_pid: int) -> None:
    """Serve tasks with `handler` ("module:function") until standard input closes or the controller is gone."""
    end_with(controller_pid)
    requests, answers = claim_standard_streams()
    module, _, name = handler.partition(":")
    handle: Handle = getattr(importlib.import_module(module), name)
    while (message := read_frame(requests)) is not None:
        answers.write(_answer(handle, message))
        answers.flush()


def _answer(handle: Handle, message: Mapping[str, Any]) -> bytes:
    """The frame to send back; an answer that is no JSON data is the task's error too."""
    try:
        return encode({"answer": handle(message["task"], message["payload"])})
    except Exception:  # noqa: BLE001 (the worker reports whatever a task raises, and lives on)
        return encode({"error": traceback.format_exc(limit=12)[-8000:]})


def read_frame(stream: IO[bytes]) -> dict[str, Any] | None:
    """The next message, None at the end."""
    header = stream.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return None
    length = decode_length(header)
    body = stream.read(length)
    return decode(body) if len(body) == length else None


def claim_standard_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Keep the pipes for frames alone: whatever a task prints goes to standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.dup2(2, 1)
    os.close(devnull)
    return requests, answers


def end_with(controller_pid: int) -> None:
    """Ask the kernel to kill this process when the controller dies, also by kill -9 in mid-task (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != controller_pid:
        sys.exit(0)
