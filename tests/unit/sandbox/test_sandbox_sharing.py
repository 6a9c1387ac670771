"""Memory that a candidate shares with its controller, and a process that stands still between calls."""

import fcntl
import os
import time
from collections.abc import Iterator

import numpy as np
import pytest

from sandbox.errors import CandidateCrashed, CandidateRaised, SandboxError
from sandbox.limits import MEBIBYTE, Limits
from sandbox.pausing import Pausing
from sandbox.process import ProcessSandbox
from sandbox.session import ProcessSession
from sandbox.shared import SharedMemory
from sandbox.wire import HEADER, PlainDataError, decode, encode

PROGRAM = """
import os
import threading
import time

import numpy as np


def double(x, out):
    np.multiply(x, 2, out=out)


def tick(out):
    def count():
        while True:
            out[0] += 1

    threading.Thread(target=count, daemon=True).start()


def burn(seconds):
    seconds += time.thread_time()
    while time.thread_time() < seconds:
        pass


def burn_elsewhere(seconds):
    thread = threading.Thread(target=burn, args=(seconds,))
    thread.start()
    thread.join()


def nap(seconds):
    time.sleep(seconds)


def descriptors():
    def is_open(number):
        try:
            os.fstat(number)
        except OSError:
            return False
        return True

    return [number for number in range(64) if is_open(number)]


def resize(descriptor, size):
    os.truncate(descriptor, size)


def leave():
    os._exit(3)
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ProcessSandbox]:
    limits = Limits(shared_bytes=4 * MEBIBYTE, n_processes=8, wall_seconds=60.0)
    with ProcessSandbox(limits=limits, n_parked=0) as opened:
        yield opened


@pytest.fixture(scope="module")
def program(sandbox: ProcessSandbox) -> Iterator[ProcessSession]:
    with sandbox.start({"program.py": PROGRAM}) as session:
        yield session


def test_an_array_with_gaps_crosses_the_border_by_its_place(program: ProcessSession) -> None:
    program.shared.clear()
    x = program.shared.array((3, 4), np.float32, strides=(48, 4))
    out = program.shared.array((3, 4), np.float32)
    x.values[...] = np.arange(12).reshape(3, 4)

    program.call("double", x, out)

    assert out.values.tolist() == (2 * np.arange(12).reshape(3, 4)).tolist()


def test_memory_is_sealed_against_other_sizes_and_given_out_once() -> None:
    memory = SharedMemory(MEBIBYTE)
    with pytest.raises(PermissionError):
        os.ftruncate(memory.descriptor, 10)
    assert fcntl.fcntl(memory.descriptor, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK
    first, second = memory.array((10,)), memory.array((10,))
    assert first.offset != second.offset
    with pytest.raises(MemoryError, match=r"raise \[limits\] shared_mb"):
        memory.array((MEBIBYTE,))
    memory.clear()
    assert memory.array((10,)).offset == first.offset
    assert memory.array((0, 5)).values.size == 0
    memory.give_away()
    memory.give_away()


def test_a_place_in_shared_memory_is_no_answer_of_a_candidate() -> None:
    memory = SharedMemory(4096)
    message = bytearray(encode([memory.array((2,))]))
    memory.give_away()
    with pytest.raises(PlainDataError, match="an array reference is a pair"):
        decode(message[HEADER.size - 1], message[HEADER.size :])


def test_the_one_descriptor_of_the_memory_that_is_left_cannot_change_its_size(program: ProcessSession) -> None:
    *known, left = program.call("descriptors")

    assert known == [0, 1, 2, 3, 4]
    for size in (0, 8 * MEBIBYTE):
        with pytest.raises(CandidateRaised, match="PermissionError"):
            program.call("resize", left, size)


def test_nothing_of_a_paused_program_runs(sandbox: ProcessSandbox) -> None:
    with sandbox.start({"program.py": PROGRAM}) as session:
        ticks = session.shared.array((1,), np.int64)
        session.timed("tick", ticks)  # its thread counts on and on

        before = int(ticks.values[0])
        time.sleep(0.02)
        after = int(ticks.values[0])
        n_ticks = after
        while n_ticks == after:  # a call lets it go on, as soon as a processor is free
            session.call("nap", 0.01)
            session.pause()
            n_ticks = int(ticks.values[0])

        assert before == after
        assert n_ticks > after


@pytest.mark.parametrize("name", ["burn", "burn_elsewhere"])
def test_processor_time_counts_every_thread_those_that_ended_too(program: ProcessSession, name: str) -> None:
    taken = program.timed(name, 0.02)

    assert taken.processor_seconds >= 0.02
    assert taken.wall_seconds > 0


def test_sleep_counts_by_the_wall_and_not_as_work(program: ProcessSession) -> None:
    taken = program.timed("nap", 0.05)

    assert taken.wall_seconds >= 0.05
    assert taken.processor_seconds < taken.wall_seconds


def test_what_a_timed_call_raises_passes_through_and_the_next_call_works(program: ProcessSession) -> None:
    with pytest.raises(CandidateRaised, match="TypeError"):
        program.timed("nap", "long")
    assert program.timed("nap", 0.0).wall_seconds > 0


def test_a_paused_program_that_dies_is_told_as_dead(sandbox: ProcessSandbox) -> None:
    with sandbox.start({"program.py": PROGRAM}) as session:
        session.pause()
        with pytest.raises(CandidateCrashed, match="status 3"):
            session.timed("leave")
        with pytest.raises(CandidateCrashed):
            session.pause()


def test_who_shares_no_memory_cannot_be_paused() -> None:
    with ProcessSandbox(n_parked=0) as plain, plain.start({"program.py": PROGRAM}) as session:
        with pytest.raises(SandboxError, match=r"set \[limits\] shared_mb"):
            session.pause()
        with pytest.raises(SandboxError, match=r"set \[limits\] shared_mb"):
            _ = session.shared


def test_a_process_that_is_not_the_sandboxs_is_left_alone() -> None:
    with pytest.raises(SandboxError, match="/proc shows other processes"):
        Pausing(os.getpid(), parent=1 << 22)
    with pytest.raises(SandboxError, match="cannot be found"):
        Pausing(1 << 22, parent=1)
