"""How a session tells of itself: to its listener, and in the pulse that readers of the log see."""

import math
from collections.abc import Callable
from typing import Any

from evolve.loop.control import Control
from evolve.loop.events import Event
from evolve.loop.flights import Flights
from evolve.loop.models import ModelDesk
from evolve.loop.parts import RunParts
from evolve.loop.progress import Vitals, progress_event
from evolve.store import Pulse
from evolve.view.slots import ENOUGH, idle_slots_notice

SHOW_SECONDS = 0.25
HEARTBEAT_SECONDS = 1.0
"""How often the state of the run is on disk; whoever watches reads it there."""


class Reporter:
    """Reports on a session of these parts; what it costs does not grow with what is in flight."""

    def __init__(self, parts: RunParts, control: Control, flights: Flights, clock: Callable[[], float]) -> None:
        self._parts, self._control, self._flights, self._clock = parts, control, flights, clock
        self._last_pulse = self._last_shown = -math.inf
        self._told_then = -1
        self._slots_told = 0
        self._is_alone = False

    @property
    def run_seconds(self) -> float:
        """Wall time of all sessions of the run."""
        return self._parts.past.seconds + self._control.watch.seconds

    def announce(self, kind: str, data: dict[str, Any]) -> None:
        """Say something of the session itself, once it is on disk."""
        self._parts.writer.append([], events=[(kind, data)], seconds=self._control.watch.seconds, pulse=self.pulse())
        self._parts.listener(Event(kind=kind, data=data))

    def pulse(self) -> Pulse:
        """The state of the run, as readers of the log are to see it."""
        return Pulse(seconds=self.run_seconds, data=self._progress().data, paused=self._control.is_paused)

    def pulse_if_due(self) -> Pulse | None:
        """The same, about once a second."""
        now = self._clock()
        if now - self._last_pulse < HEARTBEAT_SECONDS:
            return None
        self._last_pulse = now
        return self.pulse()

    def show(self, *, has_landed: bool) -> None:
        """Say how far the search is. What has landed and was not told yet is no news by itself, but now and then."""
        now, told = self._clock(), self._parts.search.last_told
        if not has_landed or told != self._told_then or now - self._last_shown >= SHOW_SECONDS:
            self._last_shown, self._told_then = now, told
            self._note_idle_slots()
            self._parts.listener(self._progress())
        if self._parts.models is not None:
            self._watch(self._parts.models)

    def _note_idle_slots(self) -> None:
        """Say once how many slots the window leaves idle, and again when nodes that joined have doubled the slots."""
        slots, window = self._parts.bench.executor.capacity, self._parts.window
        text = idle_slots_notice(slots, window)
        if text and slots >= 2 * self._slots_told:
            self._slots_told = slots
            about = {"about": "window", "slots": slots, "window": window, "window_for_all": ENOUGH * slots}
            self.announce("warning", {"text": text, **about})

    def _progress(self) -> Event:
        parts, executor = self._parts, self._parts.bench.executor
        vitals = Vitals(
            in_flight=len(self._flights),
            workers=executor.capacity,
            lost_workers=executor.n_lost_workers,
            session_seconds=self._control.watch.seconds,
            seconds=self.run_seconds,
            paused=self._control.is_paused,
            worker_states=getattr(executor, "worker_states", []),
            gpus=getattr(executor, "gpu_states", []),
        )
        totals = None if parts.models is None else parts.models.totals
        return progress_event(parts.search, parts.budget, vitals, totals, failures=parts.journal.failures)

    def _watch(self, models: ModelDesk) -> None:
        """Say which models fell silent; without any, go on with the other operators if there are some."""
        for text in models.news():
            self._parts.listener(Event(kind="warning", data={"text": text}))
        if models.is_dead and not self._is_alone:
            if not self._parts.search.has_plain_operators:
                models.require_alive()
            self._is_alone = True
            text = "no language model can be used: the search goes on with the operators that need none"
            self._parts.listener(Event(kind="warning", data={"text": text}))
