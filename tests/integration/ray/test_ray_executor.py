import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import EvolveEnvironmentError
from evolve.executors import Executor
from evolve.executors.ray_executor import RayExecutor
from evolve.testing.executor_conformance import HANDLER, ExecutorConformance
from tests.extent import ALL_TESTS
from tests.integration.ray.cluster_process import ClusterProcess

pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.xdist_group("ray")]


dear = pytest.mark.skipif(not ALL_TESTS, reason="a process with Ray for each test: the rest with EVOLVE_ALL_TESTS=1")


class TestRayExecutorInACluster(ExecutorConformance):
    start_seconds = 5.0
    n_deaths = 2
    test_all_workers_are_used = dear(ExecutorConformance.test_all_workers_are_used)
    test_what_a_task_prints_does_not_disturb_the_answers = dear(
        ExecutorConformance.test_what_a_task_prints_does_not_disturb_the_answers
    )
    test_a_task_that_kills_every_worker_is_given_up_and_the_executor_still_works = dear(
        ExecutorConformance.test_a_task_that_kills_every_worker_is_given_up_and_the_executor_still_works
    )
    test_workers_that_died_while_idle_are_replaced_and_no_task_is_blamed = dear(
        ExecutorConformance.test_workers_that_died_while_idle_are_replaced_and_no_task_is_blamed
    )

    @pytest.fixture(autouse=True)
    def _in(self, shared_cluster: ClusterProcess, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in shared_cluster.environment().items():
            if name.startswith("RAY_"):
                monkeypatch.setenv(name, value)
        self.address = shared_cluster.address

    def make(self, *, n_workers: int, handler: str) -> Executor:
        return RayExecutor(n_workers=n_workers, handler=handler, address=self.address, memory_bytes=64 << 20)


@dear
def test_a_cluster_without_memory_for_one_task_is_refused_and_not_waited_for(
    shared_cluster: ClusterProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in shared_cluster.environment().items():
        if name.startswith("RAY_"):
            monkeypatch.setenv(name, value)
    executor = RayExecutor(n_workers=None, handler=HANDLER, address=shared_cluster.address, memory_bytes=1 << 60)

    async def use() -> None:
        try:
            await executor.start()
        finally:
            await executor.close()

    with pytest.raises(EvolveEnvironmentError, match="no node of the Ray cluster announces that much"):
        asyncio.run(use())


@dear
def test_a_cluster_of_our_own_is_silent_and_holds_no_key(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-mine")
    before, others = dict(os.environ), set(descendants())
    capfd.readouterr()

    async def use() -> tuple[dict[str, Any], list[str]]:
        executor = RayExecutor(n_workers=1, handler=HANDLER)
        await executor.start()
        try:
            answer = await executor.submit("environment", {})
            processes = [read(pid) for pid in descendants() if pid not in others]
            tokens = {token_of(each) for each in processes} - {""}
            assert [Path(token).stat().st_mode & 0o077 for token in tokens] == [0]
            return answer["environment"], processes
        finally:
            await executor.close()

    environment, processes = asyncio.run(use())

    assert len([each for each in processes if "RAY_AUTH_TOKEN_PATH" in each]) >= 3
    assert not [each for each in [*processes, str(environment)] if "sk-secret-of-mine" in each]
    assert dict(os.environ) == before
    assert capfd.readouterr().err == ""


def descendants() -> list[int]:
    """Processes below this one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                parents[int(entry.name)] = int(stat.rsplit(")", 1)[1].split()[1])
    found, fresh = set[int](), {os.getpid()}
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh}
        found |= fresh
    return sorted(found)


def token_of(environment: str) -> str:
    """The file of the cluster's token, if a process was told one."""
    told = [each.partition("=")[2] for each in environment.split("\0") if each.startswith("RAY_AUTH_TOKEN_PATH=")]
    return told[0] if told else ""


def read(pid: int) -> str:
    """The environment a process was started with."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_text(encoding="utf-8", errors="replace")
    return ""


def test_no_cluster_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = RayExecutor(n_workers=1, handler=HANDLER, address="127.0.0.1:9")

    async def use() -> None:
        try:
            await executor.start()
        finally:
            await executor.close()

    with pytest.raises(EvolveEnvironmentError, match="no Ray cluster can be used at"):
        asyncio.run(use())
