"""How busy others keep this machine while something is timed."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_BUSY_FIELDS = (
    0,
    1,
    2,
    5,
    6,
    7,
)  # of /proc/stat: user, nice, system, two kinds of interrupts, stolen by other machines


@dataclass(frozen=True, slots=True)
class Moment:
    """What the machine's processors have worked since it started, and when; None where nobody tells."""

    at: float
    busy_seconds: float | None

    @classmethod
    def now(cls, path: Path = Path("/proc/stat")) -> Self:
        """The present one."""
        try:
            fields = path.read_text().split("\n", 1)[0].split()[1:]
            busy = sum(int(fields[place]) for place in _BUSY_FIELDS) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return cls(time.monotonic(), None)
        return cls(time.monotonic(), busy)


def busy_elsewhere(start: Moment, end: Moment, *, own_seconds: float, n_processors: int | None = None) -> float | None:
    """The part of all processors that others had between two moments, 0 to 1; None where nobody tells.

    `own_seconds` of processor time are those of whoever asks, and of what it timed.
    """
    if start.busy_seconds is None or end.busy_seconds is None or end.at <= start.at:
        return None
    there = (end.at - start.at) * (n_processors or os.cpu_count() or 1)
    return min(max((end.busy_seconds - start.busy_seconds - own_seconds) / there, 0.0), 1.0)
