"""The default executor: worker processes on this machine, restarted when they die."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from evaluators.environment import scrubbed_environment
from evolve.executors.contract import InfrastructureError, TaskError, iteration_of
from evolve.executors.frames import HEADER_BYTES, decode, decode_length, encode
from evolve.executors.sessions import kill_session

N_TRIES = 3


class LocalExecutor:
    """Runs each task in one of `n_workers` processes; a task that kills its worker is tried three times.

    Workers see a scrubbed environment (no keys), ignore the terminal's Ctrl-C and die with the controller.
    """

    def __init__(self, *, n_workers: int, handler: str) -> None:
        if n_workers < 1:
            raise ValueError(f"n_workers is {n_workers}, expected at least 1")
        self._handler = handler
        self._n_workers = n_workers
        self._idle: asyncio.Queue[asyncio.subprocess.Process] = asyncio.Queue()
        self._alive: set[asyncio.subprocess.Process] = set()
        self._busy: dict[int, tuple[str, str, float]] = {}
        self._n_lost = 0
        self._closed = False

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time."""
        return self._n_workers

    @property
    def n_lost_workers(self) -> int:
        """How many workers died and were replaced so far."""
        return self._n_lost

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers that live now."""
        return sorted(process.pid for process in self._alive)

    @property
    def worker_states(self) -> list[dict[str, Any]]:
        """What every worker does: `pid`, `state` (idle or busy), the `task`, its `iteration`, for how many seconds."""
        now = time.monotonic()
        states: list[dict[str, Any]] = []
        for pid in self.worker_pids:
            task, iteration, since = self._busy.get(pid, ("", "", now))
            doing = {"state": "busy" if task else "idle", "task": task, "iteration": iteration}
            states.append({"pid": pid, **doing, "seconds": round(now - since, 3)})
        return states

    async def start(self) -> None:
        """Start the workers."""
        for _ in range(self._n_workers):
            self._idle.put_nowait(await self._spawn())

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Run one task and return its answer; see `Executor.submit`."""
        frame = encode({"task": task, "payload": payload})
        for _ in range(N_TRIES):
            process = await self._living()
            self._busy[process.pid] = task, iteration_of(payload), time.monotonic()
            try:
                message = await self._exchange(process, frame)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                await self._replace(process)
                continue
            except asyncio.CancelledError:
                await self._replace(process)
                raise
            finally:
                self._busy.pop(process.pid, None)
            self._idle.put_nowait(process)
            if "error" in message:
                raise TaskError(f"task {task} failed in a worker:\n{message['error']}")
            answer: dict[str, Any] = message["answer"]
            return answer
        raise InfrastructureError(
            f"{N_TRIES} workers in a row died while they ran task {task}; what they said is on standard error"
        )

    async def _living(self) -> asyncio.subprocess.Process:
        """A worker that waits for work; those that died while they waited are replaced, and no task is blamed."""
        while (process := await self._idle.get()).returncode is not None:
            await self._replace(process)
        return process

    @staticmethod
    async def _exchange(process: asyncio.subprocess.Process, frame: bytes) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(frame)
        await process.stdin.drain()
        header = await process.stdout.readexactly(HEADER_BYTES)
        return decode(await process.stdout.readexactly(decode_length(header)))

    async def _spawn(self) -> asyncio.subprocess.Process:
        code = f"from evolve.executors.worker import main; main({self._handler!r}, {os.getpid()})"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            code,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=scrubbed_environment(),
            start_new_session=True,
        )
        self._alive.add(process)
        return process

    async def _replace(self, process: asyncio.subprocess.Process) -> None:
        await self._kill(process)
        if not self._closed:
            self._n_lost += 1
            self._idle.put_nowait(await self._spawn())

    async def _kill(self, process: asyncio.subprocess.Process) -> None:
        kill_session(process.pid, is_buried=process.returncode is not None)
        await process.wait()
        self._alive.discard(process)
        # asyncio closes the pipes of a killed child only when they have been read to their end: say that we are done.
        process._transport.close()  # type: ignore[attr-defined]

    async def close(self) -> None:
        """Kill the workers; unanswered work is dropped."""
        self._closed = True
        for process in list(self._alive):
            await self._kill(process)
