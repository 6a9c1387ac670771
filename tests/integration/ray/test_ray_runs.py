"""Whole runs on four nodes: whatever happens to workers and nodes, the archive is that of an undisturbed local run."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evolve.config.problem import load_problem
from evolve.loop import RunOptions, RunSummary, start_run
from evolve.loop.events import Event
from evolve.store import RunReader
from tests.extent import ALL_TESTS
from tests.integration.ray.cluster_process import ClusterProcess, cluster_process
from tests.marked_processes import kill_all, marked

pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),
    pytest.mark.skipif(not ALL_TESTS, reason="a cluster of four nodes: only with EVOLVE_ALL_TESTS=1"),
]
EVALUATIONS = 60
IN_A_PARCEL = 5
"""So many evaluations of a fifth of a second travel together at most: all that a lost worker can cost."""
BEGUN = """
import hashlib, pathlib, time
def begun(candidate):
    name = hashlib.sha256(repr(sorted(candidate.files.items())).encode()).hexdigest()
    with open({place!r}, "a") as file:
        file.write(name + "\\n")
    time.sleep(0.2)
"""


class Disturbance:
    """A listener that does something, until it is done, once so many evaluations are told; it remembers what it saw."""

    def __init__(self, act: Callable[[], bool], *, after: int) -> None:
        self._act, self._after, self.was_done = act, after, False
        self.n_lost = 0

    def __call__(self, event: Event) -> None:
        if event.kind == "progress":
            self.n_lost = event.data["lost_workers"]
            if event.data["evaluations"] >= self._after and not self.was_done:
                self.was_done = self._act()


def run(problem: Path, folder: Path, listener: Any = lambda event: None, **options: Any) -> RunSummary:
    given = RunOptions(evaluations=EVALUATIONS, window=8, unsafe_sandbox=True, **options)
    return start_run(load_problem(str(problem)), folder, given, listener)


def slowed(problem: Path, place: Path) -> Path:
    """Evaluations that take a fifth of a second, so that some are in flight when a node goes, and leave a line each."""
    judge = problem / "evaluate.py"
    text = judge.read_text(encoding="utf-8")
    changed = text.replace("def evaluate(candidate):\n", "def evaluate(candidate):\n    begun(candidate)\n")
    judge.write_text(BEGUN.format(place=str(place)) + changed, encoding="utf-8")
    return problem


def failures(folder: Path) -> list[dict[str, Any]]:
    reader = RunReader(folder)
    try:
        return reader.failures()
    finally:
        reader.close()


def busy_workers(cluster: ClusterProcess) -> list[int]:
    """Ray workers of the cluster that are in a task."""
    found = []
    for pid in marked(cluster.folder):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
        except OSError:
            continue
        if command.startswith("ray::serve"):
            found.append(pid)
    return found


@pytest.fixture
def four_nodes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A head without slots and three nodes of one slot each; this process can join."""
    with cluster_process(cpus=(0, 1, 1, 1)) as cluster:
        for name, value in cluster.environment().items():
            if name.startswith("RAY_"):
                monkeypatch.setenv(name, value)
        yield cluster


@pytest.mark.parametrize("rng_seed", [3, 5, 8])
def test_a_lost_node_a_new_node_and_a_killed_worker_lose_nothing(
    rng_seed: int, four_nodes: ClusterProcess, python_problem: Path, tmp_path: Path, record_property: Any
) -> None:
    begun = tmp_path / "begun"
    problem = slowed(python_problem, begun)
    undisturbed = run(problem, tmp_path / "local", rng_seed=rng_seed, workers=2)
    expected = Counter(begun.read_text().split())  # one text may be tried twice, by children of the same moment
    begun.unlink()

    def disturb() -> bool:
        busy = busy_workers(four_nodes)
        if busy:
            kill_all(busy[:1])
            four_nodes.lose_node()
            four_nodes.add_node(cpus=2)
        return bool(busy)

    disturbance = Disturbance(disturb, after=10)
    options = {"rng_seed": rng_seed, "executor": "ray", "ray_address": four_nodes.address}
    disturbed = run(problem, tmp_path / "ray", disturbance, **options)

    counted = Counter(begun.read_text().split())
    n_again = sum(counted[text] - expected[text] for text in expected & counted)
    record_property("lost_workers", disturbance.n_lost)
    record_property("evaluated_again", n_again)
    print(f"seed {rng_seed}: {disturbance.n_lost} workers lost, {n_again} of {counted.total()} evaluations again")
    assert disturbance.was_done
    assert disturbance.n_lost >= 1
    assert disturbed.archive_hash == undisturbed.archive_hash
    assert disturbed.evaluations == undisturbed.evaluations == EVALUATIONS
    assert failures(tmp_path / "ray") == failures(tmp_path / "local")
    assert n_again <= disturbance.n_lost * IN_A_PARCEL
