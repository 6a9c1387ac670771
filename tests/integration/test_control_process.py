"""Pause, kill, resume and stop with real processes: the end is that of a run that nobody touched.

Only with EVOLVE_ALL_TESTS: the loop's own tests (`tests/unit/loop/test_loop_control.py`) hold the same laws by default.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import UsageError
from evolve.store import RunReader
from evolve.store.state import current_state
from tests.extent import ALL_TESTS
from tests.marked_processes import wait_for

EVOLVE = [sys.executable, "-m", "evolve"]
N_EVALUATIONS = 150
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

pytestmark = pytest.mark.skipif(not ALL_TESTS, reason="takes minutes; EVOLVE_ALL_TESTS=1 asks for it")


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*EVOLVE, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)


def run_of(problem: Path, run_dir: Path) -> list[str]:
    options = ["--run-dir", str(run_dir), "--seed", "5", "--evaluations", str(N_EVALUATIONS), "--json"]
    return [*EVOLVE, "run", str(problem), *options]


def seen(run_dir: Path) -> tuple[str, int]:
    """State and evaluations, as anybody may read them."""
    try:
        reader = RunReader(run_dir)
    except UsageError:
        return "not there yet", 0
    try:
        return current_state(reader.sessions()), int(reader.counts()["evaluations"])
    finally:
        reader.close()


def last_line(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text.splitlines()[-1])
    return document


def test_a_run_that_is_paused_killed_resumed_paused_again_and_let_go_ends_like_one_left_alone(
    python_problem: Path, tmp_path: Path
) -> None:
    alone = subprocess.run(run_of(python_problem, tmp_path / "alone"), capture_output=True, text=True, check=True)
    expected = last_line(alone.stdout)["archive_hash"]
    run_dir = tmp_path / "run"

    with subprocess.Popen(run_of(python_problem, run_dir), **SILENT) as first:
        assert wait_for(lambda: seen(run_dir)[1] > 20)
        assert command("pause", run_dir, "--wait").returncode == 0
        assert seen(run_dir)[0] == "paused"
        first.kill()
    assert seen(run_dir)[0] == "crashed"

    resume = [*EVOLVE, "resume", str(run_dir), "--json"]
    with subprocess.Popen(resume, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as second:
        before = seen(run_dir)[1]
        assert wait_for(lambda: seen(run_dir)[1] > before)  # the request that lay there holds nobody up
        assert command("pause", run_dir, "--wait").returncode == 0
        assert command("resume", run_dir).returncode == 0
        assert second.stdout is not None
        summary = last_line(second.stdout.read())

    assert summary["stopped_by"] == "evaluations"
    assert summary["archive_hash"] == expected
    assert command("replay", run_dir).returncode == 0
    assert not (run_dir / "control.json").exists()


def test_a_run_that_is_asked_to_stop_can_be_resumed_to_the_same_end(python_problem: Path, tmp_path: Path) -> None:
    alone = subprocess.run(run_of(python_problem, tmp_path / "alone"), capture_output=True, text=True, check=True)
    run_dir = tmp_path / "run"

    with subprocess.Popen(run_of(python_problem, run_dir), **SILENT) as first:
        assert wait_for(lambda: seen(run_dir)[1] > 10)
        stopped = command("stop", run_dir, "--wait", "--json")
        assert first.wait(timeout=60) == 130

    assert last_line(stopped.stdout)["state"] == "stopped (request)"
    resumed = command("resume", run_dir, "--json")
    assert last_line(resumed.stdout)["archive_hash"] == last_line(alone.stdout)["archive_hash"]
