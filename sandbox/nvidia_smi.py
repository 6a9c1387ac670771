"""Questions to `nvidia-smi`, which may complain, hang, or not be there."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from sandbox.errors import SandboxError

ASK_SECONDS = 60.0  # a driver that is not kept awake wakes every card first
LAST_SECONDS = 1.0
ADVICE = "look at what `nvidia-smi` prints, or do without a graphics card"


def reason_of(error: SandboxError) -> str:
    """Why there are no cards, without what to do about it: for those who go on without."""
    return str(error).removesuffix(f": {ADVICE}").removesuffix(f": install one, or {ADVICE}")


def ask(program: str, question: str, *, seconds: float = ASK_SECONDS) -> list[list[str]]:
    """The table that `nvidia-smi` prints, without its head.

    Raises:
        SandboxError: it is not there, does not answer, or complains.
    """
    said = answer_of(program, [question, "--format=csv,noheader,nounits"], seconds=seconds)
    return [[word.strip() for word in line.split(",")] for line in said.splitlines() if line.strip()]


def answer_of(program: str, arguments: Sequence[str], *, seconds: float = ASK_SECONDS) -> str:
    """What `nvidia-smi` prints; one that hangs is left behind, also where the driver does not even let it die.

    Raises:
        SandboxError: it is not there, does not answer, or complains.
    """
    try:
        process = subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise SandboxError(f"there is no {program!r}, so no NVIDIA driver: install one, or {ADVICE}") from None
    except OSError as error:
        raise SandboxError(f"{program!r} does not answer ({error}): {ADVICE}") from None
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        _leave(process)
        raise SandboxError(f"{program!r} does not answer ({error}): {ADVICE}") from None
    said = out.decode(errors="replace")
    if process.returncode != 0:
        said += err.decode(errors="replace")
        why = said.strip()[:500] or process.returncode
        raise SandboxError(f"{program!r} found no working driver ({why}): {ADVICE}")
    return said


def _leave(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(LAST_SECONDS)
