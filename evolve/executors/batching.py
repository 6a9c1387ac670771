"""Which tasks travel together: as many as make up a second of work, and never so many that others have none."""

import math
from asyncio import Future
from collections import deque
from dataclasses import dataclass, field
from typing import Any

TARGET_SECONDS = 1.0
"""How much work is sent at a time. What a cluster adds to each parcel is milliseconds, see docs/benchmarks.md."""
MAX_BYTES = 1 << 22
"""A parcel with more than this gets no more tasks."""
LEARNING_RATE = 0.3

Lane = tuple[str, bool]


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """One task that waits for its answer. `frame` is what a worker reads.

    `iteration` is whose it is, "" where that is not told. `deaths` are the nodes where its worker died ("" where nobody
    knows), `refusals` those that could not begin it, and `n_losses` counts what else was not its fault. One that may
    have killed a worker travels alone from then on.
    """

    task: str
    frame: bytes
    answer: Future[dict[str, Any]]
    needs_cards: bool = False
    iteration: str = ""
    number: int = 0
    deaths: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    n_losses: int = 0
    is_alone: bool = False

    @property
    def lane(self) -> Lane:
        """What it has in common with those it may travel with."""
        return self.task, self.needs_cards


class Durations:
    """What tasks of a kind take, as far as was measured: a mean that forgets."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def learn(self, task: str, seconds: list[float]) -> None:
        """Note what some tasks of one parcel took."""
        if not seconds:
            return
        mean = math.fsum(seconds) / len(seconds)
        before = self._seconds.get(task, mean)
        self._seconds[task] = before + LEARNING_RATE * (mean - before)

    def n_for(self, seconds: float, task: str) -> int:
        """How many tasks of this kind take so long together; 1 as long as nothing is known."""
        each = self._seconds.get(task)
        return 1 if each is None else max(1, int(seconds / max(each, 1e-6)))


class Queue:
    """Tasks that wait, in lanes of those that may travel together; the oldest goes first."""

    def __init__(self) -> None:
        self.durations = Durations()
        self._lanes: dict[Lane, deque[Job]] = {}
        self._n_seen = 0

    def __len__(self) -> int:
        """How many wait."""
        return sum(map(len, self._lanes.values()))

    def add(self, job: Job) -> None:
        """A new one, behind all others."""
        self._n_seen += 1
        job.number = self._n_seen
        self._lanes.setdefault(job.lane, deque()).append(job)

    def add_again(self, jobs: list[Job]) -> None:
        """Those that waited before: they keep their age. The ones nobody waits for any more are left out."""
        for job in reversed(jobs):
            if not job.answer.done():
                self._lanes.setdefault(job.lane, deque()).appendleft(job)

    def remove(self, job: Job) -> bool:
        """Take one out; whether it was there."""
        lane = self._lanes.get(job.lane, ())
        if job not in lane:
            return False
        self._lanes[job.lane].remove(job)
        return True

    def take(self, n_slots: int) -> list[Job]:
        """The next parcel: a second of work, but no more than a slot's share of what waits. At least one task.

        What remains is shared again each time, so the last parcels are small and slots become idle together.
        """
        lane = min((each for each in self._lanes.values() if each), key=lambda each: each[0].number)
        share = math.ceil(len(lane) / max(n_slots, 1))
        wanted = min(share, self.durations.n_for(TARGET_SECONDS, lane[0].task))
        parcel = [lane.popleft()]
        n_bytes = len(parcel[0].frame)
        while len(parcel) < wanted and lane and n_bytes < MAX_BYTES and not (parcel[0].is_alone or lane[0].is_alone):
            parcel.append(lane.popleft())
            n_bytes += len(parcel[-1].frame)
        return parcel
