"""What a process and everything it started use, read from /proc."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and all its living descendants, parents before children; empty when it is gone."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        text = " ".join(Path(f"/proc/{pid}/task/{thread}/children").read_text() for thread in threads)
    except OSError:
        return []
    return [pid] + [below for child in text.split() for below in tree(int(child))]


def server_of(pid: int) -> int:
    """The fork server at or below `pid`: the last process that has children, or the only one without."""
    parents = [each for each in tree(pid) if len(tree(each)) > 1]
    return parents[-1] if parents else tree(pid)[-1]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process tree: what lives, and what was waited for."""
    total = 0
    for each in tree(pid):
        try:
            words = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, words[11:15]))
    return total / TICKS


def rss_bytes(pid: int) -> int:
    """Resident memory of one process."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


def n_descriptors(pid: int) -> int:
    """How many descriptors a process holds."""
    return len(os.listdir(f"/proc/{pid}/fd"))
