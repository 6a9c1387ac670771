"""The logic of `benchmarks.ray`: how many tasks are there at once, and what a row says."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.ray import SLEEP, Side, Work, handle, one_round
from evolve.executors import Executor


class Counting:
    """An executor that counts how many tasks it holds at once."""

    capacity = 2
    n_lost_workers = 0

    def __init__(self) -> None:
        self.n_done = self.n_now = self.most = 0

    async def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to close."""

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        assert (task, payload) == (SLEEP, {"seconds": 0.0})
        self.n_now += 1
        self.most = max(self.most, self.n_now)
        for _ in range(3):
            await asyncio.sleep(0)
        self.n_now -= 1
        self.n_done += 1
        return {}


def sleeps(n: int, *, seconds: float = 0.0, n_slots: int = 2) -> Work:
    return Work(name="sleep", task=SLEEP, payload={"seconds": seconds}, n=n, n_slots=n_slots, seconds=seconds)


@pytest.mark.parametrize(("in_flight", "most"), [(0, 30), (1, 1), (7, 7)])
def test_a_round_does_all_its_tasks_so_many_at_once(in_flight: int, most: int) -> None:
    executor = Counting()
    held: Executor = executor

    seconds, controller, everything = asyncio.run(one_round(held, sleeps(30), in_flight))

    assert (executor.n_done, executor.most) == (30, most)
    assert seconds > 0.0
    assert controller >= 0.0
    assert everything >= 0.0


def test_a_row_sets_the_median_round_against_the_ideal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Side, "__post_init__", lambda self: None)  # no process for it
    side = Side("ray", 4, [(9.0, 9.0, 9.0), (2.0, 0.1, 0.4), (1.0, 0.0, 0.0)])

    words = side.row(sleeps(100, seconds=0.05, n_slots=4), 0.05).split()

    # 100 x 50 ms on 4 slots are 1.25 s; 2 s make 0.75 s too many for each slot, which has 25 of them
    assert words == ["sleep", "4", "ray", "1.25", "2.00", "62.5%", "30.00", "ms", "1.00", "ms", "4.0", "ms"]


def test_workers_sleep_or_do_what_the_loop_asks_for() -> None:
    assert handle(SLEEP, {"seconds": 0.0}) == {}
    with pytest.raises(KeyError, match="nothing"):
        handle("nothing", {})
