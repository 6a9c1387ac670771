"""The loop itself: keep a bounded window of iterations in flight, tell them in order, stop cleanly."""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from evolve.llm.service import NoMoreQuestionsError
from evolve.loop.budget import Budget
from evolve.loop.control import Control, GatedAsker
from evolve.loop.events import Event, Listener
from evolve.loop.exhaustion import Exhaustion
from evolve.loop.iteration import Bench, run_iteration
from evolve.loop.journal import Journal
from evolve.loop.landing import LANDING, Landing
from evolve.loop.models import ModelDesk
from evolve.loop.progress import Vitals, progress_event
from evolve.loop.proposing import BudgetSpentError
from evolve.loop.search import Search
from evolve.loop.told import Plan, Told
from evolve.store import IterationRecord, Pulse, RunWriter
from evolve.store.control import Wanted

TICK_SECONDS = 0.25
HEARTBEAT_SECONDS = 1.0
"""How often the state of the run is on disk; whoever watches reads it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What earlier sessions left: their wall time, and the plans that were in flight when the log ended."""

    seconds: float = 0.0
    backlog: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """What a session is made of.

    `models` are the language models, None without any. `counts` is for a repetition: how many candidates each iteration
    of the repeated run brought, which is also where it ends.
    """

    search: Search
    bench: Bench
    writer: RunWriter
    journal: Journal
    budget: Budget
    window: int
    listener: Listener
    past: Past = field(default_factory=Past)
    models: ModelDesk | None = None
    counts: tuple[int, ...] | None = None


class Driver:
    """Drives one session of a run.

    Iteration `n` is planned as soon as `n - window` has been told, and outcomes are told strictly in order, so the
    archive depends on the window but not on how many workers there are or which finished first.
    """

    def __init__(self, parts: RunParts, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._search = parts.search
        self._clock = clock
        self._control = Control(parts.writer, clock)
        models = parts.bench.models
        gated = None if models is None else GatedAsker(models, self._control)
        self._bench = replace(parts.bench, models=gated)
        self._last_write = self._last_pulse = -math.inf
        self._backlog = list(parts.past.backlog)
        self._next_plan = self._backlog[-1].number + 1 if self._backlog else 1
        self._flying: dict[asyncio.Task[Told], int] = {}
        self._ready: dict[int, Told] = {}
        self._exhaustion = Exhaustion(parts.search.lessons, parts.models)
        self._asked_to_stop = asyncio.Event()
        self._told_to_abort = asyncio.Event()
        self._asked_by = "signal"
        self._asker: dict[str, Any] = {}
        self._is_alone = False
        self.stopped_by: str | None = None

    @property
    def session_seconds(self) -> float:
        """Wall time of this session, without pauses."""
        return self._control.watch.seconds

    @property
    def run_seconds(self) -> float:
        """Wall time of all sessions of the run."""
        return self._parts.past.seconds + self.session_seconds

    def ask_to_stop(self) -> None:
        """Once: plan nothing more, let what is in flight finish for a while. Twice, or at an end by itself: drop it."""
        if self._asked_to_stop.is_set() or (self.stopped_by is not None and self.stopped_by not in LANDING):
            self._told_to_abort.set()
        self._asked_to_stop.set()
        if self._parts.models is not None:
            self._parts.models.ask_no_more()  # first: a question that a pause held back is not paid for now
        self._control.go_on()

    async def unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Await some work, but drop it when a stop is asked for."""
        task = asyncio.create_task(work)
        asked = asyncio.create_task(self._asked_to_stop.wait())
        done: set[asyncio.Task[Any]] = set()
        while not done:
            done, _ = await asyncio.wait({task, asked}, timeout=TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            self._obey()
        asked.cancel()
        if task.done():
            task.result()
        else:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run(self) -> str:
        """Search until a budget is spent or a stop is asked for; returns what stopped it. The clock starts here."""
        self._control.watch.start()
        self._last_write = self._clock()
        try:
            while self._is_to_go_on():
                self._fill()
                await self._wait(TICK_SECONDS)
                self._tell_ready()
                self._show()
            assert self.stopped_by is not None
            landing = self._landing(self.stopped_by)
            if landing.is_worthwhile:
                self._announce("stopping", {"reason": self.stopped_by, "in_flight": len(self._flying), **self._asker})
                await self._land(landing)
        finally:
            await self._cancel()
        return self.stopped_by

    def _is_to_go_on(self) -> bool:
        self._obey()
        return self._stop_reason() is None

    def _obey(self) -> None:
        """Do what others ask for; what is in flight is finished and told in any case."""
        request = self._control.news()
        if request is None or self._asked_to_stop.is_set():
            return
        if request.wanted is Wanted.STOP:
            self._asked_by, self._asker = "request", {"by": request.asker()}
            self.ask_to_stop()
        elif self.stopped_by is not None:
            return  # it is ending: nothing new begins
        elif request.wanted is Wanted.PAUSE and not self._control.is_paused:
            self._control.pause()
            self._announce("paused", {"in_flight": len(self._flying), "by": request.asker()})
        elif request.wanted is Wanted.RESUME and self._control.is_paused:
            self._control.go_on()
            self._announce("resumed", {"by": request.asker()})

    def _announce(self, kind: str, data: dict[str, Any]) -> None:
        """Say something of the session itself, once it is on disk."""
        self._parts.writer.append([], events=[(kind, data)], seconds=self.session_seconds, pulse=self.pulse())
        self._parts.listener(Event(kind=kind, data=data))

    def _stop_reason(self) -> str | None:
        if self.stopped_by is None:
            if self._asked_to_stop.is_set():
                self.stopped_by = self._asked_by
            elif self._parts.counts is None and self._exhaustion.is_reached():
                self.stopped_by = "exhausted"
            else:
                self.stopped_by = self._spent()
        return self.stopped_by

    def _spent(self) -> str | None:
        parts = self._parts
        if parts.counts is not None and self._search.last_told >= len(parts.counts) - 1:
            return "replayed"
        spent = parts.budget.spent(
            evaluations=self._search.n_evaluations, seconds=self.run_seconds, best_score=self._search.best_score
        )
        return spent or (None if parts.models is None else parts.models.spent_budget())

    def _fill(self) -> None:
        last = self._search.last_told + self._parts.window
        if self._parts.counts is not None:
            last = min(last, len(self._parts.counts) - 1)
        while self._next_plan <= last:
            self._backlog.append(self._search.plan(self._next_plan))
            self._next_plan += 1
        while self._backlog and self._may_dispatch():
            plan = self._backlog.pop(0)
            task = asyncio.create_task(run_iteration(plan, self._search, self._bench))
            self._flying[task] = plan.number

    def _may_dispatch(self) -> bool:
        """Whether one more iteration may begin.

        Where replies cost money no more begin than can still be told: what a plan brings does not depend on when.
        """
        if self._control.is_paused or self._exhaustion.is_waiting:
            return False
        if self._parts.models is None or self._parts.counts is not None:
            return True
        left = self._evaluations_left()
        return left is None or len(self._flying) + len(self._ready) < left

    async def _wait(self, seconds: float) -> None:
        signal = self._told_to_abort if self._asked_to_stop.is_set() else self._asked_to_stop
        asked = asyncio.create_task(signal.wait())
        await asyncio.wait({*self._flying, asked}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        for task in [task for task in self._flying if task.done()]:
            number = self._flying.pop(task)
            try:
                self._ready[number] = task.result()
            except (BudgetSpentError, NoMoreQuestionsError):
                continue  # never told: a resume begins with it

    def _tell_ready(self) -> None:
        """Tell what is next in order, as one group: planned on after each, on disk before anybody hears of it."""
        records: list[IterationRecord] = []
        while self._may_tell() and (told := self._ready.pop(self._search.last_told + 1, None)) is not None:
            record = self._search.tell(told, limit=self._evaluations_left())
            records.append(record)
            self._exhaustion.note(record)
            reason = self._stop_reason()
            if reason is not None and not self._landing(reason).tells_on:
                break
            if self.stopped_by is None:
                self._fill()
        if records:
            self._last_write = self._clock()
            for event in self._parts.journal.commit(records, self.session_seconds, self._pulse_if_due()):
                self._parts.listener(event)
        elif self._clock() - self._last_write > HEARTBEAT_SECONDS:
            self._last_write = self._clock()
            self._parts.writer.heartbeat(self.session_seconds, self._pulse_if_due())

    def _may_tell(self) -> bool:
        counts = self._parts.counts
        return self._evaluations_left() != 0 if counts is None else self._search.last_told + 1 < len(counts)

    def _evaluations_left(self) -> int | None:
        if self._parts.counts is not None:
            return self._parts.counts[self._search.last_told + 1]
        limit = self._parts.budget.evaluations
        return None if limit is None else max(limit - self._search.n_evaluations, 0)

    def _pulse_if_due(self) -> Pulse | None:
        now = self._clock()
        if now - self._last_pulse < HEARTBEAT_SECONDS:
            return None
        self._last_pulse = now
        return self.pulse()

    def pulse(self) -> Pulse:
        """The state of the run, as readers of the log are to see it."""
        return Pulse(seconds=self.run_seconds, data=self._progress().data, paused=self._control.is_paused)

    def _show(self) -> None:
        self._parts.listener(self._progress())
        if self._parts.models is not None:
            self._watch(self._parts.models)

    def _progress(self) -> Event:
        executor = self._parts.bench.executor
        vitals = Vitals(
            in_flight=len(self._flying),
            workers=executor.capacity,
            lost_workers=executor.n_lost_workers,
            session_seconds=self.session_seconds,
            seconds=self.run_seconds,
            paused=self._control.is_paused,
            worker_states=getattr(executor, "worker_states", []),
        )
        models = self._parts.models
        totals = None if models is None else models.totals
        failures = self._parts.journal.failures
        return progress_event(self._search, self._parts.budget, vitals, totals, failures=failures)

    def _watch(self, models: ModelDesk) -> None:
        """Say which models fell silent; without any, go on with the other operators if there are some."""
        for text in models.news():
            self._parts.listener(Event(kind="warning", data={"text": text}))
        if models.is_dead and not self._is_alone:
            if not self._search.has_plain_operators:
                models.require_alive()
            self._is_alone = True
            text = "no language model can be used: the search goes on with the operators that need none"
            self._parts.listener(Event(kind="warning", data={"text": text}))

    def _landing(self, reason: str) -> Landing:
        return Landing(reason, self._parts.models, self._clock)

    async def _land(self, landing: Landing) -> None:
        """Let what is in flight land, as long as that is worthwhile and nobody says no."""
        landing.begin()
        while self._flying and not self._told_to_abort.is_set():
            if not landing.goes_on(is_asked_to_stop=self._asked_to_stop.is_set()):
                break
            await self._wait(TICK_SECONDS)
            self._obey()
            if landing.tells_on:
                self._tell_ready()
            self._show()

    async def _cancel(self) -> None:
        for task in self._flying:
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)
        self._flying.clear()
