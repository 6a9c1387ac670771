"""Programs that try to look fast: each ends with a failure, or with the time that it really took."""

import json
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from evaluators.handles import PythonCandidate
from evaluators.timing.paired import Comparison, PairedTimer, TimingEffort
from evaluators.timing.tasks import Array, TimedTask, WrongOutputError
from sandbox.errors import CandidateError
from sandbox.limits import MEBIBYTE, Limits
from sandbox.process import ProcessSandbox
from tests.ordinary_user import Done, as_ordinary_user, in_container_without_privileges

HONEST = """
def total(x, out):
    x.sum(axis=1, out=out)
"""
BURNT_SECONDS = 0.02
LIMITS = Limits(shared_bytes=4 * MEBIBYTE, n_processes=8, wall_seconds=60.0)
EFFORT = TimingEffort(warm_ups=1, fewest=3, most=3, seconds=60.0, largest_error=1e9, flush_bytes=8)

FOUND_OUT = {
    "it returns at once and lets a thread write later": """
import threading, time

def total(x, out):
    def later():
        time.sleep(1.0)
        x.sum(axis=1, out=out)
    threading.Thread(target=later).start()
""",
    "it remembers the answer by where the input lies": """
known = {}

def total(x, out):
    place = x.__array_interface__["data"][0]
    if place not in known:
        known[place] = x.sum(axis=1)
    out[...] = known[place]
""",
    "it is right until it believes that timing has begun": """
n_calls = 0

def total(x, out):
    global n_calls
    n_calls += 1
    if n_calls <= 2:
        x.sum(axis=1, out=out)
""",
    "it answers before it works": """
import os, struct

def total(x, out):
    answer = b'["ok",null]'
    os.write(4, struct.pack("<IB", len(answer) + 1, ord("J")) + answer)
    x.sum(axis=1, out=out)
""",
    "it changes the input to one whose answer it knows": """
def total(x, out):
    x[...] = 0.0
    out[...] = 0.0
""",
    "it computes a part": """
def total(x, out):
    x[::2].sum(axis=1, out=out[::2])
""",
    "it makes all comparisons in its process say yes": """
import numpy

def yes(*args, **named):
    return True

numpy.allclose = numpy.isclose = numpy.array_equal = yes

def total(x, out):
    out[...] = 1.0
""",
}

TOLD_AS_SLOW = {
    "it stops all clocks in its process": """
import time
now = time.thread_time
for name in ("perf_counter", "monotonic", "time", "process_time", "thread_time"):
    setattr(time, name, lambda: 0.0)
    setattr(time, name + "_ns", lambda: 0)

def total(x, out):
    end = now() + 0.02
    while now() < end:
        pass
    x.sum(axis=1, out=out)
""",
    "it works in a thread while the main one sleeps": """
import threading, time

def burn():
    while time.thread_time() < 0.02:
        pass

def total(x, out):
    thread = threading.Thread(target=burn)
    thread.start()
    thread.join()
    x.sum(axis=1, out=out)
""",
}


def drawn(rng: np.random.Generator) -> Sequence[Array]:
    return (rng.standard_normal((40, 50)),)


def error(inputs: Sequence[Array], outputs: Sequence[Array]) -> float:
    return float(np.max(np.abs(outputs[0] - inputs[0].sum(axis=1))) / 1e-9)


TASK = TimedTask(name="sums", draw=drawn, outputs=lambda x: (np.empty(len(x)),), error=error)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ProcessSandbox]:
    with ProcessSandbox(limits=LIMITS, n_parked=0) as opened:
        yield opened


def compared(sandbox: ProcessSandbox, text: str) -> Comparison:
    candidate = PythonCandidate({"program.py": text}, sandbox, entry=None, limits=LIMITS)
    try:
        return PairedTimer(candidate, reference={"own.py": HONEST}, function="total", effort=EFFORT).compare(TASK)
    finally:
        candidate.close()


def test_an_honest_program_gets_a_time(sandbox: ProcessSandbox) -> None:
    found = compared(sandbox, HONEST)

    assert found.speed_up.n_pairs == 3
    assert found.largest_error < 1.0


@pytest.mark.parametrize("cheat", FOUND_OUT)
def test_a_cheat_that_leaves_work_out_gets_no_time(sandbox: ProcessSandbox, cheat: str) -> None:
    with pytest.raises((WrongOutputError, CandidateError)):
        compared(sandbox, FOUND_OUT[cheat])


@pytest.mark.parametrize("cheat", TOLD_AS_SLOW)
def test_a_cheat_that_hides_its_work_gets_the_time_of_it(sandbox: ProcessSandbox, cheat: str) -> None:
    assert compared(sandbox, TOLD_AS_SLOW[cheat]).seconds >= BURNT_SECONDS


STANDING_STILL = """
import json
import time

import numpy as np

from sandbox.limits import MEBIBYTE, Limits
from sandbox.process import ProcessSandbox
from tests.ordinary_user import Done, as_ordinary_user, in_container_without_privileges

PROGRAM = '''
import threading

def tick(out):
    def count():
        while True:
            out[0] += 1
    threading.Thread(target=count, daemon=True).start()
'''
with ProcessSandbox(limits=Limits(shared_bytes=MEBIBYTE), n_parked=0) as sandbox:
    with sandbox.start({"program.py": PROGRAM}) as session:
        ticks = session.shared.array((1,), np.int64)
        taken = session.timed("tick", ticks)
        before = int(ticks.values[0])
        time.sleep(0.02)
        print(json.dumps([str(sandbox.level), taken.processor_seconds, int(ticks.values[0]) - before]))
"""


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to lose")
LIMITED = [
    pytest.param(as_ordinary_user, id="ordinary_user"),
    pytest.param(in_container_without_privileges, marks=needs_root, id="container"),
]


@pytest.mark.parametrize("limited", LIMITED)
def test_candidates_can_be_stopped_and_timed_without_privileges(limited: Callable[[Sequence[str]], Done]) -> None:
    done = limited(["-c", STANDING_STILL])

    assert done.returncode == 0, done.stderr
    _, seconds, n_ticks = json.loads(done.stdout)
    assert seconds > 0
    assert n_ticks == 0
