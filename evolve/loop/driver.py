"""The loop itself: keep a bounded window of iterations in flight, tell them in order, stop cleanly."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from evolve.loop.budget import Budget
from evolve.loop.events import Event, Listener
from evolve.loop.iteration import Bench, run_iteration
from evolve.loop.journal import Journal
from evolve.loop.progress import Vitals, progress_event
from evolve.loop.search import Plan, Search, Told
from evolve.store import IterationRecord, RunWriter

TICK_SECONDS = 0.25
HEARTBEAT_SECONDS = 5.0
DRAIN_SECONDS = 10.0
MAX_FRUITLESS_ITERATIONS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What earlier sessions left: their wall time, and the plans that were in flight when the log ended."""

    seconds: float = 0.0
    backlog: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """What a session is made of."""

    search: Search
    bench: Bench
    writer: RunWriter
    journal: Journal
    budget: Budget
    window: int
    listener: Listener
    past: Past = field(default_factory=Past)


class Driver:
    """Drives one session of a run.

    Iteration `n` is planned as soon as `n - window` has been told, and outcomes are told strictly in order, so the
    archive depends on the window but not on how many workers there are or which finished first.
    """

    def __init__(self, parts: RunParts, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._search = parts.search
        self._clock = clock
        self._started = clock()
        self._last_write = self._started
        self._backlog = list(parts.past.backlog)
        self._next_plan = self._backlog[-1].number + 1 if self._backlog else 1
        self._flying: dict[asyncio.Task[Told], int] = {}
        self._ready: dict[int, Told] = {}
        self._fruitless = 0
        self._asked_to_stop = asyncio.Event()
        self._told_to_abort = asyncio.Event()
        self.stopped_by: str | None = None

    @property
    def session_seconds(self) -> float:
        """Wall time of this session."""
        return self._clock() - self._started

    @property
    def run_seconds(self) -> float:
        """Wall time of all sessions of the run."""
        return self._parts.past.seconds + self.session_seconds

    def ask_to_stop(self) -> None:
        """Once: plan nothing more, let what is in flight finish for a while. Twice: drop it."""
        if self._asked_to_stop.is_set():
            self._told_to_abort.set()
        self._asked_to_stop.set()

    async def unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Await some work, but drop it when a stop is asked for."""
        task = asyncio.create_task(work)
        asked = asyncio.create_task(self._asked_to_stop.wait())
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if task.done():
            task.result()
        else:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run(self) -> str:
        """Search until a budget is spent or a stop is asked for; returns what stopped it. The clock starts here."""
        self._started = self._last_write = self._clock()
        try:
            while self._stop_reason() is None:
                self._fill()
                await self._wait(TICK_SECONDS)
                self._tell_ready()
                self._show()
            if self.stopped_by == "signal":
                self._parts.listener(Event(kind="stopping", data={"reason": "signal", "in_flight": len(self._flying)}))
                await self._drain()
        finally:
            await self._cancel()
        assert self.stopped_by is not None
        return self.stopped_by

    def _stop_reason(self) -> str | None:
        if self.stopped_by is None:
            if self._asked_to_stop.is_set():
                self.stopped_by = "signal"
            elif self._fruitless >= MAX_FRUITLESS_ITERATIONS:
                self.stopped_by = "exhausted"
            else:
                self.stopped_by = self._parts.budget.spent(
                    evaluations=self._search.n_evaluations,
                    seconds=self.run_seconds,
                    best_score=self._search.best_score,
                )
        return self.stopped_by

    def _fill(self) -> None:
        for plan in self._backlog:
            self._dispatch(plan)
        self._backlog.clear()
        while self._next_plan <= self._search.last_told + self._parts.window:
            self._dispatch(self._search.plan(self._next_plan))
            self._next_plan += 1

    def _dispatch(self, plan: Plan) -> None:
        task = asyncio.create_task(run_iteration(plan, self._search, self._parts.bench))
        self._flying[task] = plan.number

    async def _wait(self, seconds: float) -> None:
        signal = self._told_to_abort if self._asked_to_stop.is_set() else self._asked_to_stop
        asked = asyncio.create_task(signal.wait())
        await asyncio.wait({*self._flying, asked}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        for task in [task for task in self._flying if task.done()]:
            self._ready[self._flying.pop(task)] = task.result()

    def _tell_ready(self) -> None:
        """Tell what is next in order, as one group: planned on after each, on disk before anybody hears of it."""
        records: list[IterationRecord] = []
        while (left := self._evaluations_left()) != 0 and (
            told := self._ready.pop(self._search.last_told + 1, None)
        ) is not None:
            record = self._search.tell(told, limit=left)
            records.append(record)
            self._fruitless = 0 if record.candidates else self._fruitless + 1
            if self._stop_reason() is not None and self.stopped_by != "signal":
                break
            if self.stopped_by is None:
                self._fill()
        if records:
            self._last_write = self._clock()
            for event in self._parts.journal.commit(records, self.session_seconds):
                self._parts.listener(event)
        elif self._clock() - self._last_write > HEARTBEAT_SECONDS:
            self._last_write = self._clock()
            self._parts.writer.heartbeat(self.session_seconds)

    def _evaluations_left(self) -> int | None:
        limit = self._parts.budget.evaluations
        return None if limit is None else max(limit - self._search.n_evaluations, 0)

    def _show(self) -> None:
        executor = self._parts.bench.executor
        vitals = Vitals(
            in_flight=len(self._flying),
            workers=executor.capacity,
            lost_workers=executor.n_lost_workers,
            session_seconds=self.session_seconds,
            seconds=self.run_seconds,
        )
        self._parts.listener(progress_event(self._search, self._parts.budget, vitals))

    async def _drain(self) -> None:
        deadline = self._clock() + DRAIN_SECONDS
        while self._flying and not self._told_to_abort.is_set() and self._clock() < deadline:
            await self._wait(TICK_SECONDS)
            self._tell_ready()
            self._show()

    async def _cancel(self) -> None:
        for task in self._flying:
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)
        self._flying.clear()
