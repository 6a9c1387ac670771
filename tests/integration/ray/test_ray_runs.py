"""Whole runs on Ray: whatever happens to its workers and nodes, the archive is that of an undisturbed local run."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evolve.config.problem import load_problem
from evolve.loop import RunOptions, RunSummary, start_run
from evolve.loop.events import Event
from evolve.store import RunReader
from tests.extent import ALL_TESTS
from tests.integration.ray.clusters import NODE, cluster_of

pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.skipif(not ALL_TESTS, reason="a cluster of four nodes: only with EVOLVE_ALL_TESTS=1"),
]
EVALUATIONS = 60


class Disturbance:
    """A listener that does something, until it is done, once so many evaluations are told; it remembers what it saw."""

    def __init__(self, act: Callable[[], bool], *, after: int) -> None:
        self._act, self._after, self.was_done = act, after, False
        self.lost: list[int] = []

    def __call__(self, event: Event) -> None:
        if event.kind == "progress":
            self.lost.append(event.data["lost_workers"])
            if event.data["evaluations"] >= self._after and not self.was_done:
                self.was_done = self._act()


def run(problem: Path, folder: Path, listener: Any = lambda event: None, **options: Any) -> RunSummary:
    given = RunOptions(rng_seed=3, evaluations=EVALUATIONS, window=8, unsafe_sandbox=True, **options)
    return start_run(load_problem(str(problem)), folder, given, listener)


def slowed(problem: Path) -> Path:
    """Evaluations that take a fifth of a second, so that something is in flight when a node goes."""
    judge = problem / "evaluate.py"
    text = judge.read_text(encoding="utf-8")
    nap = "def evaluate(candidate):\n    time.sleep(0.2)\n"
    judge.write_text("import time\n" + text.replace("def evaluate(candidate):\n", nap), encoding="utf-8")
    return problem


def failures(folder: Path) -> list[dict[str, Any]]:
    reader = RunReader(folder)
    try:
        return reader.failures()
    finally:
        reader.close()


def ray_workers() -> list[int]:
    """Ray workers that descend from this process and are in a task."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _command(int(entry.name)).startswith("ray::serve") and _is_ours(int(entry.name)):
            found.append(int(entry.name))
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
    except OSError:
        return ""


def _is_ours(pid: int) -> bool:
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])
        except OSError:
            return False
    return False


def test_a_removed_node_a_new_node_and_a_killed_worker_lose_nothing(python_problem: Path, tmp_path: Path) -> None:
    problem = slowed(python_problem)
    undisturbed = run(problem, tmp_path / "local", workers=2)
    with cluster_of(head_cpus=0, nodes=3) as cluster:
        killed: list[int] = []

        def disturb() -> bool:
            busy = ray_workers()
            if not busy:
                return False
            os.kill(busy[0], signal.SIGKILL)
            killed.append(busy[0])
            cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
            cluster.add_node(num_cpus=2, **NODE)
            return True

        disturbance = Disturbance(disturb, after=10)
        disturbed = run(problem, tmp_path / "ray", disturbance, executor="ray", ray_address="auto")
    assert disturbance.was_done
    assert killed
    assert disturbance.lost[-1] >= 1
    assert disturbed.archive_hash == undisturbed.archive_hash
    assert disturbed.evaluations == undisturbed.evaluations == EVALUATIONS
    assert failures(tmp_path / "ray") == failures(tmp_path / "local")
