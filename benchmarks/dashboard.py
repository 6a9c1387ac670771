"""How fast the dashboard is on a long run, measured as a user sees it: through a terminal of 120 x 40.

    python -m benchmarks.long_run /tmp/long          # once: a run of 1,000,000 candidates
    python -m benchmarks.dashboard /tmp/long [--repeats 5]

`evolve dashboard` runs as it does for users, on a pseudo terminal. A figure is the time from a key (or the start of the
process) until the words that belong to the finished screen have come out of it. "Cold" drops the file from the
machine's cache first. Memory is what the kernel counts for the process.
"""

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from statistics import median

COLUMNS, LINES = 120, 40
PATIENCE_SECONDS = 60.0
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?<>=]*[a-zA-Z]|\][^\x07]*\x07|.)")
KEYS = {"enter": "\r", "down": "\x1b[B", "page down": "\x1b[6~", "escape": "\x1b"}
N_KEYS = 40


class Terminal:
    """The dashboard on a pseudo terminal; what it draws is read as plain text."""

    def __init__(self, run: Path) -> None:
        self.started = time.monotonic()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
            for name in ("CI", "NO_COLOR"):
                environment.pop(name, None)
            os.execve(sys.executable, [sys.executable, "-m", "evolve", "dashboard", str(run)], environment)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.text = ""

    def read(self, seconds: float) -> bool:
        """Take what comes within a while; returns whether anything did."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            self.text += _ESCAPES.sub("", os.read(self._master, 1 << 20).decode("utf-8", "replace"))
        except OSError:
            raise SystemExit(f"the dashboard ended:\n{self.text[-2000:]}") from None
        return True

    def until(self, *words: str) -> float:
        """The time at which all these words have been drawn since the last key."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(re.search(each, self.text) for each in words):
            if time.monotonic() > deadline:
                raise SystemExit(f"{words} did not come within {PATIENCE_SECONDS:.0f} s:\n{self.text[-3000:]}")
            self.read(0.5)
        return time.monotonic()

    def press(self, *keys: str) -> float:
        """Type keys into a screen that is at rest; returns when."""
        while self.read(0.05):
            pass
        self.text = ""
        pressed = time.monotonic()
        os.write(self._master, "".join(KEYS.get(key, key) for key in keys).encode())
        return pressed

    def seconds(self, keys: tuple[str, ...], *words: str) -> tuple[float, float]:
        """How long keys take until the words are there, and the processor time of it."""
        before = self.processor_seconds()
        pressed = self.press(*keys)
        return self.until(*words) - pressed, self.processor_seconds() - before

    def memory(self) -> dict[str, float]:
        """Resident memory now and at its peak, in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
        return {name: int(kib) / 1024 for name, kib in found.items()}

    def processor_seconds(self) -> float:
        """What the process has used so far, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the process."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._master)


def forget(path: Path) -> None:
    """Drop a file from the machine's cache."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def opened(run: Path, *, cold: bool) -> tuple[Terminal, float]:
    """Open the dashboard; how long until its first full picture."""
    if cold:
        forget(run / "run.db")
    terminal = Terminal(run)
    return terminal, terminal.until("latest events", "quit") - terminal.started


Figures = dict[str, tuple[float, float | None]]
"""By what was done: seconds and processor seconds, or MiB."""

STEPS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("map", ("2",), ("coloured by score",)),
    ("elites, best first", ("3",), ("by score, largest first",)),
    ("all candidates, newest first", ("a",), ("by id, largest first",)),
    ("turn a page", ("]",), (r"201.400 of",)),
    ("go to the last page", ("}",), (r"[0-9,]+.[0-9,]+ of",)),
    ("sort all by score", ("s", "enter"), ("by score, largest first",)),
    ("sort all by generation (no index)", ("s", "down", "down", "enter"), ("by generation",)),
    ("best program", ("4",), ("def", "code")),
    ("its lineage", ("5",), ("lineage of candidate",)),
    ("operators and models, counted to the end", ("6",), (r"operators +(?!counted)", "USD")),
    ("failures, grouped to the end", ("7",), (r"kinds by what they say +(?!;)",)),
    ("log", ("9",), ("times in UTC",)),
)


def session(run: Path) -> Figures:
    """Walk through the screens once."""
    terminal, first = opened(run, cold=False)
    figures: Figures = {"open, to the first full picture": (first, terminal.processor_seconds())}
    opening = terminal.memory()["VmRSS"]
    for name, keys, words in STEPS:
        figures[name] = terminal.seconds(keys, *words)
    terminal.seconds(("3", "a"), "elites")
    for name in ("down", "page down"):
        answer = median(_answer(terminal, name) for _ in range(N_KEYS))
        figures[f"scroll: {name} key, median of {N_KEYS}"] = (answer, None)
    memory = terminal.memory()
    figures["memory after opening, MiB"] = (opening, None)
    figures["memory at the end, MiB"] = (memory["VmRSS"], None)
    figures["memory at its peak, MiB"] = (memory["VmHWM"], None)
    terminal.close()
    return figures


def _answer(terminal: Terminal, key: str) -> float:
    """The time from a key to the first thing drawn for it."""
    pressed = terminal.press(key)
    terminal.read(2.0)
    return time.monotonic() - pressed


def opened_cold(run: Path) -> tuple[float, float]:
    """Open it once with its file not in the machine's cache."""
    terminal, seconds = opened(run, cold=True)
    used = terminal.processor_seconds()
    terminal.close()
    return seconds, used


def middle(found: list[tuple[float, float | None]]) -> tuple[float, float | None]:
    """The medians of both columns."""
    used = [each for _, each in found if each is not None]
    return median(value for value, _ in found), median(used) if used else None


def main() -> None:
    """Print the figures as a table, medians over the repeats."""
    parser = argparse.ArgumentParser(description="measure the dashboard on a long run")
    parser.add_argument("run", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    walks = [session(asked.run) for _ in range(asked.repeats)]
    figures = {name: middle([walk[name] for walk in walks]) for name in walks[0]}
    cold: list[tuple[float, float | None]] = [opened_cold(asked.run) for _ in range(asked.repeats)]
    figures["open, run.db not in the machine's cache"] = middle(cold)
    print(f"load of the machine after: {os.getloadavg()[0]:.1f}")
    print("| what | time | processor time |\n|---|---:|---:|")
    for name, (value, used) in figures.items():
        shown = f"{value:,.0f} MiB" if name.endswith("MiB") else _duration(value)
        print(f"| {name.removesuffix(', MiB')} | {shown} | {'' if used is None else _duration(used)} |")


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1e3:.0f} ms"


if __name__ == "__main__":
    main()
