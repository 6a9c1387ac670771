"""Iterations in flight. One that lands costs the same however many others fly."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from evolve.llm.service import NoMoreQuestionsError
from evolve.loop.proposing import BudgetSpentError
from evolve.loop.told import Told


class Flights:
    """Starts iterations by number, and says which have landed."""

    def __init__(self) -> None:
        self._tasks: dict[int, asyncio.Task[Told]] = {}
        self._landed: list[int] = []
        self._news = asyncio.Event()

    def __len__(self) -> int:
        """How many fly, or have landed and were not asked for."""
        return len(self._tasks)

    def start(self, number: int, iteration: Coroutine[Any, Any, Told]) -> None:
        """Let an iteration begin."""
        task = self._tasks[number] = asyncio.create_task(iteration)
        task.add_done_callback(lambda _: self._land(number))

    def _land(self, number: int) -> None:
        self._landed.append(number)
        self._news.set()

    def wake(self) -> None:
        """Have whoever waits go on."""
        self._news.set()

    async def landed(self, seconds: float) -> dict[int, Told]:
        """Wait until some have landed, for so many seconds at most, or until `wake`; outcomes by number.

        Those whose questions were not asked any more are left out: they are never told, a resume begins with them.
        Raises what an iteration raises.
        """
        timer = asyncio.get_running_loop().call_later(seconds, self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()
        self._news.clear()
        told: dict[int, Told] = {}
        numbers, self._landed = self._landed, []
        for number in numbers:
            try:
                told[number] = self._tasks.pop(number).result()
            except (BudgetSpentError, NoMoreQuestionsError):
                continue
        return told

    async def cancel(self) -> None:
        """Drop what flies, and wait until all of it is down."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
