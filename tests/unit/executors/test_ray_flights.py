"""Who is blamed and what is sent again, without Ray: what the process that speaks with it says is written down here."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from evolve.errors import EvolveEnvironmentError, ResumableError
from evolve.executors import InfrastructureError
from evolve.executors.batching import Job
from evolve.executors.frames import bodies, decode, encode, framed
from evolve.executors.ray_flights import N_LOSSES, Flights

NODES = [{"id": name, "name": name, "cpus": 1, "gpus": 0.0, "memory": 4 << 30} for name in ("north", "south")]


class Sky:
    """Flights whose other side is this test: it sees what is sent, and says how it lands."""

    def __init__(self, *, nodes: list[dict[str, Any]] = NODES, most: int | None = None) -> None:
        self.sent: dict[int, tuple[Mapping[str, Any], list[int]]] = {}
        self.cancelled: list[int] = []
        self.flights = Flights(self._say, most=most, gpus=0.0)
        self.flights.hear({"say": "look", "nodes": nodes, "posts": []}, b"")

    def _say(self, message: Mapping[str, Any], blob: bytes) -> None:
        if message["do"] == "cancel":
            self.cancelled.append(message["flight"])
        else:
            self.sent[message["flight"]] = message, [decode(body)["number"] for body in bodies(blob)]

    def add(self, *numbers: int) -> list[Job]:
        """Tasks that are known to take no time, so that they travel together."""
        jobs = [
            Job(task="t", frame=encode({"number": each}), answer=asyncio.get_running_loop().create_future())
            for each in numbers
        ]
        for job in jobs:
            self.flights.add(job)
        return jobs

    async def next(self) -> tuple[int, list[int], str]:
        """The oldest flight that is still in the air: its number, its tasks, the node it was meant for."""
        for _ in range(3):
            await asyncio.sleep(0)
        number = min(self.sent)
        message, tasks = self.sent[number]
        return number, tasks, message["node"]

    async def land(self, *answers: str, died: bool = False, node: str = "north") -> None:
        number, _, _ = await self.next()
        del self.sent[number]
        facts = {"node": node, "seconds": [1e-3] * len(answers), **({"died": "by a signal"} if died else {})}
        blob = encode(facts) + b"".join(encode({"answer": {"text": each}}) for each in answers)
        self.flights.hear({"say": "landed", "flight": number}, blob)

    async def lose(self, kind: str, node: str = "") -> None:
        number, _, _ = await self.next()
        del self.sent[number]
        message = {"say": "lost", "flight": number, "kinds": [kind, "RayError"], "text": "it said so", "node": node}
        self.flights.hear(message, b"")


def in_a_loop(use: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(use())  # type: ignore[arg-type]


async def warmed(sky: Sky) -> None:
    """Let it learn that its tasks take no time."""
    sky.add(0)
    await sky.land("warm")


def test_no_more_fly_than_nodes_have_memory_for() -> None:
    async def use() -> None:
        flights = Flights(lambda message, blob: None, most=None, gpus=0.0, memory=3 << 30)
        flights.hear(
            {"say": "look", "nodes": [{**NODES[0], "cpus": 8}, {**NODES[1], "memory": 1 << 30}], "posts": []}, b""
        )
        assert flights.capacity == 1

    in_a_loop(use)


def answers(jobs: list[Job]) -> list[str]:
    return [job.answer.result()["answer"]["text"] for job in jobs]


def test_a_parcel_is_answered_in_order() -> None:
    async def use() -> None:
        sky = Sky(nodes=NODES[:1])
        await warmed(sky)
        jobs = sky.add(1, 2, 3)
        assert (await sky.next())[1] == [1, 2, 3]

        await sky.land("one", "two", "three")

        assert answers(jobs) == ["one", "two", "three"]

    in_a_loop(use)


def test_a_death_blames_the_task_that_was_begun_and_the_others_are_sent_again() -> None:
    async def use() -> None:
        sky = Sky(nodes=NODES[:1])
        await warmed(sky)
        jobs = sky.add(1, 2, 3, 4)

        await sky.land("one", died=True)

        assert answers(jobs[:1]) == ["one"]
        assert [(job.deaths, job.n_losses) for job in jobs[1:]] == [(["north"], 0), ([], 0), ([], 0)]
        assert (await sky.next())[1] == [2]
        await sky.land("two")
        assert (await sky.next())[1] == [3, 4]
        await sky.land("three", "four")
        assert answers(jobs) == ["one", "two", "three", "four"]
        assert sky.flights.n_lost == 1

    in_a_loop(use)


def test_what_was_not_begun_in_time_is_sent_again_without_blame() -> None:
    async def use() -> None:
        sky = Sky(nodes=NODES[:1])
        await warmed(sky)
        jobs = sky.add(1, 2, 3)

        await sky.land("one")

        assert (await sky.next())[1] == [2, 3]
        assert [(job.deaths, job.n_losses, job.is_alone) for job in jobs[1:]] == [([], 0, False)] * 2
        assert sky.flights.n_lost == 0

    in_a_loop(use)


def test_the_next_try_is_on_another_node_and_two_nodes_are_enough() -> None:
    async def use() -> None:
        sky = Sky()
        [job] = sky.add(1)

        await sky.land(died=True, node="north")
        assert (await sky.next())[2] == "south"
        await sky.land(died=True, node="south")

        with pytest.raises(InfrastructureError, match="2 workers died"):
            job.answer.result()

    in_a_loop(use)


@pytest.mark.parametrize("nodes", [NODES[:1], NODES], ids=["one node", "two nodes"])
def test_a_task_that_dies_where_nobody_knows_is_tried_three_times(nodes: list[dict[str, Any]]) -> None:
    async def use() -> None:
        sky = Sky(nodes=nodes)
        [job] = sky.add(1)

        for _ in range(3):
            assert not job.answer.done()
            await sky.lose("WorkerCrashedError")

        with pytest.raises(InfrastructureError, match="3 workers died"):
            job.answer.result()
        assert not sky.sent

    in_a_loop(use)


def test_when_a_ray_worker_dies_with_a_parcel_each_of_its_tasks_has_to_show_alone_that_it_is_innocent() -> None:
    async def use() -> None:
        sky = Sky(nodes=NODES[:1])
        await warmed(sky)
        jobs = sky.add(1, 2, 3)

        await sky.lose("WorkerCrashedError", "north")

        alone = []
        for text in ("one", "two", "three"):
            alone.append((await sky.next())[1])
            await sky.land(text)
        assert alone == [[1], [2], [3]]
        assert answers(jobs) == ["one", "two", "three"]
        assert [job.deaths for job in jobs] == [[], [], []]

    in_a_loop(use)


def test_a_task_killed_for_memory_waits_and_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evolve.executors.ray_flights.OOM_PAUSE_SECONDS", 0.001)

    async def use() -> None:
        sky = Sky(nodes=NODES[:1])
        [job] = sky.add(1)

        for _ in range(3):
            while not sky.sent:
                await asyncio.sleep(0.001)
            await sky.lose("OutOfMemoryError", "north")

        with pytest.raises(InfrastructureError, match="3 workers died"):
            job.answer.result()

    in_a_loop(use)


def test_a_node_that_vanishes_is_no_tasks_fault_but_not_for_ever() -> None:
    async def use() -> None:
        sky = Sky(nodes=NODES[:1])
        [job] = sky.add(1)

        for _ in range(N_LOSSES):
            assert not job.answer.done()
            assert job.deaths == []
            await sky.lose("NodeDiedError")

        with pytest.raises(InfrastructureError, match=f"{N_LOSSES} were lost"):
            job.answer.result()

    in_a_loop(use)


@pytest.mark.parametrize("ending", ["cancelled", "killed", "answered"])
def test_who_is_cancelled_takes_nobody_along(ending: str) -> None:
    async def use() -> None:
        sky = Sky(nodes=NODES[:1])
        await warmed(sky)
        jobs = sky.add(1, 2, 3)
        number, tasks, _ = await sky.next()
        assert tasks == [1, 2, 3]

        jobs[1].answer.cancel()
        sky.flights.drop(jobs[1])
        assert sky.cancelled == [number]
        if ending == "answered":
            await sky.land("one", "two", "three")
        else:
            await sky.lose({"cancelled": "TaskCancelledError", "killed": "WorkerCrashedError"}[ending])
            assert (await sky.next())[1] == [1, 3]
            await sky.land("one", "three")

        assert answers([jobs[0], jobs[2]]) == ["one", "three"]
        assert sky.flights.n_lost == 0
        assert [job.deaths for job in jobs] == [[], [], []]
        assert not sky.sent

    in_a_loop(use)


def test_one_that_was_not_sent_yet_is_only_forgotten() -> None:
    async def use() -> None:
        sky = Sky(nodes=NODES[:1])
        jobs = sky.add(1, 2, 3, 4)
        await sky.next()

        jobs[3].answer.cancel()
        sky.flights.drop(jobs[3])
        for text in ("one", "two", "three"):
            await sky.land(text)

        assert sky.cancelled == []
        assert answers(jobs[:3]) == ["one", "two", "three"]
        assert not sky.sent

    in_a_loop(use)


def test_no_more_is_in_flight_than_two_for_each_slot_or_as_many_as_were_allowed() -> None:
    async def use() -> None:
        free, bound = Sky(), Sky(most=1)
        for sky in (free, bound):
            sky.add(*range(9))
            await sky.next()

        assert (len(free.sent), len(bound.sent)) == (4, 1)
        assert (free.flights.capacity, bound.flights.capacity) == (2, 1)

    in_a_loop(use)


def test_a_cluster_that_grows_is_used_at_once() -> None:
    async def use() -> None:
        sky = Sky(nodes=[])
        sky.add(*range(9))
        await sky.next()
        before = len(sky.sent)

        sky.flights.hear({"say": "look", "nodes": NODES, "posts": []}, b"")
        await sky.next()

        assert (before, len(sky.sent)) == (2, 4)

    in_a_loop(use)


FACTS = {"node": "north", "seconds": [0.1]}


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\0\0\0\5{",
        framed(b"[]"),
        encode({"node": "north"}),
        encode({**FACTS, "seconds": ["soon"]}) + encode({"answer": {}}),
        framed(b'{"node": "north", "seconds": [NaN]}') + encode({"answer": {}}),
        encode(FACTS) + encode({"answer": "yes"}),
        encode(FACTS) + framed(b"[]"),
    ],
    ids=lambda blob: repr(blob)[:40],
)
def test_an_answer_that_cannot_be_read_is_a_death(blob: bytes) -> None:
    async def use() -> None:
        sky = Sky(nodes=NODES[:1])
        [job] = sky.add(1)

        for _ in range(3):
            number, _, _ = await sky.next()
            del sky.sent[number]
            sky.flights.hear({"say": "landed", "flight": number}, blob)

        with pytest.raises(InfrastructureError):
            job.answer.result()

    in_a_loop(use)


def test_a_node_that_cannot_begin_is_passed_over_and_three_of_them_are_an_error() -> None:
    async def use() -> None:
        sky = Sky()
        [job] = sky.add(1)

        await sky.lose("RayTaskError", "north")
        assert (await sky.next())[2] == "south"
        await sky.lose("RayTaskError", "south")
        assert (await sky.next())[2] == ""
        assert (job.deaths, job.is_alone, sky.flights.n_lost) == ([], False, 0)
        await sky.lose("RayTaskError", "south")

        with pytest.raises(EvolveEnvironmentError, match="it said so"):
            job.answer.result()

    in_a_loop(use)


@pytest.mark.parametrize(
    ("kind", "error"), [("LocalRayletDiedError", ResumableError), ("RuntimeEnvSetupError", EvolveEnvironmentError)]
)
def test_what_is_no_death_is_told_as_it_is(kind: str, error: type[Exception]) -> None:
    async def use() -> None:
        sky = Sky()
        [job] = sky.add(1)

        await sky.lose(kind)

        with pytest.raises(error, match="it said so"):
            job.answer.result()

    in_a_loop(use)


def test_a_cluster_that_is_gone_ends_all_that_waits_and_flies() -> None:
    async def use() -> None:
        sky = Sky(nodes=NODES[:1])
        jobs = sky.add(*range(5))
        await sky.next()

        sky.flights.end(ResumableError("the Ray cluster is gone"))

        assert {str(job.answer.exception()) for job in jobs} == {"the Ray cluster is gone"}

    in_a_loop(use)
