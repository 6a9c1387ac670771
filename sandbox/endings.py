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
from sandbox.limits import Limits

NEARLY_ALL = 0.75  # of memory; and of time, as the kernel ends a process by whole ticks and then tells what it ran


def error_of_end(ending: Mapping[str, Any], limits: Limits, tail: str) -> CandidateError:
    """The error that tells how a process ended which gave no answer.

    Args:
        ending: the server's last record of it.
        limits: what it was allowed.
        tail: its last words.
    """
    reason = ending.get("reason") or {}
    match reason.get("limit"):
        case "memory":
            used = reason["used"] >> 20
            return CandidateOutOfMemory(f"took {used} MiB, allowed are {limits.memory_bytes >> 20} MiB{tail}")
        case "processes":
            return CandidateProcessLimit(f"ran {reason['used']} threads, allowed are {limits.n_processes}{tail}")
        case "disk":
            return CandidateDiskLimit(f"wrote {reason['used']} bytes, allowed are {limits.scratch_bytes}{tail}")
        case "gpu_memory":
            used, allowed = reason["used"] >> 20, limits.gpu_memory_bytes >> 20
            return CandidateOutOfGpuMemory(f"took {used} MiB of GPU memory, allowed are {allowed} MiB{tail}")
    status = ending["status"]
    if status >= 0:
        return CandidateCrashed(f"the process ended with exit status {status} and gave no answer{tail}")
    return _error_of_signal(-status, ending, limits, tail)


def told_limit(kind: str, limits: Limits) -> str:
    """What to say before a candidate's own report that it met a limit: which, and its value."""
    match kind:
        case "memory":
            return f"more memory than the {limits.memory_bytes >> 20} MiB allowed: "
        case "processes":
            return f"more threads or processes than the {limits.n_processes} allowed: "
        case "files":
            return f"more open files than the {limits.n_files} allowed: "
        case "disk":
            return f"more in the scratch folder than the {limits.scratch_bytes} bytes allowed: "
        case "gpu_memory" if limits.gpu_memory_bytes:
            return f"more GPU memory than the {limits.gpu_memory_bytes >> 20} MiB allowed: "
    return ""


def _error_of_signal(number: int, ending: Mapping[str, Any], limits: Limits, tail: str) -> CandidateError:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    cpu_limit = math.ceil(limits.cpu_seconds)
    if number in (signal.SIGXCPU, signal.SIGKILL) and ending["cpu_seconds"] > NEARLY_ALL * cpu_limit:
        return CandidateOutOfCpu(f"used more than {cpu_limit} s of CPU time{tail}")
    if number == signal.SIGSYS:
        return CandidateForbidden(f"made a system call that no honest program makes{tail}")
    grown = ending["grown_bytes"]
    if grown > NEARLY_ALL * limits.memory_bytes:
        allowed = limits.memory_bytes >> 20
        return CandidateOutOfMemory(f"ended by {name} after taking {grown >> 20} MiB, allowed are {allowed} MiB{tail}")
    return CandidateCrashed(f"the process was ended by {name}{tail}")
