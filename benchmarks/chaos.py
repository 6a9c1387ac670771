"""Honest candidates beside hostile ones in one pool: `python -m benchmarks.chaos [--seeds 3] [--rounds 4]`.

Threads share one sandbox; each is a slot that evaluates one candidate after the other. In a calm run all are honest; in
a chaotic one, 30 % hang, spin, ignore SIGTERM, stop themselves, fork, eat memory or crash, with a wall limit of 0.3 s.

"ratio" compares the throughput of honest candidates with the ideal for this mix, in which an honest one takes a slot as
long as in calm, and a hostile one until its limit or its own end: 1 means that noticing, killing and burying costs
nothing. "lost" is the share of all slot-seconds that hostile ones held beyond their limits. "strict" leaves the
hostile ones' allowance out on both sides: honest evaluations per remaining slot-second, against calm. Both ratios can
exceed 1, as hostile ones that sleep leave their share of the processors to the others. Calm and chaotic runs take
turns, so that other work on the machine slows both.
"""

import argparse
import os
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process_tree import n_descriptors, rss_bytes, server_of, tree
from sandbox.errors import CandidateError
from sandbox.limits import MEBIBYTE, Limits
from sandbox.process import ProcessSandbox

HOSTILE_SHARE = 0.3
WALL_SECONDS = 0.3
LIMITS = Limits(wall_seconds=WALL_SECONDS, memory_bytes=64 * MEBIBYTE)
HONEST = "def f(n):\n    return sum(i * i for i in range(n)) % 7\n"
N_SQUARES = 20_000  # about 1 ms of work
CALM_SECONDS, CHAOS_SECONDS = 1.5, 4.0
HOSTILE = {
    "sleeps": "import time\ndef f(n):\n    while True:\n        time.sleep(60)\n",
    "spins": "def f(n):\n    while True:\n        pass\n",
    "survives": (
        "import signal\n"
        "for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    try:\n        signal.signal(number, signal.SIG_IGN)\n    except (OSError, ValueError):\n        pass\n"
        "def f(n):\n    while True:\n        try:\n            while True:\n                pass\n"
        "        except BaseException:\n            pass\n"
    ),
    "stops": (
        "import os, signal\ndef f(n):\n    try:\n        os.kill(os.getpid(), signal.SIGSTOP)\n"
        "    except OSError:\n        pass\n    while True:\n        pass\n"
    ),
    "forks": (
        "import os, time\n"
        "def f(n):\n    while True:\n        try:\n            if os.fork() == 0:\n                os.setsid()\n"
        "                time.sleep(60)\n        except OSError:\n            time.sleep(0.01)\n"
    ),
    "eats": "def f(n):\n    held = []\n    while True:\n        held.append(bytearray(1 << 20))\n",
    "crashes": "import ctypes\ndef f(n):\n    return ctypes.string_at(0)\n",
}
TOKEN = b"EVOLVE_SANDBOX="


@dataclass(slots=True)
class Tally:
    """What the slots of one run did."""

    n_honest: int = 0
    n_hostile: int = 0
    n_wrong: int = 0
    slot_seconds: float = 0.0
    allowed_seconds: float = 0.0
    lost_seconds: float = 0.0
    worst_overtime: float = 0.0

    def add(self, other: "Tally") -> None:
        """Add another slot's."""
        self.n_honest += other.n_honest
        self.n_hostile += other.n_hostile
        self.n_wrong += other.n_wrong
        self.slot_seconds += other.slot_seconds
        self.allowed_seconds += other.allowed_seconds
        self.lost_seconds += other.lost_seconds
        self.worst_overtime = max(self.worst_overtime, other.worst_overtime)

    @property
    def rate(self) -> float:
        """Honest evaluations per slot-second that no hostile one was entitled to."""
        return self.n_honest / (self.slot_seconds - self.allowed_seconds)

    def ratio(self, calm: "Tally") -> float:
        """Throughput against the ideal for this mix; see above."""
        return (self.n_honest / calm.rate + self.allowed_seconds) / self.slot_seconds


def main() -> None:
    """Print one line per number of slots and seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=4, help="of a calm and a chaotic run each")
    parser.add_argument("--slots", type=int, nargs="+", default=[2, 4, 8])
    arguments = parser.parse_args()
    columns = ["slots", "seed", "calm/s", "honest/s", "hostile", "ratio", "strict", "lost", "late ms", "orphans"]
    columns += ["RSS MiB", "files"]
    print("".join(f"{name:>9}" for name in columns))
    for n_slots in arguments.slots:
        ratios = [one_line(n_slots, seed, arguments.rounds) for seed in range(arguments.seeds)]
        print(f"{n_slots:9d}    median ratio {statistics.median(ratios):.3f}, lowest {min(ratios):.3f}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def one_line(n_slots: int, seed: int, n_rounds: int) -> float:
    """Calm and chaos by turns in one sandbox; returns the ratio."""
    calm, chaos = Tally(), Tally()
    with ProcessSandbox(limits=LIMITS) as sandbox:
        run(sandbox, n_slots, f"{seed}", seconds=1.0, hostile_share=HOSTILE_SHARE)
        server, mark = server_of(sandbox.server_pid), mark_of(sandbox.server_pid)
        rss, files, n_processes = rss_bytes(server), n_descriptors(server), most_processes(sandbox)
        for number in range(n_rounds):
            calm.add(run(sandbox, n_slots, f"{seed} {number}", seconds=CALM_SECONDS, hostile_share=0.0))
            chaos.add(run(sandbox, n_slots, f"{seed} {number}", seconds=CHAOS_SECONDS, hostile_share=HOSTILE_SHARE))
        n_orphans = most_processes(sandbox) - n_processes
        growth, more_files = (rss_bytes(server) - rss) / MEBIBYTE, n_descriptors(server) - files
    n_orphans += n_marked(mark)
    ratio = chaos.ratio(calm)
    numbers = f"{calm.rate * n_slots:9.1f}{chaos.n_honest / chaos.slot_seconds * n_slots:9.1f}{chaos.n_hostile:9d}"
    ratios = f"{ratio:9.3f}{chaos.rate / calm.rate:9.3f}{chaos.lost_seconds / chaos.slot_seconds:9.1%}"
    left = f"{chaos.worst_overtime * 1e3:9.0f}{n_orphans:9d}{growth:+9.2f}{more_files:+9d}"
    print(f"{n_slots:9d}{seed:9d}{numbers}{ratios}{left}")
    if calm.n_wrong + chaos.n_wrong:
        print(f"honest candidates failed: {calm.n_wrong} in calm, {chaos.n_wrong} in chaos")
    return ratio


def run(sandbox: ProcessSandbox, n_slots: int, seed: str, *, seconds: float, hostile_share: float) -> Tally:
    """Keep all slots busy for that long."""
    deadline = time.monotonic() + seconds
    with ThreadPoolExecutor(n_slots) as threads:
        slots = [
            threads.submit(one_slot, sandbox, random.Random(f"{seed} {number}"), deadline, hostile_share)
            for number in range(n_slots)
        ]
    total = Tally()
    for slot in slots:
        total.add(slot.result())
    return total


def one_slot(sandbox: ProcessSandbox, rng: random.Random, deadline: float, hostile_share: float) -> Tally:
    """Evaluate one candidate after the other until the deadline."""
    tally = Tally()
    started = time.monotonic()
    while (now := time.monotonic()) < deadline:
        if rng.random() >= hostile_share:
            is_right = evaluate(sandbox, HONEST) == sum(i * i for i in range(N_SQUARES)) % 7
            tally.n_honest += is_right
            tally.n_wrong += not is_right
            continue
        evaluate(sandbox, HOSTILE[rng.choice(sorted(HOSTILE))])
        taken = time.monotonic() - now
        tally.n_hostile += 1
        tally.allowed_seconds += min(taken, WALL_SECONDS)
        tally.lost_seconds += max(taken - WALL_SECONDS, 0.0)
        tally.worst_overtime = max(tally.worst_overtime, taken - WALL_SECONDS)
    tally.slot_seconds = time.monotonic() - started
    return tally


def evaluate(sandbox: ProcessSandbox, text: str) -> object:
    """The answer of a fresh candidate, or how it failed."""
    try:
        with sandbox.start({"main.py": text}) as session:
            return session.call("f", N_SQUARES)
    except CandidateError as error:
        return error


def most_processes(sandbox: ProcessSandbox) -> int:
    """How many processes the sandbox has when nothing runs and as many as ever wait for a candidate."""
    most = 0
    for _ in range(12):
        evaluate(sandbox, HONEST)
        time.sleep(0.05)  # for the server to park and to bury
        most = max(most, len(tree(sandbox.server_pid)))
    return most


def mark_of(server_pid: int) -> bytes:
    """What the environment of everything has that this server started."""
    variables = Path(f"/proc/{server_pid}/environ").read_bytes().split(b"\0")
    return next(variable for variable in variables if variable.startswith(TOKEN))


def n_marked(mark: bytes) -> int:
    """How many processes on the machine carry a mark."""
    n_found = 0
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError):
            n_found += mark in Path(f"/proc/{name}/environ").read_bytes()
    return n_found


if __name__ == "__main__":
    main()
