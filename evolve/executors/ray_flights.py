"""Parcels on their way through a cluster: what may be in flight, what is sent again, who is to blame for a death."""

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evolve.errors import EvolveEnvironmentError, ResumableError
from evolve.executors.batching import Job, Queue
from evolve.executors.contract import InfrastructureError
from evolve.executors.frames import bodies, decode
from evolve.executors.gpu_slots import n_slots
from evolve.executors.ray_process import RESUME_HINT
from evolve.executors.reservation import slots_of

N_TRIES = 3
N_NODES = 2
"""A task whose worker died on so many different nodes is not tried on another."""
N_LOSSES = 20
"""So many nodes may vanish under one task: none of them was its fault."""
IN_FLIGHT_PER_SLOT = 2
"""One parcel is worked on, one waits in the cluster: no slot idles, and little is lost with the controller."""
OOM_PAUSE_SECONDS = 1.0
"""Where memory is short, a second try at once would meet the same shortage."""
KILLED = frozenset({"WorkerCrashedError", "OutOfMemoryError"})
OUT_OF_MEMORY = "OutOfMemoryError"
NO_BEGIN = "RayTaskError"
LOST = frozenset({"NodeDiedError", "ObjectLostError", "OutOfDiskError", "ObjectStoreFullError", "TaskCancelledError"})
GONE = frozenset({"LocalRayletDiedError", "RaySystemError", "RpcError"})


@dataclass(slots=True, eq=False)
class Flight:
    """A parcel on its way. `post` is what its worker said when it began."""

    jobs: list[Job]
    is_cancelled: bool = False
    post: Mapping[str, Any] | None = None
    since: float = field(default_factory=time.monotonic)


class Flights:
    """Sends what waits in parcels, with `say`, and hears how they land. One event loop owns it.

    `most` bounds how many are in flight, None leaves that to the size of the cluster. `gpus` is what a task that needs
    cards takes of them, `memory` how many bytes of a node's memory each task books.
    """

    def __init__(
        self, say: Callable[[Mapping[str, Any], bytes], None], *, most: int | None, gpus: float, memory: int = 0
    ) -> None:
        self._say, self._most, self.gpus, self.memory = say, most, gpus, memory
        self._queue = Queue()
        self._numbers = itertools.count(1)
        self._is_pumping = False
        self.in_flight: dict[int, Flight] = {}
        self.nodes: list[Mapping[str, Any]] = []
        self.n_lost = 0
        self.end_error: ResumableError | None = None

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time."""
        n_free = sum(map(self.room_of, self.nodes))
        return n_free if self._most is None else min(self._most, n_free)

    def room_of(self, node: Mapping[str, Any]) -> int:
        """How many tasks run on a node at the same time, each with its memory and its share of the cards."""
        n_free = slots_of(node, self.memory)
        return min(n_free, n_slots(int(node["gpus"]), self.gpus)) if self.gpus else n_free

    def add(self, job: Job) -> None:
        """Send a task as soon as there is room."""
        self._queue.add(job)
        self._pump_soon()

    def drop(self, job: Job) -> None:
        """Nobody waits for this answer any more; if it is in flight, its companions are sent again."""
        if self._queue.remove(job):
            return
        for number, flight in self.in_flight.items():
            if job in flight.jobs and not flight.is_cancelled:
                flight.is_cancelled = True
                self._say({"do": "cancel", "flight": number}, b"")

    def _pump_soon(self) -> None:
        """Send what waits, but first let others join who come in the same turn of the loop."""
        if not self._is_pumping:
            self._is_pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._is_pumping = False
        if self.end_error is not None:
            return
        while len(self._queue) and len(self.in_flight) < self._limit:
            self._fly(self._queue.take(self.capacity))

    @property
    def _limit(self) -> int:
        bound = IN_FLIGHT_PER_SLOT * max(self.capacity, 1)
        return bound if self._most is None else min(bound, self._most)

    def _fly(self, jobs: list[Job]) -> None:
        number = next(self._numbers)
        self.in_flight[number] = Flight(jobs)
        order = {
            "do": "fly",
            "flight": number,
            "needs_cards": jobs[0].needs_cards,
            "node": self._other_node(jobs[0]),
        }
        self._say(order, b"".join(job.frame for job in jobs))

    def _other_node(self, job: Job) -> str:
        """A node where this task has met no trouble; "" where it may go anywhere, or there is none."""
        bad = {*job.deaths, *job.refusals}
        if not bad:
            return ""
        has_room = self.room_of if job.needs_cards else lambda node: slots_of(node, self.memory)
        fit = [node for node in self.nodes if has_room(node)]
        others = [node["id"] for node in fit if node["id"] not in bad]
        return others[(job.number + len(bad)) % len(others)] if others else ""

    def hear(self, message: Mapping[str, Any], blob: bytes) -> None:
        """Take in what the process that speaks with Ray says; see `evolve.executors.ray_driver`."""
        if message["say"] == "look":
            self.nodes = message["nodes"]
            for post in message["posts"]:
                self._note(post)
            self._pump_soon()
        elif message["say"] in ("landed", "lost"):
            flight = self.in_flight.pop(message["flight"])
            if message["say"] == "landed":
                self._land(flight, blob)
            else:
                self._lose(flight, message)
            self._pump_soon()

    def _note(self, post: Mapping[str, Any]) -> None:
        flight = self.in_flight.get(post["flight"])
        if flight is not None and flight.post is None:
            flight.post, flight.since = post, time.monotonic()

    def _land(self, flight: Flight, blob: bytes) -> None:
        try:
            facts, *messages = map(decode, bodies(blob))
            node, died = str(facts["node"]), "died" in facts
            durations = [float(each) for each in facts["seconds"]][1 if facts.get("is_cold") else 0 :]
            if not all(map(math.isfinite, durations)) or not all(map(_is_answer, messages)):
                raise ValueError("a worker does not say such things")
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._blame(flight, "", pause=0.0)
        jobs = flight.jobs
        self._queue.durations.learn(jobs[0].task, durations)
        for job, message in zip(jobs, messages, strict=False):
            if not job.answer.done():
                job.answer.set_result(message)
        left = jobs[len(messages) :]
        n_blamed = int(died)
        self._queue.add_again(left[n_blamed:])
        if left[:n_blamed]:
            self._blame(Flight(left[:1], flight.is_cancelled), node, pause=0.0)
        return None

    def _lose(self, flight: Flight, message: Mapping[str, Any]) -> None:
        kinds = frozenset(message["kinds"])
        if flight.is_cancelled and kinds.isdisjoint(GONE):
            self._queue.add_again(flight.jobs)
        elif kinds & KILLED:
            self._blame(flight, message["node"], pause=OOM_PAUSE_SECONDS if OUT_OF_MEMORY in kinds else 0.0)
        elif kinds & LOST:
            self.n_lost += 1
            self._excuse(flight.jobs)
        elif NO_BEGIN in kinds:
            self._send_elsewhere(flight.jobs, message["node"], _unusable(kinds, message["text"]))
        else:
            error = _unusable(kinds, message["text"])
            for job in flight.jobs:
                _refuse(job, error)

    def _blame(self, flight: Flight, node: str, *, pause: float) -> None:
        """A worker died: by its only task, or by one of them, and then each has to show alone that it is innocent."""
        if flight.is_cancelled:
            return self._queue.add_again(flight.jobs)
        self.n_lost += 1
        jobs = flight.jobs
        for job in jobs:
            job.is_alone = True
        if len(jobs) > 1:
            return self._excuse(jobs)
        job = jobs[0]
        job.deaths.append(node)
        if len(job.deaths) >= N_TRIES or len({each for each in job.deaths if each}) >= N_NODES:
            return _refuse(job, _given_up(job))
        if pause:
            asyncio.get_running_loop().call_later(pause * len(job.deaths), self._go_on_with, job)
        else:
            self._queue.add_again(jobs)
        return None

    def _go_on_with(self, job: Job) -> None:
        self._queue.add_again([job])
        self._pump_soon()

    def _send_elsewhere(self, jobs: list[Job], node: str, error: Exception) -> None:
        """A node could not even begin (its disk is full, its Evolve is another): a few of them end the run."""
        for job in jobs:
            job.refusals.append(node)
            if len(job.refusals) >= N_TRIES:
                _refuse(job, error)
        self._queue.add_again(jobs)

    def _excuse(self, jobs: list[Job]) -> None:
        for job in jobs:
            job.n_losses += 1
            if job.n_losses >= N_LOSSES:
                _refuse(job, _given_up(job))
        self._queue.add_again(jobs)

    def end(self, error: ResumableError) -> None:
        """The cluster is gone: nothing that waits or flies will ever be answered."""
        self.end_error = self.end_error or error
        waiting = [job for flight in self.in_flight.values() for job in flight.jobs]
        while len(self._queue):
            waiting += self._queue.take(1)
        self.in_flight.clear()
        for job in waiting:
            _refuse(job, error)


def _is_answer(message: Any) -> bool:
    """Whether it is what `evolve.executors.worker` sends."""
    is_error = isinstance(message, dict) and isinstance(message.get("error"), str)
    return is_error or (isinstance(message, dict) and isinstance(message.get("answer"), dict))


def _refuse(job: Job, error: Exception) -> None:
    if not job.answer.done():
        job.answer.set_exception(error)


def _given_up(job: Job) -> InfrastructureError:
    return InfrastructureError(
        f"{len(job.deaths)} workers died and {job.n_losses} were lost with their nodes while they ran task {job.task}; "
        f"what they said is in the logs of Ray (a cluster that Evolve started keeps none)"
    )


def _unusable(kinds: frozenset[str], said: str) -> ResumableError | EvolveEnvironmentError:
    if kinds & GONE:
        return ResumableError(f"the Ray cluster is gone: {said}", hint=RESUME_HINT)
    return EvolveEnvironmentError(
        f"a Ray worker cannot run Evolve: {said}",
        hint="every node needs the same versions of Python, Ray and Evolve",
    )
