"""kill -9 of the controller in every phase of a run: nothing acknowledged is lost, the end is the same.

Each phase is hit once by default, five times with EVOLVE_ALL_TESTS in the environment.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import UsageError
from evolve.store import RunReader
from tests.extent import ALL_TESTS
from tests.marked_processes import leftovers, marked, wait_for

N_ROUNDS = 5 if ALL_TESTS else 1
N_EVALUATIONS = 240 if ALL_TESTS else 120
EVOLVE = [sys.executable, "-m", "evolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When to kill: after so many lines, then so many more evaluations; and a random while of at most `jitter_seconds`.

    With `before_end`, so many evaluations before the end instead.
    """

    lines: int = 1
    more: int = 0
    before_end: int | None = None
    jitter_seconds: float = 0.05


START_UP = Moment(lines=0, jitter_seconds=1.0)
MOMENTS = (
    START_UP,  # of a new run: nothing is on disk, or half of it
    Moment(lines=1),  # the run is announced: its seed program is judged, workers start
    START_UP,  # of a resumed run, or again of a new one
    Moment(lines=2),  # the seed is announced: the first iterations are planned
    Moment(lines=1),
    *(Moment(more=more) for more in (1, 4, 15, 40)),  # evaluations are told, in flight, and on the way to the disk
    Moment(before_end=8),  # what is in flight is more than the budget
)


def finished(arguments: list[str]) -> dict[str, Any]:
    done = subprocess.run([*EVOLVE, *arguments], capture_output=True, text=True, timeout=300, check=True)
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


def evaluations_in(line: str) -> int:
    """The evaluations that a line of the controller says were done."""
    try:
        return int(json.loads(line).get("evaluations", 0) or 0)
    except ValueError:
        return 0  # the kill cut this line


def read_until(moment: Moment, lines: Iterable[str]) -> int:
    """Read the controller's lines until a moment has come; returns the most evaluations that they said were done."""
    said, first, n_lines = 0, None, 0
    for n_lines, line in enumerate(lines, start=1):
        said = max(said, evaluations_in(line))
        first = said if first is None else first
        wanted = first + moment.more if moment.before_end is None else N_EVALUATIONS - moment.before_end
        if n_lines >= moment.lines and said >= wanted:
            break
    return said


def run_until_killed(arguments: list[str], moment: Moment, chance: random.Random) -> tuple[bool, int]:
    """Start the command, kill it at a moment; whether it was killed in time, and what it had acknowledged."""
    with subprocess.Popen(
        [*EVOLVE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        said = read_until(moment, process.stdout) if moment.lines else 0
        time.sleep(chance.uniform(0.0, moment.jitter_seconds))
        os.kill(process.pid, signal.SIGKILL)
        said = max([said, *map(evaluations_in, process.stdout.readlines())])
        return process.wait() == -signal.SIGKILL, said


@pytest.mark.parametrize("victim", ["controller", "worker"])
def test_a_killed_run_leaves_no_process(
    python_problem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    command = [
        *EVOLVE,
        "run",
        str(python_problem),
        "--run-dir",
        str(tmp_path / "run"),
        "--workers",
        "2",
        "--time",
        "10m",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert wait_for(lambda: evaluations(tmp_path / "run") > 10)
        assert wait_for(lambda: len(marked(folder)) > 8)  # this one, workers, guards, judging processes, servers
        old = set(marked(folder)) - {process.pid}
        if victim == "worker":
            worker = next(
                int(word) for word in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            )
            below = [pid for pid in old if is_below(pid, worker)]
            os.kill(worker, signal.SIGKILL)
            assert wait_for(lambda: not {worker, *below} & set(marked(folder)))
        process.kill()

    assert leftovers(folder) == []
    assert (
        finished(["resume", str(tmp_path / "run"), "--evaluations", "1", "--time", "1s", "--json"])["evaluations"] > 10
    )


def evaluations(run_dir: Path) -> int:
    try:
        reader = RunReader(run_dir)
    except UsageError:  # not there yet, or not all of it
        return 0
    n: int = reader.counts()["evaluations"]
    reader.close()
    return n


def is_below(pid: int, ancestor: int) -> bool:
    """Whether one process descends from another."""
    try:
        while pid > 1 and pid != ancestor:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return False
    return pid == ancestor


@pytest.mark.slow
def test_kills_in_every_phase_lose_nothing_and_change_nothing(python_problem: Path, tmp_path: Path) -> None:
    settings = ["--evaluations", str(N_EVALUATIONS), "--seed", "5", "--window", "4", "--json"]
    whole = finished(["run", str(python_problem), "--run-dir", str(tmp_path / "whole"), "--workers", "2", *settings])
    chance = random.Random(7)
    n_kills = 0
    for round_ in range(N_ROUNDS):
        run_dir = tmp_path / f"killed-{round_}"
        start = ["run", str(python_problem), "--run-dir", str(run_dir), "--workers", "2", *settings]
        for moment in MOMENTS:
            arguments = ["resume", str(run_dir), "--json"] if (run_dir / "run.db").exists() else start
            killed, said = run_until_killed(arguments, moment, chance)
            n_kills += killed
            if said:
                reader = RunReader(run_dir)
                assert reader.counts()["evaluations"] >= said
                reader.close()
        assert finished(["resume", str(run_dir), "--json"])["archive_hash"] == whole["archive_hash"]
    assert n_kills >= N_ROUNDS * len(MOMENTS) / 2  # the last ones may come too late
