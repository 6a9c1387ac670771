"""Starting an isolated candidate beside starting a fresh interpreter: `python -m benchmarks.sandbox`."""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from sandbox.process import ProcessSandbox

N_SESSIONS = 300
N_CALLS = 3000
N_COLD = 8
FILES = {"main.py": "def f(x):\n    return x\n"}
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the table."""
    print(f"{'':46}{'wall p50 ms':>12}{'p90':>9}{'CPU ms':>9}")
    with ProcessSandbox() as sandbox:
        pid = sandbox.server_pid
        print(f"confined by {', '.join(sandbox.measures)}")
        row("start + trivial call + close", N_SESSIONS, lambda: one_session(sandbox), pid)
        sessions = []
        row("start alone", 50, lambda: sessions.append(sandbox.start(FILES)), pid)
        while sessions:
            sessions.pop().close()
        with sandbox.start(FILES) as session:
            row("further call, a number", N_CALLS, lambda: session.call("f", 1.5), pid)
            row("further call, 1,000 floats in a list", 300, lambda: session.call("f", [0.1] * 1000), pid)
            array = np.zeros(1 << 17)
            row("further call, 1 MiB array both ways", 100, lambda: session.call("f", array), pid)
    row("bare fork + exit + wait, from this process", N_SESSIONS, bare_fork)
    for text, name in (("pass", "cold python -I"), ("import numpy", "cold python -I with numpy")):
        command = [sys.executable, "-I", "-c", text]
        row(name, N_COLD, partial(subprocess.run, command, check=True))


def row(name: str, n_times: int, action: Callable[[], object], server_pid: int | None = None) -> None:
    """Measure an action and print one line; CPU time counts this process, its children and the server's."""
    walls = []
    before = cpu_seconds(server_pid)
    for _ in range(n_times):
        started = time.perf_counter()
        action()
        walls.append(time.perf_counter() - started)
    cpu = (cpu_seconds(server_pid) - before) / n_times
    deciles = statistics.quantiles(walls, n=10)
    print(f"{name:46}{statistics.median(walls) * 1e3:12.3f}{deciles[8] * 1e3:9.3f}{cpu * 1e3:9.3f}")


def one_session(sandbox: ProcessSandbox) -> None:
    """What judging the smallest candidate costs."""
    with sandbox.start(FILES) as session:
        session.call("f", 1)


def bare_fork() -> None:
    """The floor: a process that does nothing."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def cpu_seconds(server_pid: int | None) -> float:
    """User and system time of this process and its children, and of the server and the children it has buried."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    total = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    if server_pid is not None:
        words = Path(f"/proc/{server_pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, words[11:15])) / TICKS
    return total


if __name__ == "__main__":
    main()
