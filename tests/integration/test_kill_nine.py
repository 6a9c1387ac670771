"""kill -9 of the controller at 50 random moments: nothing acknowledged is lost, the end is the same."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import UsageError
from evolve.store import RunReader
from tests.marked_processes import leftovers, marked, wait_for

N_KILLS = 50
N_EVALUATIONS = 900
EVOLVE = [sys.executable, "-m", "evolve"]


def finished(arguments: list[str]) -> dict[str, Any]:
    done = subprocess.run([*EVOLVE, *arguments], capture_output=True, text=True, timeout=300, check=True)
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


def acknowledged(lines: list[str]) -> int:
    """The most evaluations that the controller ever said were done."""
    counts = [0]
    for line in lines:
        try:
            counts.append(int(json.loads(line).get("evaluations", 0) or 0))
        except ValueError:
            continue  # the kill cut this line
    return max(counts)


def run_until_killed(arguments: list[str], seconds: float) -> tuple[bool, int]:
    """Start the command, kill it after a while; whether it was killed in time, and what it had acknowledged."""
    with subprocess.Popen(
        [*EVOLVE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        lines = process.stdout.readlines()
        return process.wait() == -signal.SIGKILL, acknowledged(lines)


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
        "60s",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert wait_for(lambda: evaluations(tmp_path / "run") > 10)
        old = set(marked(folder)) - {process.pid}
        assert len(old) >= 8  # workers, guards, judging processes, servers
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
    except UsageError:
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
def test_fifty_kills_lose_nothing_and_change_nothing(python_problem: Path, tmp_path: Path) -> None:
    settings = ["--evaluations", str(N_EVALUATIONS), "--seed", "5", "--window", "4", "--json"]
    whole = finished(["run", str(python_problem), "--run-dir", str(tmp_path / "whole"), "--workers", "2", *settings])
    chance = random.Random(7)
    kills, attempt = 0, 0
    hashes = set()
    while kills < N_KILLS:
        attempt += 1
        run_dir = tmp_path / f"killed-{attempt}"
        start = ["run", str(python_problem), "--run-dir", str(run_dir), "--workers", "2", *settings]
        while kills < N_KILLS:
            arguments = ["resume", str(run_dir), "--json"] if (run_dir / "run.db").exists() else start
            killed, said = run_until_killed(arguments, chance.uniform(1.0, 2.5))
            if not killed:
                break
            kills += 1
            if said:
                reader = RunReader(run_dir)
                assert reader.counts()["evaluations"] >= said
                reader.close()
        hashes.add(finished(["resume", str(run_dir), "--json"])["archive_hash"])
    assert hashes == {whole["archive_hash"]}
