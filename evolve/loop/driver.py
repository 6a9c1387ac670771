"""The loop itself: keep a bounded window of iterations in flight, tell them in order, stop cleanly."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from evolve.loop.control import Control, GatedAsker
from evolve.loop.exhaustion import Exhaustion
from evolve.loop.flights import Flights
from evolve.loop.iteration import run_iteration
from evolve.loop.landing import LANDING, Landing
from evolve.loop.parts import RunParts
from evolve.loop.reporting import HEARTBEAT_SECONDS, Reporter
from evolve.loop.told import Told
from evolve.store import IterationRecord, Pulse
from evolve.store.control import Wanted

TICK_SECONDS = 0.25


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
        self._last_write = -math.inf
        self._backlog = deque(parts.past.backlog)
        self._next_plan = self._backlog[-1].number + 1 if self._backlog else 1
        self._flights = Flights()
        self._reporter = Reporter(parts, self._control, self._flights, clock)
        self._ready: dict[int, Told] = {}
        self._exhaustion = Exhaustion(parts.search.lessons, parts.models)
        self._asked_to_stop = asyncio.Event()
        self._is_to_abort = False
        self._asked_by = "signal"
        self._asker: dict[str, Any] = {}
        self.stopped_by: str | None = None

    @property
    def session_seconds(self) -> float:
        """Wall time of this session, without pauses."""
        return self._control.watch.seconds

    @property
    def run_seconds(self) -> float:
        """Wall time of all sessions of the run."""
        return self._reporter.run_seconds

    def pulse(self) -> Pulse:
        """The state of the run, as readers of the log are to see it."""
        return self._reporter.pulse()

    def ask_to_stop(self) -> None:
        """Once: plan nothing more, let what is in flight finish for a while. Twice, or at an end by itself: drop it."""
        if self._asked_to_stop.is_set() or (self.stopped_by is not None and self.stopped_by not in LANDING):
            self._is_to_abort = True
        self._asked_to_stop.set()
        self._flights.wake()
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
                has_landed = await self._wait()
                self._tell_ready()
                self._reporter.show(has_landed=has_landed)
            assert self.stopped_by is not None
            landing = self._landing(self.stopped_by)
            if landing.is_worthwhile:
                self._reporter.announce(
                    "stopping", {"reason": self.stopped_by, "in_flight": len(self._flights), **self._asker}
                )
                await self._land(landing)
        finally:
            await self._flights.cancel()
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
            self._reporter.announce("paused", {"in_flight": len(self._flights), "by": request.asker()})
        elif request.wanted is Wanted.RESUME and self._control.is_paused:
            self._control.go_on()
            self._reporter.announce("resumed", {"by": request.asker()})

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
            plan = self._backlog.popleft()
            self._flights.start(plan.number, run_iteration(plan, self._search, self._bench))

    def _may_dispatch(self) -> bool:
        """Whether one more iteration may begin.

        Where replies cost money no more begin than can still be told: what a plan brings does not depend on when.
        """
        if self._control.is_paused or self._exhaustion.is_waiting:
            return False
        if self._parts.models is None or self._parts.counts is not None:
            return True
        left = self._evaluations_left()
        return left is None or len(self._flights) + len(self._ready) < left

    async def _wait(self) -> bool:
        """Wait a moment, until something lands at most; whether something did."""
        landed = await self._flights.landed(TICK_SECONDS)
        self._ready.update(landed)
        return bool(landed)

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
            for event in self._parts.journal.commit(records, self.session_seconds, self._reporter.pulse_if_due()):
                self._parts.listener(event)
        elif self._clock() - self._last_write > HEARTBEAT_SECONDS:
            self._last_write = self._clock()
            self._parts.writer.heartbeat(self.session_seconds, self._reporter.pulse_if_due())

    def _may_tell(self) -> bool:
        counts = self._parts.counts
        return self._evaluations_left() != 0 if counts is None else self._search.last_told + 1 < len(counts)

    def _evaluations_left(self) -> int | None:
        if self._parts.counts is not None:
            return self._parts.counts[self._search.last_told + 1]
        limit = self._parts.budget.evaluations
        return None if limit is None else max(limit - self._search.n_evaluations, 0)

    def _landing(self, reason: str) -> Landing:
        return Landing(reason, self._parts.models, self._clock)

    async def _land(self, landing: Landing) -> None:
        """Let what is in flight land, as long as that is worthwhile and nobody says no."""
        landing.begin()
        while self._flights and not self._is_to_abort:
            if not landing.goes_on(is_asked_to_stop=self._asked_to_stop.is_set()):
                break
            has_landed = await self._wait()
            self._obey()
            if landing.tells_on:
                self._tell_ready()
            self._reporter.show(has_landed=has_landed)
