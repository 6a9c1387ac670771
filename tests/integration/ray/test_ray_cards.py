"""Shares of graphics cards on Ray, which only counts them: a node may say that it has some."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import EvolveEnvironmentError
from evolve.executors.ray_executor import RayExecutor
from evolve.testing.card_tasks import HANDLER, most_at_once, payload_of, rows_of
from evolve.testing.executor_conformance import run_with
from tests.extent import ALL_TESTS
from tests.integration.ray.cluster_process import ClusterProcess, cluster_process

pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.xdist_group("ray")]


@pytest.fixture(scope="module")
def with_a_card() -> Iterator[ClusterProcess]:
    """A node with room for eight tasks that says it has one card."""
    if not ALL_TESTS:
        pytest.skip("starts a cluster of its own: set EVOLVE_ALL_TESTS")
    with cluster_process(cpus=(8,), gpus=1) as cluster:
        yield cluster


def joined(cluster: ClusterProcess, monkeypatch: pytest.MonkeyPatch, **options: Any) -> RayExecutor:
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
    return RayExecutor(**{"n_workers": None, "handler": HANDLER, "address": cluster.address, **options})


async def eight(executor: Any, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*(executor.submit("hold", payload) for _ in range(8))))


def test_eight_at_a_quarter_each_share_a_card_four_at_a_time(
    with_a_card: ClusterProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, executor = tmp_path / "log", joined(with_a_card, monkeypatch, gpus=0.25)

    async def use(executor: Any) -> tuple[int, list[dict[str, Any]]]:
        return executor.capacity, await eight(executor, payload_of(log, seconds=0.5))

    capacity, answers = run_with(executor, use)

    assert capacity == 4
    assert [answer["gpus"] for answer in answers] == [[0]] * 8
    assert len(rows_of(log)) == 8
    assert most_at_once(rows_of(log), 0) <= 4


def test_who_asks_for_a_whole_card_has_it_alone(
    with_a_card: ClusterProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"

    run_with(
        joined(with_a_card, monkeypatch, gpus=1.0), lambda executor: eight(executor, payload_of(log, seconds=0.02))
    )

    assert len(rows_of(log)) == 8
    assert most_at_once(rows_of(log), 0) == 1


def test_a_cluster_without_cards_judges_on_processors_and_says_so(
    shared_cluster: ClusterProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = joined(shared_cluster, monkeypatch, gpus=0.25, gpus_needed=False, n_workers=1)

    answers = run_with(executor, lambda executor: eight(executor, payload_of(tmp_path / "log", seconds=0.0)))

    assert executor.gpu_notice.startswith("no node of the Ray cluster has the cards")
    assert [answer["gpus"] for answer in answers] == [[]] * 8


@pytest.mark.skipif(not ALL_TESTS, reason="one more process with Ray: only with EVOLVE_ALL_TESTS=1")
def test_a_cluster_without_the_cards_that_are_needed_is_refused(
    shared_cluster: ClusterProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(_: Any) -> None:
        return None

    with pytest.raises(EvolveEnvironmentError, match="no node of the Ray cluster has a graphics card"):
        run_with(joined(shared_cluster, monkeypatch, gpus=0.25), use)
