"""Parcels of tasks when something dies below them, with Ray itself."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from evolve.executors import ITERATION, Executor, InfrastructureError
from evolve.executors.ray_executor import RayExecutor
from evolve.testing.executor_conformance import HANDLER, run_with
from tests.extent import ALL_TESTS
from tests.integration.ray.cluster_process import ClusterProcess, cluster_process
from tests.marked_processes import kill_all

pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.xdist_group("ray")]
dear = pytest.mark.skipif(not ALL_TESTS, reason="a cluster of its own each: only with EVOLVE_ALL_TESTS=1")
SHORT_OF_MEMORY = {"RAY_memory_usage_threshold": "0.0", "RAY_memory_monitor_refresh_ms": "100"}
"""A node that takes any use of memory for too much: its monitor kills whatever runs there."""


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> Callable[[ClusterProcess, int | None], RayExecutor]:
    def join(cluster: ClusterProcess, n_workers: int | None) -> RayExecutor:
        for name, value in cluster.environment().items():
            if name.startswith("RAY_"):
                monkeypatch.setenv(name, value)
        return RayExecutor(n_workers=n_workers, handler=HANDLER, address=cluster.address)

    return join


async def naps(executor: Executor, n: int, seconds: float) -> list[Any]:
    return list(await asyncio.gather(*(executor.submit("sleep", {"seconds": seconds}) for _ in range(n))))


def is_a_ray_worker(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::")
    return False


async def until(condition: Callable[[], Any]) -> Any:
    while not (found := condition()):
        await asyncio.sleep(0.01)
    return found


def busy(executor: RayExecutor) -> list[int]:
    return [state["pid"] for state in executor.worker_states if state["state"] == "busy"]


def run(executor: RayExecutor, use: Callable[[RayExecutor], Awaitable[Any]]) -> Any:
    return run_with(executor, use)  # type: ignore[arg-type]


def test_a_ray_worker_killed_in_the_middle_of_a_parcel_costs_no_task_anything(
    shared_cluster: ClusterProcess, joined: Callable[..., RayExecutor]
) -> None:
    async def use(executor: RayExecutor) -> list[Any]:
        answers: list[Any] = []
        while executor.n_lost_workers == 0:
            flying = asyncio.create_task(naps(executor, 40, 0.05))
            while executor.n_lost_workers == 0 and not flying.done():
                kill_all(filter(is_a_ray_worker, busy(executor)))
                await asyncio.sleep(0.01)
            answers = await flying
        return answers

    assert len(run(joined(shared_cluster, 1), use)) == 40


@dear
def test_a_task_that_is_cancelled_in_the_middle_of_a_parcel_takes_nobody_along(
    shared_cluster: ClusterProcess, joined: Callable[..., RayExecutor]
) -> None:
    async def use(executor: RayExecutor) -> tuple[list[Any], int]:
        await naps(executor, 6, 0.0)
        hung = asyncio.create_task(executor.submit("sleep", {"seconds": 600, ITERATION: 12}))
        others = asyncio.create_task(naps(executor, 12, 0.0))
        await until(lambda: busy(executor))
        assert [state["iteration"] for state in executor.worker_states if state["state"] == "busy"] == ["12"]
        hung.cancel()
        answers = await others
        assert hung.cancelled()
        return answers, executor.n_lost_workers

    answers, n_lost = run(joined(shared_cluster, 1), use)

    assert (len(answers), n_lost) == (12, 0)


@dear
def test_what_a_node_short_of_memory_kills_is_done_on_another(joined: Callable[..., RayExecutor]) -> None:
    async def use(executor: RayExecutor) -> tuple[int, int]:
        answers: list[Any] = []
        while executor.n_lost_workers == 0:
            answers += await naps(executor, 4, 3.0)
        return len(answers), executor.n_lost_workers

    with cluster_process(cpus=(1,)) as cluster:
        cluster.add_node(cpus=1, **SHORT_OF_MEMORY)
        n_answers, n_lost = run(joined(cluster, None), use)

    assert n_answers % 4 == 0
    assert n_lost >= 1


@dear
def test_what_is_killed_for_memory_everywhere_does_not_loop(joined: Callable[..., RayExecutor]) -> None:
    async def use(executor: RayExecutor) -> int:
        with pytest.raises(InfrastructureError, match="3 workers died"):
            await executor.submit("sleep", {"seconds": 600})
        return executor.n_lost_workers

    with cluster_process(cpus=(0,)) as cluster:
        cluster.add_node(cpus=1, **SHORT_OF_MEMORY)
        assert run(joined(cluster, None), use) == 3
