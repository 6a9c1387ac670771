"""What every executor must do: a test class to inherit; `make` builds the executor under test."""

import asyncio
import os
import signal
import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from evolve.executors import Executor, InfrastructureError, TaskError
from evolve.testing.running import is_running, wait_until

HANDLER = "evolve.testing.executor_conformance:handle"


def handle(task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The tasks that the suite asks for; runs in workers."""
    if task == "echo":
        return {"payload": dict(payload), "pid": os.getpid()}
    if task == "environment":
        return {"environment": dict(os.environ)}
    if task == "sleep":
        time.sleep(payload["seconds"])
        return {"pid": os.getpid()}
    if task == "print":
        os.write(1, b"not a frame")
        return {}
    if task == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "die once":
        if not os.path.exists(payload["marker"]):
            with open(payload["marker"], "w", encoding="utf-8") as handle:
                handle.write("died")
            os.kill(os.getpid(), signal.SIGKILL)
        return {"alive": True}
    raise ValueError(f"no such task: {task}")


def run_with(executor: Executor, use: Callable[[Executor], Awaitable[Any]]) -> Any:
    """Start the executor, use it, close it, and give back what the use returned."""

    async def whole() -> Any:
        try:
            await executor.start()
            return await use(executor)
        finally:
            await executor.close()

    return asyncio.run(whole())


class ExecutorConformance:
    """Inherit, implement `make`, and pytest runs the suite.

    `start_seconds` is a time in which a second worker has surely started, where workers start when there is work.
    `n_deaths` is how many workers die of a task that kills each: three, but two where they are on different machines.
    """

    start_seconds = 0.3
    n_deaths = 3

    @abstractmethod
    def make(self, *, n_workers: int, handler: str) -> Executor:
        """An executor that is not started yet."""

    def test_an_answer_is_the_answer_of_its_own_task(self) -> None:
        """Many tasks at once never mix their answers."""

        async def use(executor: Executor) -> list[dict[str, Any]]:
            return list(await asyncio.gather(*(executor.submit("echo", {"number": n}) for n in range(40))))

        answers = run_with(self.make(n_workers=2, handler=HANDLER), use)
        assert [answer["payload"]["number"] for answer in answers] == list(range(40))

    def test_all_workers_are_used(self) -> None:
        """Two slow tasks run in two processes."""

        async def use(executor: Executor) -> set[int]:
            slow = [executor.submit("sleep", {"seconds": self.start_seconds}) for _ in range(2)]
            return {answer["pid"] for answer in await asyncio.gather(*slow)}

        assert len(run_with(self.make(n_workers=2, handler=HANDLER), use)) == 2

    def test_a_task_that_raises_is_told_with_its_traceback_and_the_worker_lives_on(self) -> None:
        """The failure belongs to the work, not to the infrastructure."""

        async def use(executor: Executor) -> dict[str, Any]:
            with pytest.raises(TaskError, match="no such task: nonsense"):
                await executor.submit("nonsense", {})
            return await executor.submit("echo", {})

        executor = self.make(n_workers=1, handler=HANDLER)
        assert run_with(executor, use)["payload"] == {}
        assert executor.n_lost_workers == 0

    def test_a_task_whose_worker_dies_is_tried_again_elsewhere(self, tmp_path: Any) -> None:
        """One death is the infrastructure's fault until proven otherwise."""

        async def use(executor: Executor) -> dict[str, Any]:
            return await executor.submit("die once", {"marker": str(tmp_path / "marker")})

        executor = self.make(n_workers=1, handler=HANDLER)
        assert run_with(executor, use) == {"alive": True}
        assert executor.n_lost_workers == 1

    def test_a_task_that_kills_every_worker_is_given_up_and_the_executor_still_works(self) -> None:
        """A poison pill ends after a few tries."""

        async def use(executor: Executor) -> dict[str, Any]:
            with pytest.raises(InfrastructureError, match="died"):
                await executor.submit("die", {})
            return await executor.submit("echo", {})

        executor = self.make(n_workers=1, handler=HANDLER)
        assert run_with(executor, use)["payload"] == {}
        assert executor.n_lost_workers == self.n_deaths

    def test_workers_that_died_while_idle_are_replaced_and_no_task_is_blamed(self) -> None:
        """Dead bodies in the queue are infrastructure: the next task must not pay for them."""

        async def use(executor: Executor) -> dict[str, Any]:
            naps = [executor.submit("sleep", {"seconds": 0.3}) for _ in range(5)]
            pids = {answer["pid"] for answer in await asyncio.gather(*naps)}
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            while any(map(is_running, pids)):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            return await executor.submit("echo", {"alive": True})

        executor = self.make(n_workers=5, handler=HANDLER)
        assert run_with(executor, use)["payload"] == {"alive": True}

    def test_a_cancelled_task_frees_its_worker(self) -> None:
        """A task that hangs can be dropped; the next one does not wait for it."""

        async def use(executor: Executor) -> dict[str, Any]:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await executor.submit("sleep", {"seconds": 600})
            return await executor.submit("echo", {})

        assert run_with(self.make(n_workers=1, handler=HANDLER), use)["payload"] == {}

    def test_what_a_task_prints_does_not_disturb_the_answers(self) -> None:
        """Standard output of a worker is not the wire."""

        async def use(executor: Executor) -> dict[str, Any]:
            await executor.submit("print", {})
            return await executor.submit("echo", {"still": "fine"})

        assert run_with(self.make(n_workers=1, handler=HANDLER), use)["payload"] == {"still": "fine"}

    def test_no_key_reaches_a_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Secrets in the controller's environment stay there."""
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("MY_PASSWORD", "secret")

        async def use(executor: Executor) -> dict[str, Any]:
            return await executor.submit("environment", {})

        environment = run_with(self.make(n_workers=1, handler=HANDLER), use)["environment"]
        assert "secret" not in str(environment)

    def test_nothing_lives_after_close(self) -> None:
        """Workers in the middle of a task are killed too, those of a cluster that lives on a moment later."""

        async def use(executor: Executor) -> int:
            pid = int((await executor.submit("echo", {}))["pid"])
            flying = asyncio.create_task(executor.submit("sleep", {"seconds": 600}))
            await asyncio.sleep(0.1)
            flying.cancel()
            return pid

        pid = run_with(self.make(n_workers=1, handler=HANDLER), use)
        assert wait_until(lambda: not is_running(pid))
