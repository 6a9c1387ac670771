"""The watch over GPU memory, with servers and drivers that are made up."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.gpu import CONTEXT_BYTES
from sandbox.gpu_watch import GpuWatch, counts_as_the_machine
from sandbox.limits import MEBIBYTE
from sandbox.link import Reply, ServerLink
from tests.unit.sandbox.test_gpu_search import FakeMachine

PATIENCE_SECONDS = 60.0
LIMIT = 100 * MEBIBYTE
CONTEXT_MIB = CONTEXT_BYTES // MEBIBYTE


class ScriptedLink(ServerLink):
    """A server that remembers whom it was told to blame; `is_gone` when it has died."""

    def __init__(self) -> None:
        self.is_gone = False
        self.blamed: list[tuple[int, str, int]] = []

    def wait(self, reply: Reply) -> dict[str, Any]:
        if self.is_gone:
            raise SandboxError("the server is gone")
        assert reply.answer is not None
        return reply.answer

    def blame(self, session: int, limit: str, used: int) -> Reply:
        self.blamed.append((session, limit, used))
        return Reply(answer={})


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def started(session: int, pid: int) -> Reply:
    return Reply(answer={"session": session, "pid": pid})


def until(holds: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def watching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "gpu-watch"]


def test_who_takes_too_much_is_blamed_and_nobody_else(machine: FakeMachine) -> None:
    link, watch = ScriptedLink(), GpuWatch(machine.access())
    machine.say_used((10, 100 + CONTEXT_MIB), (11, 101 + CONTEXT_MIB), (12, 99999))
    honest = watch.add(link, started(1, 10), LIMIT)
    greedy = watch.add(link, started(2, 11), LIMIT)

    blamed = until(lambda: link.blamed)
    watch.remove(honest)
    watch.remove(greedy)

    assert blamed
    assert set(link.blamed) == {(2, "gpu_memory", 101 * MEBIBYTE + CONTEXT_BYTES)}
    assert greedy.blind == ""


def test_each_session_has_its_own_limit(machine: FakeMachine) -> None:
    link, watch = ScriptedLink(), GpuWatch(machine.access())
    machine.say_used((10, 2000 + CONTEXT_MIB), (11, 2000 + CONTEXT_MIB))
    all_watched = [watch.add(link, started(1, 10), 2000 * MEBIBYTE), watch.add(link, started(2, 11), 1999 * MEBIBYTE)]

    blamed = until(lambda: link.blamed)
    for watched in all_watched:
        watch.remove(watched)

    assert blamed
    assert {session for session, _, _ in link.blamed} == {2}


def test_memory_that_is_taken_later_is_noticed(machine: FakeMachine) -> None:
    link, watch = ScriptedLink(), GpuWatch(machine.access())
    machine.script(f"echo asked >> {machine.folder}/log; cat {machine.processes}")
    watched = watch.add(link, started(1, 10), LIMIT)
    log = machine.folder / "log"
    asked_before = until(log.exists)
    blamed_before = list(link.blamed)

    machine.say_used((10, 99999))
    blamed = until(lambda: link.blamed)
    watch.remove(watched)

    assert asked_before
    assert blamed_before == []
    assert blamed


def test_the_thread_ends_with_the_last_session_and_comes_back_with_the_next(machine: FakeMachine) -> None:
    link, watch = ScriptedLink(), GpuWatch(machine.access())
    for session in (1, 2):
        watched = watch.add(link, started(session, 10), LIMIT)
        assert until(watching)
        watch.remove(watched)
        watch.remove(watched)
        assert until(lambda: not watching())


def test_a_session_whose_server_died_is_forgotten(machine: FakeMachine) -> None:
    link, watch = ScriptedLink(), GpuWatch(machine.access())
    link.is_gone = True

    watch.add(link, started(1, 10), LIMIT)

    assert until(lambda: not watching())
    assert link.blamed == []


def test_sessions_that_cannot_be_watched_any_longer_end_and_the_reason_is_kept(machine: FakeMachine) -> None:
    link, watch = ScriptedLink(), GpuWatch(machine.access())
    machine.script(f"echo asked >> {machine.folder}/log; echo 'the driver fell over'; exit 1")

    watched = watch.add(link, started(1, 10), LIMIT)
    blamed = until(lambda: link.blamed)
    watch.remove(watched)

    assert blamed
    assert "the driver fell over" in watched.blind
    assert (machine.folder / "log").read_text().count("asked") >= 3


def test_one_failure_to_answer_is_forgiven(machine: FakeMachine) -> None:
    link, watch = ScriptedLink(), GpuWatch(machine.access())
    log = machine.folder / "log"
    machine.script(f"echo asked >> {log}; [ $(wc -l < {log}) -gt 2 ] && cat {machine.processes}")

    watched = watch.add(link, started(1, 10), LIMIT)
    went_on = until(lambda: log.exists() and log.read_text().count("asked") > 4)
    watch.remove(watched)

    assert went_on
    assert link.blamed == []
    assert watched.blind == ""


def test_a_driver_that_does_not_count_memory_cannot_hold_a_limit(machine: FakeMachine) -> None:
    link, watch = ScriptedLink(), GpuWatch(machine.access())
    machine.say_used((10, "[N/A]"), (11, 5))
    all_watched = [watch.add(link, started(1, 10), LIMIT), watch.add(link, started(2, 11), LIMIT)]

    blamed = until(lambda: link.blamed)
    for watched in all_watched:
        watch.remove(watched)

    assert blamed
    assert "does not tell how much memory" in all_watched[0].blind
    assert all_watched[1].blind == ""


def test_where_process_numbers_mean_nothing_no_limit_is_promised(machine: FakeMachine) -> None:
    before, watch = set(watching()), GpuWatch(machine.access(same_pids=False))  # one of another test may be ending

    with pytest.raises(SandboxError, match=r"do not work in this container.*--pid=host.*gpu_memory_bytes to 0"):
        watch.add(ScriptedLink(), started(1, 10), LIMIT)
    assert set(watching()) <= before


def test_whether_numbers_are_the_machines_is_looked_up_unless_it_is_told(machine: FakeMachine) -> None:
    watch = GpuWatch(machine.access(same_pids=None))

    if counts_as_the_machine():
        watch.remove(watch.add(ScriptedLink(), started(1, 10), LIMIT))
    else:
        with pytest.raises(SandboxError, match="container"):
            watch.add(ScriptedLink(), started(1, 10), LIMIT)
    assert until(lambda: not watching())
