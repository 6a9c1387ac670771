"""Local workers that share cards: 8 at a quarter each, a worker that dies, a card that disappears."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import EvolveEnvironmentError, ResumableError
from evolve.executors.card_claims import CardClaims
from evolve.executors.card_executor import CardExecutor
from evolve.executors.card_watch import CardWatch
from evolve.testing.card_tasks import HANDLER, most_at_once, payload_of, rows_of
from evolve.testing.executor_conformance import run_with
from sandbox.errors import SandboxError
from sandbox.gpu_cards import CardUnit
from sandbox.limits import MEBIBYTE
from tests.marked_processes import wait_for

UNITS = tuple(
    CardUnit(
        uuid=f"GPU-{letter}",
        label=str(number),
        name="NVIDIA H200",
        memory_bytes=143771 * MEBIBYTE,
        used_bytes=4 * MEBIBYTE,
        is_shareable=True,
    )
    for number, letter in enumerate("ab")
)


CLAIMS = """
import sys, time
from pathlib import Path
from evolve.executors.card_claims import CardClaims
claims = CardClaims(Path(sys.argv[1]))
print(claims.claim((sys.argv[2],), share=float(sys.argv[3]), n_most=int(sys.argv[4])), flush=True)
time.sleep(600)
"""


def nothing_new() -> Sequence[CardUnit]:
    return UNITS


def executor_of(units: Sequence[CardUnit], *, share: float, n_workers: int = 16) -> CardExecutor:
    return CardExecutor(
        units=units, share=share, n_workers=n_workers, handler=HANDLER, watch=CardWatch(units, nothing_new)
    )


def test_eight_at_a_quarter_each_share_a_card_four_at_a_time(tmp_path: Path) -> None:
    log, executor = tmp_path / "log", executor_of(UNITS[:1], share=0.25)

    async def use(executor: Any) -> list[dict[str, Any]]:
        work = [executor.submit("hold", payload_of(log, seconds=0.02)) for _ in range(8)]
        return list(await asyncio.gather(*work))

    answers = run_with(executor, use)

    assert executor.capacity == 4
    assert [(answer["gpus"], answer["share"]) for answer in answers] == [(["GPU-a"], 0.25)] * 8
    assert len(rows_of(log)) == 8
    assert most_at_once(rows_of(log), "GPU-a") <= 4
    assert len({answer["pid"] for answer in answers}) <= 4


def test_a_worker_keeps_its_card(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def use(executor: Any) -> list[dict[str, Any]]:
        return list(await asyncio.gather(*(executor.submit("hold", payload_of(log, seconds=0.01)) for _ in range(8))))

    answers = run_with(executor_of(UNITS, share=1.0), use)

    assert {tuple(answer["gpus"]) for answer in answers} == {("GPU-a",), ("GPU-b",)}
    assert len({(answer["pid"], *answer["gpus"]) for answer in answers}) == 2
    assert all(most_at_once(rows_of(log), unit.uuid) == 1 for unit in UNITS)


def test_an_evaluation_may_have_several_whole_cards(tmp_path: Path) -> None:
    async def use(executor: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await executor.submit("hold", payload_of(tmp_path / "log", seconds=0.0))
        return answer

    executor = executor_of(UNITS, share=2.0)

    assert run_with(executor, use)["gpus"] == ["GPU-a", "GPU-b"]
    assert executor.capacity == 1


def test_the_share_of_a_worker_that_died_is_used_again(tmp_path: Path) -> None:
    log, marker = tmp_path / "log", tmp_path / "died"

    async def use(executor: Any) -> None:
        work = [executor.submit("die once", payload_of(log, seconds=0.0, marker=marker)) for _ in range(3)]
        await asyncio.gather(*work)

    executor = executor_of(UNITS[:1], share=1.0)
    run_with(executor, use)

    assert executor.n_lost_workers == 1
    assert len(rows_of(log)) == 3
    assert most_at_once(rows_of(log), "GPU-a") == 1
    assert executor.gpu_states[0]["slots"] == "0 of 1"


def test_work_that_is_dropped_gives_its_share_back(tmp_path: Path) -> None:
    async def use(executor: Any) -> dict[str, Any]:
        held = asyncio.create_task(executor.submit("hold", payload_of(tmp_path / "log", seconds=600.0)))
        waiting = asyncio.create_task(executor.submit("hold", payload_of(tmp_path / "log", seconds=600.0)))
        while executor.gpu_states[0]["slots"] != "1 of 1":
            await asyncio.sleep(0.01)
        for task in (waiting, held):
            task.cancel()
        await asyncio.gather(held, waiting, return_exceptions=True)
        answer: dict[str, Any] = await executor.submit("hold", payload_of(tmp_path / "log", seconds=0.0))
        return answer

    assert run_with(executor_of(UNITS[:1], share=1.0), use)["gpus"] == ["GPU-a"]


def test_watchers_see_how_full_the_cards_are() -> None:
    seen: list[Sequence[CardUnit]] = [(replace(UNITS[0], used_bytes=70000 * MEBIBYTE),)]
    watch = CardWatch(UNITS, lambda: seen[0], seconds=0.01)
    executor = CardExecutor(units=UNITS, share=0.5, n_workers=3, handler=HANDLER, watch=watch)
    before = executor.gpu_states

    async def use(executor: Any) -> list[dict[str, Any]]:
        assert await asyncio.to_thread(wait_for, lambda: executor.gpu_states[0]["memory_used_mb"] == 70000)
        states: list[dict[str, Any]] = executor.gpu_states
        return states

    after = run_with(executor, use)

    common = {"name": "NVIDIA H200", "memory_total_mb": 143771}
    assert before[0] == {"index": "0", **common, "memory_used_mb": 4, "slots": "0 of 2"}
    assert before[1]["slots"] == "0 of 1"
    assert after[1] == {
        "index": "1",
        **common,
        "memory_used_mb": None,
        "note": "gone: the driver does not show it any more",
        "slots": "0 of 1",
    }


def test_no_candidate_is_blamed_for_a_card_that_is_gone(tmp_path: Path) -> None:
    executor = CardExecutor(
        units=UNITS[:1],
        share=1.0,
        n_workers=1,
        handler=HANDLER,
        watch=CardWatch(UNITS[:1], lambda: UNITS[1:], seconds=0.01),
    )

    async def use(executor: Any) -> None:
        assert await asyncio.to_thread(wait_for, lambda: "note" in executor.gpu_states[0])
        await executor.submit("hold", payload_of(tmp_path / "log", seconds=0.0))

    with pytest.raises(ResumableError, match=r"card 0 \(NVIDIA H200\) is gone"):
        run_with(executor, use)
    assert executor.gpu_states[0]["slots"] == "0 of 1"


def test_a_driver_that_stops_answering_is_told() -> None:
    def look() -> Sequence[CardUnit]:
        raise SandboxError("nvidia-smi does not answer")

    executor = CardExecutor(
        units=UNITS[:1], share=1.0, n_workers=1, handler=HANDLER, watch=CardWatch(UNITS[:1], look, seconds=0.01)
    )

    async def use(executor: Any) -> bool:
        return await asyncio.to_thread(wait_for, lambda: "note" in executor.gpu_states[0])

    assert run_with(executor, use)
    assert executor.gpu_states[0]["note"] == "the driver does not answer"


def test_workers_say_which_card_they_have() -> None:
    async def use(executor: Any) -> list[str]:
        return [state["card"] for state in executor.worker_states]

    assert run_with(executor_of(UNITS, share=1.0), use) == ["0", "1"]


def test_shares_that_another_run_has_are_left_alone(tmp_path: Path) -> None:
    with another_run(tmp_path, "GPU-a", share=0.25, n_most=3):
        executor = executor_with(CardClaims(tmp_path), UNITS, share=0.25)

        assert executor.capacity == 1 + 4
        assert executor.notices == [
            "other runs of yours have a part of the cards: 5 evaluations at a time instead of 8"
        ]


def test_a_card_that_others_have_wholly_is_refused(tmp_path: Path) -> None:
    with (
        another_run(tmp_path, "GPU-a", share=0.6, n_most=1),
        pytest.raises(EvolveEnvironmentError, match="other runs of yours have all shares of card 0"),
    ):
        executor_with(CardClaims(tmp_path), UNITS[:1], share=0.5)


def test_what_a_run_had_is_free_when_it_ended_however_it_ended(tmp_path: Path) -> None:
    with another_run(tmp_path, "GPU-a", share=1.0, n_most=1):
        pass  # and is killed

    executor = executor_with(CardClaims(tmp_path), UNITS[:1], share=0.5)
    assert executor.capacity == 2
    run_with(executor, nothing)
    with another_run(tmp_path, "GPU-a", share=1.0, n_most=1) as n_claimed:
        assert n_claimed == 1


def test_of_several_whole_cards_all_are_claimed_or_none(tmp_path: Path) -> None:
    claims = CardClaims(tmp_path)
    with another_run(tmp_path, "GPU-b", share=0.1, n_most=1):
        assert claims.claim(("GPU-a", "GPU-b"), share=2.0, n_most=1) == 0
        with another_run(tmp_path, "GPU-a", share=1.0, n_most=1) as n_claimed:
            assert n_claimed == 1
    claims.close()


@pytest.mark.parametrize(("share", "n"), [(1 / 3, 3), (0.07, 14), (0.25, 4), (0.51, 1), (1.0, 1)])
def test_a_card_has_as_many_claims_as_shares(tmp_path: Path, share: float, n: int) -> None:
    claims = CardClaims(tmp_path)

    assert claims.claim(("GPU-a",), share=share, n_most=1000) == n
    claims.close()


def executor_with(claims: CardClaims, units: Sequence[CardUnit], *, share: float) -> CardExecutor:
    watch = CardWatch(units, nothing_new)
    return CardExecutor(units=units, share=share, n_workers=16, handler=HANDLER, watch=watch, claims=claims)


async def nothing(executor: Any) -> None:
    del executor


@contextmanager
def another_run(folder: Path, card: str, *, share: float, n_most: int) -> Iterator[int]:
    """Another process with claims, which is killed in the end; how many it got."""
    command = [sys.executable, "-c", CLAIMS, str(folder), card, str(share), str(n_most)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()
