"""How tasks are gathered into parcels."""

import asyncio
from collections.abc import Iterator

import pytest

from evolve.executors.batching import MAX_BYTES, TARGET_SECONDS, Job, Queue


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    fresh = asyncio.new_event_loop()
    yield fresh
    fresh.close()


def queue_of(loop: asyncio.AbstractEventLoop, *tasks: str, n_bytes: int = 1) -> Queue:
    queue = Queue()
    for task in tasks:
        queue.add(Job(task=task, frame=b"x" * n_bytes, answer=loop.create_future()))
    return queue


def parcels(queue: Queue, *, n_slots: int) -> list[int]:
    sizes = []
    while len(queue):
        sizes.append(len(queue.take(n_slots)))
    return sizes


def test_as_long_as_nothing_was_measured_tasks_travel_alone(loop: asyncio.AbstractEventLoop) -> None:
    assert parcels(queue_of(loop, *["a"] * 5), n_slots=1) == [1] * 5


def test_a_parcel_is_a_second_of_work_as_measured(loop: asyncio.AbstractEventLoop) -> None:
    queue = queue_of(loop, *["a"] * 30)
    queue.durations.learn("a", [TARGET_SECONDS / 10] * 4)

    assert parcels(queue, n_slots=1) == [10, 10, 10]


def test_nobody_gets_more_than_a_slots_share_of_what_waits(loop: asyncio.AbstractEventLoop) -> None:
    queue = queue_of(loop, *["a"] * 12)
    queue.durations.learn("a", [1e-4])

    assert parcels(queue, n_slots=4) == [3, 3, 2, 1, 1, 1, 1]


def test_a_lone_task_goes_alone_however_short_it_is(loop: asyncio.AbstractEventLoop) -> None:
    queue = queue_of(loop, "a")
    queue.durations.learn("a", [0.0])

    assert parcels(queue, n_slots=8) == [1]


def test_tasks_of_two_kinds_never_share_a_parcel_and_the_oldest_goes_first(
    loop: asyncio.AbstractEventLoop,
) -> None:
    queue = queue_of(loop, "a", "b", "a", "b")
    for task in "ab":
        queue.durations.learn(task, [1e-3])

    assert [[job.task for job in queue.take(1)] for _ in range(2)] == [["a", "a"], ["b", "b"]]


def test_what_is_sent_again_keeps_its_age_and_a_suspect_travels_alone(loop: asyncio.AbstractEventLoop) -> None:
    queue = queue_of(loop, *["a"] * 4)
    queue.durations.learn("a", [1e-3])
    first = queue.take(1)[:2]
    suspect = first[1]
    suspect.is_alone = True
    queue.add_again(first)

    taken = [queue.take(1), queue.take(1)]

    assert taken == [[first[0]], [suspect]]


def test_what_nobody_waits_for_any_more_is_not_sent_again(loop: asyncio.AbstractEventLoop) -> None:
    queue = queue_of(loop, "a", "a")
    jobs = [*queue.take(1), *queue.take(1)]
    jobs[0].answer.cancel()

    queue.add_again(jobs)

    assert queue.take(1) == [jobs[1]]
    assert len(queue) == 0


def test_large_tasks_make_small_parcels(loop: asyncio.AbstractEventLoop) -> None:
    queue = queue_of(loop, *["a"] * 5, n_bytes=MAX_BYTES // 2)
    queue.durations.learn("a", [1e-3])

    assert parcels(queue, n_slots=1) == [2, 2, 1]


def test_the_estimate_follows_what_is_measured(loop: asyncio.AbstractEventLoop) -> None:
    queue = queue_of(loop)
    queue.durations.learn("a", [1e-3])
    for _ in range(30):
        queue.durations.learn("a", [0.5])

    assert queue.durations.n_for(1.0, "a") in (1, 2)
    assert queue.durations.n_for(1.0, "b") == 1
