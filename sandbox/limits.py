"""What one isolated process may use."""

from dataclasses import dataclass

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hard limits of one isolated process; exceeding any of them fails the candidate, never the run.

    `wall_seconds` bounds each call (a call may ask for less with its own timeout), `cpu_seconds` the whole life of
    the process, `memory_bytes` what it may allocate beyond the warm server it was forked from, `output_bytes` what it
    prints, `result_bytes` one encoded answer, `n_threads` the threads that libraries use by themselves, `n_processes`
    all threads together (there are no child processes, except at the level `WEAK`), `n_files` what it may hold open at
    once, `scratch_bytes` the private folder that is the only place where it can write (0: there is none),
    `gpu_memory_bytes` what it may take of all its graphics cards together (0: there is no such limit). `shared_bytes`
    is the size of the memory that it shares with whoever calls it, beside its own (0: there is none), and
    `gpu_shared_bytes` of that on its first graphics card, which only a process with shared memory can have.
    """

    wall_seconds: float = 10.0
    cpu_seconds: float = 60.0
    memory_bytes: int = 1024 * MEBIBYTE
    output_bytes: int = 64 * 1024
    result_bytes: int = 16 * MEBIBYTE
    n_threads: int = 1
    n_processes: int = 32
    n_files: int = 64
    scratch_bytes: int = 0
    gpu_memory_bytes: int = 0
    shared_bytes: int = 0
    gpu_shared_bytes: int = 0
