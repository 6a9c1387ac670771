"""The executor for clusters: parcels of tasks on Ray, each done by a process of ours below a Ray worker."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evolve.errors import EvolveEnvironmentError, ResumableError
from evolve.executors.batching import Job
from evolve.executors.contract import TaskError, iteration_of
from evolve.executors.frames import encode
from evolve.executors.gpu_slots import without_cards
from evolve.executors.ray_flights import Flights
from evolve.executors.ray_process import RESUME_HINT, RayProcess
from evolve.executors.ray_worker import asks_for_cards
from evolve.executors.reservation import notices_of, slots_of, too_small
from evolve.executors.shipping import departed, hash_of, packed

N_STATES = 100
N_NAMED = 10
"""So many iterations of a parcel are named."""


class RayExecutor:
    """Runs tasks in processes below Ray workers, several short ones in one Ray task; see `Executor`.

    A task whose process or Ray worker dies is tried three times, next on another node if there is one, and given up
    when it died on two. One whose node vanishes, or whose companion died, is sent again, and is not blamed.

    Without an `address` it starts a cluster of `n_workers` slots on this machine and ends it. With one it joins that
    cluster; `n_workers` bounds how many tasks run there at a time, None takes all processors, as they come and go.
    `folders` are sent to the workers by content: payloads name them.

    `gpus` is what a task whose judge asks for cards takes of them: a fraction of one, or several whole ones. Ray says
    which; the judge is told those in place of the ones that its problem names. In a cluster without cards such tasks
    run on processors, and `gpu_notice` says so, unless they are `gpus_needed`.

    With an address each task books `memory_bytes` of its node's memory, see `evolve.executors.reservation`; `notices`
    names the nodes that have too little. In a cluster of our own there is nobody to share with: nothing is booked, and
    as many run as was asked for.
    """

    def __init__(  # noqa: PLR0913 - where and how much of it
        self,
        *,
        n_workers: int | None,
        handler: str,
        address: str | None = None,
        folders: Sequence[Path] = (),
        gpus: float | None = None,
        gpus_needed: bool = True,
        memory_bytes: int = 0,
    ) -> None:
        if n_workers is not None and n_workers < 1:
            raise ValueError(f"n_workers is {n_workers}, expected at least 1")
        if gpus and (gpus < 0 or (gpus > 1 and gpus != int(gpus))):
            raise ValueError(f"gpus is {gpus}, expected a fraction of one card or a whole number of cards")
        self._handler, self._n_workers, self._address, self._folders = handler, n_workers, address, folders
        self._gpus_needed, self.gpu_notice = gpus_needed, ""
        self.notices: list[str] = []
        self._hashes: dict[str, str] = {}
        self._flights = Flights(
            lambda message, blob: self._process.say(message, blob),
            most=n_workers if address is not None else None,
            gpus=gpus or 0.0,
            memory=memory_bytes if address is not None else 0,
        )
        self._process = RayProcess(hear=self._flights.hear, lost=self._flights.end)

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time."""
        return self._flights.capacity

    @property
    def n_lost_workers(self) -> int:
        """How many workers died, alone or with their node, so far."""
        return self._flights.n_lost

    @property
    def worker_states(self) -> list[dict[str, Any]]:
        """What every worker does: its `node`, `pid`, `state`, the `task`, whose, for how many seconds; the idle last.

        Whose: the `iteration`, of a parcel all of them.
        """
        now, memory = time.monotonic(), self._flights.memory
        idle = {node["id"]: slots_of(node, memory) for node in self._flights.nodes}
        names = {node["id"]: f"{node['name']} {node['id'][:6]}" for node in self._flights.nodes}
        states: list[dict[str, Any]] = []
        for flight in self._flights.in_flight.values():
            node = "" if flight.post is None else str(flight.post["node"])
            if node not in names or flight.post is None:
                continue
            idle[node] -= 1
            work = flight.jobs[0].task + (f" x {len(flight.jobs)}" if len(flight.jobs) > 1 else "")
            busy = _state(names[node], flight.post["pid"], "busy")
            whose = ", ".join(dict.fromkeys(job.iteration for job in flight.jobs[:N_NAMED] if job.iteration))
            states.append({**busy, "task": work, "iteration": whose, "seconds": round(now - flight.since, 3)})
        states += [_state(names[node], None, f"{n} idle") for node, n in idle.items() if n > 0]
        states += [
            _state(names[node["id"]], None, "too little memory") for node in too_small(self._flights.nodes, memory)
        ]
        return states[:N_STATES]

    @property
    def gpu_states(self) -> list[dict[str, Any]]:
        """The graphics cards of each node, as far as Ray counts them."""
        return [
            {"node": node["name"], "cards": node["gpus"], "share": self._flights.gpus}
            for node in self._flights.nodes
            if node["gpus"] and self._flights.gpus
        ]

    async def start(self) -> None:
        """Start or join the cluster; see `Executor.start`.

        Raises:
            EvolveEnvironmentError: Ray is missing, there is no cluster that can be used, or no node has memory enough.
        """
        bundles = {}
        for folder in self._folders:
            bundle = packed(folder)
            self._hashes[str(folder)] = hash_of(bundle)
            bundles[hash_of(bundle)] = bundle
        opening = {
            "address": self._address,
            "n_workers": self._n_workers,
            "handler": self._handler,
            "gpus": self._flights.gpus,
            "memory": self._flights.memory,
        }
        await self._process.open(opening, bundles)
        self.notices = notices_of(self._flights.nodes, self._flights.memory)
        if self._flights.gpus and not any(map(self._flights.room_of, self._flights.nodes)):
            self._do_without_cards()

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Run one task and return its answer; see `Executor.submit`.

        Raises:
            ResumableError: the cluster is gone.
            EvolveEnvironmentError: a node cannot run Evolve at all.
        """
        if self._flights.end_error is not None:
            raise self._flights.end_error
        gpus = self._flights.gpus
        asks = asks_for_cards(payload)
        shipped = departed(without_cards(payload) if asks and not gpus else payload, self._hashes)
        job = Job(
            task=task,
            frame=encode({"task": task, "payload": shipped}),
            answer=asyncio.get_running_loop().create_future(),
            needs_cards=asks and gpus > 0,
            iteration=iteration_of(payload),
        )
        self._flights.add(job)
        try:
            message = await job.answer
        except asyncio.CancelledError:
            self._flights.drop(job)
            raise
        if "error" in message:
            raise TaskError(f"task {task} failed in a worker:\n{message['error']}")
        answer: dict[str, Any] = message["answer"]
        return answer

    async def close(self) -> None:
        """Kill what is in flight and leave the cluster, or end it if it is ours; unanswered work is dropped."""
        self._flights.end(ResumableError("the executor is closed", hint=RESUME_HINT))
        await self._process.close()

    def _do_without_cards(self) -> None:
        if self._gpus_needed:
            raise EvolveEnvironmentError(
                f"no node of the Ray cluster has a graphics card, and memory, for a task that takes "
                f"{self._flights.gpus:g} cards",
                hint='look at `evolve doctor --ray`, or let the problem do without: [sandbox] gpus = "auto"',
            )
        self._flights.gpus = 0.0
        self.gpu_notice = (
            "no node of the Ray cluster has the cards and the memory of a task: candidates are judged on processors"
        )


def _state(node: str, pid: int | None, state: str) -> dict[str, Any]:
    return {"node": node, "pid": pid, "state": state, "task": "", "iteration": "", "seconds": 0.0}
