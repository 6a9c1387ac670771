"""Names what ended a candidate's process, with the limit that it met and what it had used."""

import math
import signal
from collections.abc import Mapping
from typing import Any

from sandbox.errors import (
    CandidateCrashed,
    CandidateDiskLimit,
    CandidateError,
    CandidateForbidden,
    CandidateOutOfCpu,
    CandidateOutOfGpuMemory,
    CandidateOutOfMemory,
    CandidateProcessLimit,
)
from sandbox.filetree import N_SCRATCH_FILES
from sandbox.limits import Limits

_GPU_LIMIT = "[limits] gpu_memory_mb, or its share of the card"
NEARLY_ALL = 0.75  # of memory; and of time, as the kernel ends a process by whole ticks and then tells what it ran


def error_of_end(ending: Mapping[str, Any], limits: Limits, tail: str) -> CandidateError:
    """The error that tells how a process ended which gave no answer.

    Args:
        ending: the server's last record of it.
        limits: what it was allowed.
        tail: its last words.
    """
    reason = ending.get("reason") or {}
    if reason:
        return _error_of_watch(reason, limits, tail)
    status = ending["status"]
    if status >= 0:
        return CandidateCrashed(f"the process ended with exit status {status} and gave no answer{tail}")
    return _error_of_signal(-status, ending, limits, tail)


def told_limit(kind: str, limits: Limits) -> str:
    """What to say before a candidate's own report that it met a limit: which, and its value."""
    match kind:
        case "memory":
            return f"more memory than the {_mib(limits.memory_bytes)} allowed ([limits] memory_mb): "
        case "processes":
            return f"more threads or processes than the {limits.n_processes} allowed ([limits] n_processes): "
        case "files":
            return f"more open files than the {limits.n_files} allowed ([limits] n_files): "
        case "disk":
            return f"more in the scratch folder than the {_scratch(limits)} allowed ([limits] scratch_mb): "
        case "gpu_memory" if limits.gpu_memory_bytes:
            return f"more GPU memory than the {_mib(limits.gpu_memory_bytes)} allowed ({_GPU_LIMIT}): "
    return ""


def overdue(seconds: float, limits: Limits) -> str:
    """That no answer came within a call's time, and who set it."""
    source = "[limits] wall_seconds" if seconds == limits.wall_seconds else "the evaluator's timeout of this call"
    return f"no answer within {seconds:g} s ({source})"


def _error_of_watch(reason: Mapping[str, Any], limits: Limits, tail: str) -> CandidateError:
    used = reason["used"]
    match reason["limit"]:
        case "memory":
            text = f"took {_mib(used)} of memory, allowed are {_mib(limits.memory_bytes)} ([limits] memory_mb)"
            return CandidateOutOfMemory(text + tail)
        case "processes":
            text = f"ran {used} threads, allowed are {limits.n_processes} ([limits] n_processes)"
            return CandidateProcessLimit(text + tail)
        case "disk":
            return CandidateDiskLimit(f"wrote {used} bytes, allowed are {_scratch(limits)} ([limits] scratch_mb){tail}")
        case "gpu_memory":
            allowed = f"{_mib(limits.gpu_memory_bytes)} ({_GPU_LIMIT})"
            return CandidateOutOfGpuMemory(f"took {_mib(used)} of GPU memory, allowed are {allowed}{tail}")
    return CandidateCrashed(f"ended because it could not be watched: {reason['error']}{tail}")


def _error_of_signal(number: int, ending: Mapping[str, Any], limits: Limits, tail: str) -> CandidateError:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    cpu_limit = math.ceil(limits.cpu_seconds)
    if number in (signal.SIGXCPU, signal.SIGKILL) and ending["cpu_seconds"] > NEARLY_ALL * cpu_limit:
        return CandidateOutOfCpu(f"used more than {cpu_limit} s of CPU time ([limits] cpu_seconds){tail}")
    if number == signal.SIGSYS:
        return CandidateForbidden(f"made a system call that no honest program makes{tail}")
    grown = ending["grown_bytes"]
    if grown > NEARLY_ALL * limits.memory_bytes:
        allowed = f"{_mib(limits.memory_bytes)} ([limits] memory_mb)"
        return CandidateOutOfMemory(f"ended by {name} after taking {_mib(grown)}, allowed are {allowed}{tail}")
    return CandidateCrashed(f"the process was ended by {name}{tail}")


def _mib(n_bytes: int) -> str:
    return f"{n_bytes >> 20} MiB"


def _scratch(limits: Limits) -> str:
    return f"{limits.scratch_bytes} bytes or {N_SCRATCH_FILES} files"
