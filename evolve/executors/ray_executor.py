"""The executor for clusters: tasks on Ray, each done by a process of ours below a Ray worker."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evolve.errors import EvolveEnvironmentError, ResumableError
from evolve.executors.contract import InfrastructureError, TaskError
from evolve.executors.frames import decode, encode
from evolve.executors.ray_link import RayLink
from evolve.executors.ray_worker import DIED, probe, serve
from evolve.executors.shipping import departed, hash_of, packed

N_TRIES = 3
N_LOSSES = 20
"""So many nodes may vanish under one task: none of them was its fault."""
IN_FLIGHT_PER_SLOT = 2
"""One task runs, one waits in the cluster: enough that no slot idles, and little is lost with the controller."""
KILLED = frozenset({"WorkerCrashedError", "OutOfMemoryError"})
LOST = frozenset({"NodeDiedError", "ObjectLostError", "OutOfDiskError", "ObjectStoreFullError", "TaskCancelledError"})
GONE = frozenset({"LocalRayletDiedError", "RaySystemError", "RpcError"})


class RayExecutor:
    """Runs each task in a process below a Ray worker; see `Executor`.

    A task whose process or Ray worker dies is tried three times. One whose node vanishes is tried elsewhere, and that
    is not held against it. Ray's own retries are off: they would repeat a task that eats all memory for ever.

    Without an `address` it starts a cluster of `n_workers` slots on this machine and ends it. With one it joins that
    cluster; `n_workers` bounds how many tasks run there at a time, None takes all processors, as they come and go.
    `folders` are sent to the workers by content: payloads name them.
    """

    def __init__(
        self, *, n_workers: int | None, handler: str, address: str | None = None, folders: Sequence[Path] = ()
    ) -> None:
        if n_workers is not None and n_workers < 1:
            raise ValueError(f"n_workers is {n_workers}, expected at least 1")
        self._handler, self._n_workers, self._folders = handler, n_workers, folders
        self._most = n_workers if address is not None else None
        self._link = RayLink(address=address, n_workers=n_workers, resized=self._resize_soon)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._remote: Any = None
        self._hashes: dict[str, str] = {}
        self._bundles: list[Any] = []
        self._n_slots = n_workers or 1
        self._n_flying = self._n_lost = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time."""
        return self._n_slots if self._most is None else min(self._most, self._n_slots)

    @property
    def n_lost_workers(self) -> int:
        """How many workers died, alone or with their node, so far."""
        return self._n_lost

    async def start(self) -> None:
        """Start or join the cluster; see `Executor.start`.

        Raises:
            EvolveEnvironmentError: Ray is missing, or there is no cluster that can be used.
        """
        self._loop = asyncio.get_running_loop()
        await self._link.open()
        ray = self._link.ray
        self._remote = ray.remote(max_retries=0, num_cpus=1)(serve)
        for folder in self._folders:
            bundle = packed(folder)
            self._hashes[str(folder)] = hash_of(bundle)
            self._bundles.append(ray.put(bundle))
        self._n_flying += 1
        outcome = await self._flown(ray.remote(max_retries=0, num_cpus=1)(probe).remote())
        if isinstance(outcome, Exception):
            raise _unusable(outcome)

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Run one task and return its answer; see `Executor.submit`.

        Raises:
            ResumableError: the cluster is gone.
            EvolveEnvironmentError: a node cannot run Evolve at all.
        """
        encode({"task": task, "payload": payload})  # what is no JSON data is the caller's error, not a worker's
        shipped = departed(payload, self._hashes)
        n_deaths = n_losses = 0
        while n_deaths < N_TRIES and n_losses < N_LOSSES:
            await self._place()
            outcome = await self._flown(self._remote.remote(self._handler, task, shipped, *self._bundles))
            if isinstance(outcome, bytes):
                message = decode(outcome)
                if DIED not in message:
                    return _answer(task, message)
                n_deaths += 1
            elif _is(outcome, KILLED):
                n_deaths += 1
            elif _is(outcome, LOST):
                n_losses += 1
            else:
                raise _unusable(outcome)
            self._n_lost += 1
        raise InfrastructureError(
            f"{n_deaths} workers died and {n_losses} nodes were lost while they ran task {task}; "
            f"what they said is in the logs of Ray"
        )

    async def close(self) -> None:
        """Kill what is in flight and leave the cluster, or end it if it is ours; unanswered work is dropped."""
        await self._link.close()

    async def _place(self) -> None:
        """Wait until one more task may be in flight."""
        if self._n_flying < self._limit and not self._waiting:
            self._n_flying += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()  # it was given, and nobody takes it
            raise

    @property
    def _limit(self) -> int:
        bound = IN_FLIGHT_PER_SLOT * max(self._n_slots, 1)
        return bound if self._most is None else min(bound, self._most)

    def _release(self) -> None:
        self._n_flying -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._n_flying < self._limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._n_flying += 1
                turn.set_result(None)

    async def _flown(self, reference: Any) -> bytes | Exception:
        """Wait until a task has landed; its place is free then, also where nobody waits any more."""
        assert self._loop is not None
        loop, future = self._loop, self._loop.create_future()

        def land(outcome: bytes | Exception) -> None:
            self._release()
            if not future.done():
                future.set_result(outcome)

        self._link.watch(reference, lambda outcome: loop.call_soon_threadsafe(land, outcome))
        try:
            landed: bytes | Exception = await future
        except asyncio.CancelledError:
            self._link.cancel(reference)
            raise
        return landed

    def _resize_soon(self, n_slots: int) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._resize, n_slots)

    def _resize(self, n_slots: int) -> None:
        self._n_slots = n_slots
        self._let_in()


def _answer(task: str, message: Mapping[str, Any]) -> dict[str, Any]:
    if "error" in message:
        raise TaskError(f"task {task} failed in a worker:\n{message['error']}")
    answer: dict[str, Any] = message["answer"]
    return answer


def _is(error: Exception, names: frozenset[str]) -> bool:
    """Whether it is of one of these kinds of Ray's, which cannot be named before Ray is imported."""
    return any(each.__name__ in names for each in type(error).__mro__)


def _unusable(error: Exception) -> ResumableError | EvolveEnvironmentError:
    said = str(error).strip()[-2000:]
    if _is(error, GONE):
        return ResumableError(f"the Ray cluster is gone: {said}", hint="nothing is lost: `evolve resume` goes on")
    return EvolveEnvironmentError(
        f"a Ray worker cannot run Evolve: {said}",
        hint="every node needs the same versions of Python, Ray and Evolve",
    )
