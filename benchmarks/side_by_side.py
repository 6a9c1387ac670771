"""Rows of a table whose cases are measured in turns, so that a busy machine slows all of them alike."""

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.process_tree import cpu_seconds

NAME_WIDTH = 62
Measurement = tuple[list[float], float]
"""Wall seconds of each of n runs, CPU seconds of one run on average."""


@dataclass(slots=True)
class Case:
    """One row: runs something so many times in each round."""

    name: str
    n_times: int
    run: Callable[[int], Measurement]
    target: str = ""
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """One round."""
        walls, cpu = self.run(self.n_times)
        self.walls += walls
        self.cpus.append(cpu)

    @property
    def cpu_ms(self) -> float:
        """CPU time of one run, median of the rounds."""
        return statistics.median(self.cpus) * 1e3

    @property
    def wall_ms(self) -> float:
        """Wall time of one run, median of all."""
        return statistics.median(self.walls) * 1e3

    def row(self) -> str:
        """One line of the table."""
        best = min(self.walls) * 1e3
        return f"{self.name:{NAME_WIDTH}}{best:10.3f}{self.wall_ms:10.3f}{self.cpu_ms:10.3f}   {self.target}".rstrip()


HEADER = f"{'milliseconds':{NAME_WIDTH}}{'wall best':>10}{'wall p50':>10}{'CPU':>10}   target"


def timed(action: Callable[[], object], *, pid: int | None = None) -> Callable[[int], Measurement]:
    """Measure an action; CPU time counts this process, its children and the tree below `pid`."""

    def run(n_times: int) -> Measurement:
        walls = []
        before = total_cpu_seconds(pid)
        for _ in range(n_times):
            started = time.perf_counter()
            action()
            walls.append(time.perf_counter() - started)
        return walls, (total_cpu_seconds(pid) - before) / n_times

    return run


def total_cpu_seconds(pid: int | None) -> float:
    """User and system time of this process, of the children that it waited for, and of the tree below `pid`."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    below = cpu_seconds(pid) if pid is not None else 0.0
    return time.process_time() + usage.ru_utime + usage.ru_stime + below
