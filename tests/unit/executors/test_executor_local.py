import asyncio
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import cast

import pytest

from evolve.executors import ITERATION, LocalExecutor
from evolve.executors.frames import decode, decode_length, encode
from evolve.testing.executor_conformance import HANDLER


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pids: list[int]) -> list[int]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(is_alive(pid) for pid in pids):
        time.sleep(0.05)
    return [pid for pid in pids if is_alive(pid)]


def test_workers_die_with_a_killed_controller_even_in_the_middle_of_a_task() -> None:
    script = (
        "import asyncio\n"
        "from evolve.executors import LocalExecutor\n"
        "async def main():\n"
        f"    executor = LocalExecutor(n_workers=2, handler={HANDLER!r})\n"
        "    await executor.start()\n"
        "    await asyncio.gather(*(executor.submit('echo', {}) for _ in range(4)))\n"
        "    busy = asyncio.create_task(executor.submit('sleep', {'seconds': 600}))\n"
        "    await asyncio.sleep(0.1)\n"
        "    print(*executor.worker_pids, flush=True)\n"
        "    await busy\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        pids = [int(word) for word in controller.stdout.readline().split()]
        os.kill(controller.pid, signal.SIGKILL)
        controller.wait()
    assert len(pids) == 2
    assert wait_until_gone(pids) == []


def test_a_pool_without_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="n_workers is 0, expected at least 1"):
        LocalExecutor(n_workers=0, handler=HANDLER)


def test_workers_ignore_the_terminals_interrupt() -> None:
    async def use() -> int:
        executor = LocalExecutor(n_workers=1, handler=HANDLER)
        await executor.start()
        answer = await executor.submit("echo", {})
        session = os.getsid(answer["pid"])
        await executor.close()
        return session

    assert asyncio.run(use()) != os.getsid(0)


def test_a_frame_survives_the_wire() -> None:
    message = {"task": "é", "payload": [1, 2.5, None]}
    frame = encode(message)
    assert decode_length(frame[:4]) == len(frame) - 4
    assert decode(frame[4:]) == message


def test_a_frame_with_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        encode({"score": float("nan")})


def test_a_lying_length_is_refused_before_any_memory_is_taken() -> None:
    with pytest.raises(ValueError, match="over the limit"):
        decode_length(b"\xff\xff\xff\xff")


def test_an_executor_says_what_every_worker_does() -> None:
    async def use() -> list[list[tuple[str, str, str]]]:
        executor = LocalExecutor(n_workers=2, handler=HANDLER)
        await executor.start()
        try:
            looks = [executor.worker_states]
            busy = asyncio.create_task(executor.submit("sleep", {"seconds": 600, ITERATION: 12}))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            looks.append(executor.worker_states)
            busy.cancel()
            await asyncio.gather(busy, return_exceptions=True)
            looks.append(executor.worker_states)
        finally:
            await executor.close()
        assert all(state["seconds"] >= 0.0 and state["pid"] > 1 for look in looks for state in look)
        return [sorted((state["state"], state["task"], state["iteration"]) for state in look) for look in looks]

    idle = ("idle", "", "")
    assert asyncio.run(use()) == [[idle, idle], [("busy", "sleep", "12"), idle], [idle, idle]]


class Worker:
    """What asyncio knows of a process."""

    def __init__(self, pid: int, returncode: int | None) -> None:
        self.pid = pid
        self.returncode = returncode
        self._transport = SimpleNamespace(close=lambda: None)

    async def wait(self) -> None:
        """It is over."""


@pytest.mark.parametrize("is_buried", [True, False])
def test_whoever_got_the_number_of_a_worker_that_died_long_ago_is_left_alone(is_buried: bool) -> None:
    command = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as stranger:
        assert stranger.stdout is not None
        stranger.stdout.readline()
        worker = Worker(stranger.pid, -signal.SIGKILL if is_buried else None)

        asyncio.run(LocalExecutor(n_workers=1, handler=HANDLER)._kill(cast("asyncio.subprocess.Process", worker)))

        stranger.terminate()
        assert stranger.wait() == (-signal.SIGTERM if is_buried else -signal.SIGKILL)
