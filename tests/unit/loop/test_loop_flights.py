"""Iterations in flight: what lands is handed out once, and nobody else is looked at."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from evolve.llm.service import NoMoreQuestionsError
from evolve.loop.flights import Flights
from evolve.loop.proposing import BudgetSpentError
from evolve.loop.told import Told

LONG = 60.0


def told(number: int) -> Told:
    return Told(number=number, operator="walk", island=0, cost=0.0, seconds=0.0, n_duplicates=0, children=())


async def after(gate: asyncio.Event, number: int, error: Exception | None = None) -> Told:
    await gate.wait()
    if error is not None:
        raise error
    return told(number)


def run(use: Callable[[Flights], Coroutine[Any, Any, Any]]) -> Any:
    async def whole() -> Any:
        flights = Flights()
        try:
            return await use(flights)
        finally:
            await flights.cancel()

    return asyncio.run(whole())


def test_each_is_handed_out_once_in_the_order_of_landing() -> None:
    async def use(flights: Flights) -> list[dict[int, Told]]:
        gates = [asyncio.Event() for _ in range(3)]
        for number, gate in enumerate(gates):
            flights.start(number, after(gate, number))
        seen = []
        for gate in (gates[2], gates[0]):
            gate.set()
            seen.append(await flights.landed(LONG))
        assert len(flights) == 1
        seen.append(await flights.landed(0.0))
        return seen

    assert run(use) == [{2: told(2)}, {0: told(0)}, {}]


def test_all_that_landed_meanwhile_come_together() -> None:
    async def use(flights: Flights) -> dict[int, Told]:
        gate = asyncio.Event()
        for number in range(5):
            flights.start(number, after(gate, number))
        gate.set()
        for _ in range(3):
            await asyncio.sleep(0)
        return await flights.landed(LONG)

    assert run(use) == {number: told(number) for number in range(5)}


def test_a_call_ends_the_wait() -> None:
    async def use(flights: Flights) -> dict[int, Told]:
        flights.start(1, after(asyncio.Event(), 1))
        asyncio.get_running_loop().call_soon(flights.wake)
        return await flights.landed(LONG)

    assert run(use) == {}


@pytest.mark.parametrize("error", [BudgetSpentError(), NoMoreQuestionsError()])
def test_one_whose_question_was_not_asked_is_gone_without_an_outcome(error: Exception) -> None:
    async def use(flights: Flights) -> dict[int, Told]:
        gate = asyncio.Event()
        gate.set()
        flights.start(1, after(gate, 1, error))
        flights.start(2, after(gate, 2))
        landed = await flights.landed(LONG)
        assert len(flights) == 0
        return landed

    assert run(use) == {2: told(2)}


def test_what_an_iteration_raises_is_raised_here() -> None:
    async def use(flights: Flights) -> None:
        gate = asyncio.Event()
        gate.set()
        for number in range(3):
            flights.start(number, after(gate, number, LookupError(f"iteration {number}")))
        await flights.landed(LONG)

    with pytest.raises(LookupError, match="iteration 0"):
        run(use)


def test_what_is_dropped_has_ended_afterwards() -> None:
    ended: list[int] = []

    async def endless(number: int) -> Told:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)
        raise AssertionError

    async def use(flights: Flights) -> None:
        for number in range(3):
            flights.start(number, endless(number))
        await flights.landed(0.0)
        await flights.cancel()
        assert len(flights) == 0

    run(use)
    assert ended == [0, 1, 2]
