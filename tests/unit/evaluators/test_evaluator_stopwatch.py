"""The clock that an evaluator and its controller share."""

import math
import os
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from evaluators.stopwatch import SIZE, Stopwatch
from tests.marked_processes import wait_for

Pair = tuple[Stopwatch, Stopwatch, int]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The controller's and the evaluator's view of one clock, and the memory behind it."""
    ours, descriptor = Stopwatch.make()
    theirs = Stopwatch(descriptor)
    yield ours, theirs, descriptor
    os.close(descriptor)
    ours.close()
    theirs.close()


def test_it_runs_from_its_start_and_both_see_the_same(pair: Pair) -> None:
    ours, theirs, _ = pair
    ours.start()

    seen = [ours.seconds(), theirs.seconds(), ours.seconds()]

    assert seen == sorted(seen)
    assert seen[0] >= 0


def test_it_stands_still_while_somebody_waits_and_goes_on_afterwards(pair: Pair) -> None:
    ours, theirs, _ = pair
    started = time.monotonic()
    ours.start()

    with theirs.standing_still():
        before = ours.seconds()
        time.sleep(0.01)
        assert ours.seconds() == before

    assert before <= ours.seconds() <= time.monotonic() - started - 0.01
    assert wait_for(lambda: ours.seconds() > before)


def test_of_several_who_wait_the_last_one_starts_it_again(pair: Pair) -> None:
    ours, theirs, _ = pair
    ours.start()

    other = theirs.standing_still()
    with theirs.standing_still():
        before = ours.seconds()
        thread = threading.Thread(target=other.__enter__)
        thread.start()
        thread.join()
    assert ours.seconds() == before
    other.__exit__(None, None, None)

    assert wait_for(lambda: ours.seconds() > before)


def test_it_holds_at_zero_until_it_is_started(pair: Pair) -> None:
    ours, theirs, _ = pair
    ours.start()
    ours.hold()
    assert ours.seconds() == 0
    with theirs.standing_still():
        assert ours.seconds() == 0

    theirs.start()

    assert ours.seconds() >= 0


def test_one_that_is_started_anew_while_somebody_waits_runs(pair: Pair) -> None:
    ours, theirs, _ = pair
    ours.start()
    with theirs.standing_still():
        ours.start()

    assert 0 <= ours.seconds() < math.inf


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_what_an_evaluator_scribbles_over_it_is_overdue_at_once(pair: Pair, number: float) -> None:
    ours, _, descriptor = pair
    os.pwrite(descriptor, struct.pack("d", number), 0)

    assert ours.seconds() == math.inf


def test_the_memory_is_one_page_that_cannot_be_seen_in_any_folder(pair: Pair) -> None:
    _, _, descriptor = pair

    assert os.fstat(descriptor).st_size == SIZE
    assert os.fstat(descriptor).st_nlink == 0
