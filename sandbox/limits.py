"""What one isolated process may use."""

from dataclasses import dataclass

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hard limits of one isolated process; exceeding any of them fails the candidate, never the run.

    `wall_seconds` bounds each call (a call may ask for less with its own timeout), `cpu_seconds` the whole life of
    the process, `memory_bytes` what it may allocate beyond the warm server it was forked from, `output_bytes` what it
    prints, `result_bytes` one encoded answer.
    """

    wall_seconds: float = 10.0
    cpu_seconds: float = 60.0
    memory_bytes: int = 1024 * MEBIBYTE
    output_bytes: int = 64 * 1024
    result_bytes: int = 16 * MEBIBYTE
    n_threads: int = 1
