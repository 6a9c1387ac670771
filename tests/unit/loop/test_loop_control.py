"""Pause, resume and stop: what is in flight is finished, nothing new begins, and the search stays the same one."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from evolve.llm.calls import Answer, CallKey
from evolve.llm.contract import Outcome, Prompt
from evolve.loop.budget import Budget
from evolve.loop.control import Control, GatedAsker, Stopwatch
from evolve.loop.events import Event
from evolve.loop.landing import DRAIN_SECONDS
from evolve.loop.replay import fold_log
from evolve.store import RunReader, RunWriter
from evolve.store.control import request
from evolve.store.state import current_state
from tests.unit.loop.test_loop_driver import (
    InlineExecutor,
    ManualClock,
    QuietDesk,
    Session,
    a_search,
    a_session,
    shuffled,
)


@pytest.fixture(autouse=True)
def _short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evolve.loop.driver.TICK_SECONDS", 0.001)


class Visitor:
    """Listens to a run and asks something of it: at turn `at`, and then again after some turns of standing still."""

    def __init__(self, run_dir: Path, steps: dict[int, str]) -> None:
        self.run_dir = run_dir
        self.steps = steps
        self.turns = 0
        self.seen: list[dict[str, Any]] = []
        self.states: list[str] = []
        self.before_each: Callable[[], None] = lambda: None

    def hear(self, event: Event) -> None:
        if event.kind != "progress":
            return
        self.before_each()
        self.turns += 1
        self.seen.append(dict(event.data))
        reader = RunReader(self.run_dir)
        self.states.append(current_state(reader.sessions()))
        reader.close()
        if self.turns in self.steps:
            request(self.run_dir, self.steps[self.turns])


def events_of(run_dir: Path) -> list[str]:
    reader = RunReader(run_dir)
    kinds = [event["kind"] for event in reader.events() if event["kind"] not in ("improved", "warning")]
    reader.close()
    return kinds


@pytest.mark.parametrize("pauses", [(1,), (3,), (2, 12, 22)])
def test_a_run_with_pauses_is_the_run_without(tmp_path: Path, pauses: tuple[int, ...]) -> None:
    with a_session(tmp_path / "whole", budget=Budget(evaluations=25), executor=InlineExecutor(shuffled(1))) as whole:
        whole.run()
        expected = whole.log()

    steps = dict.fromkeys(pauses, "pause") | {turn + 7: "resume" for turn in pauses}
    visitor = Visitor(tmp_path / "run", steps)
    executor = InlineExecutor(shuffled(2))
    with a_session(tmp_path / "run", budget=Budget(evaluations=25), executor=executor, listener=visitor.hear) as paused:
        assert paused.run() == "evaluations"

        assert paused.log() == expected
    assert paused.search.islands.hash() == whole.search.islands.hash()
    assert paused.search.bandit.to_mapping() == whole.search.bandit.to_mapping()
    happened = events_of(tmp_path / "run")
    assert happened == (["paused", "resumed"] * 3)[: len(happened)]
    assert happened


class HeldExecutor(InlineExecutor):
    """Answers nothing before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.released = asyncio.Event()

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        await self.released.wait()
        return await super().submit(task, payload)


def test_while_it_is_paused_what_flies_is_told_and_nothing_else_happens(tmp_path: Path) -> None:
    def release() -> None:
        if visitor.turns == 10:
            executor.released.set()

    visitor = Visitor(tmp_path / "run", {3: "pause", 40: "resume"})
    visitor.before_each = release
    executor = HeldExecutor()
    budget = Budget(evaluations=25)
    with a_session(tmp_path / "run", budget=budget, executor=executor, listener=visitor.hear) as session:
        session.run()

    still = [(data["in_flight"], data["iterations"]) for data in visitor.seen if data["paused"]]
    assert still[0] == (4, 0)
    assert still[-1] == (0, 4)
    assert max(iterations for _, iterations in still) == 4
    assert executor.dropped == 0


def test_the_clock_stands_still_and_the_heart_beats_while_a_run_is_paused(tmp_path: Path) -> None:
    def pass_time() -> None:
        session.clock.now += 2.0

    visitor = Visitor(tmp_path / "run", {4: "pause", 40: "resume"})
    visitor.before_each = pass_time
    executor = InlineExecutor(hanging=True)
    with a_session(tmp_path / "run", budget=Budget(seconds=20.0), executor=executor, listener=visitor.hear) as session:
        assert session.run() == "time"

    still = [data for data in visitor.seen if data["paused"]]
    assert session.clock.now - 1000.0 > 70.0
    assert {data["session_seconds"] for data in still} == {still[0]["session_seconds"]}
    assert 16.0 <= visitor.seen[-1]["session_seconds"] <= 24.0
    assert "paused" in visitor.states
    assert visitor.states[-1] == "running"
    reader = RunReader(tmp_path / "run")
    heartbeat = reader.pulse()
    reader.close()
    assert heartbeat is not None
    assert heartbeat["seconds"] > still[0]["seconds"]


def test_a_request_to_stop_lets_what_flies_land_and_a_second_one_changes_nothing(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path / "run", {3: "stop", 4: "stop", 5: "pause"})
    executor = InlineExecutor(patience=lambda text: 40)
    with a_session(tmp_path / "run", budget=Budget(), executor=executor, listener=visitor.hear) as session:
        assert session.run() == "request"

        assert session.search.last_told == len(session.search.plans)
    assert executor.dropped == 0
    assert events_of(tmp_path / "run") == ["stopping"]
    (said,) = [event.data for event in session.events if event.kind == "stopping"]
    assert said["reason"] == "request"
    assert said["by"]["pid"] == os.getpid()


def test_ctrl_c_ends_a_run_that_is_paused(tmp_path: Path) -> None:
    def interrupt() -> None:
        if visitor.turns == 10:
            session.driver.ask_to_stop()

    visitor = Visitor(tmp_path / "run", {2: "pause"})
    visitor.before_each = interrupt
    with a_session(tmp_path / "run", budget=Budget(), listener=visitor.hear) as session:
        assert session.run() == "signal"

    assert events_of(tmp_path / "run") == ["paused", "stopping"]


def test_a_question_that_a_pause_held_back_is_not_sent_when_the_run_is_stopped(tmp_path: Path) -> None:
    class Desk(QuietDesk):
        def ask_no_more(self) -> None:
            was_paused.append(session.driver.pulse().paused)

    was_paused: list[bool] = []
    visitor = Visitor(tmp_path / "run", {2: "pause", 10: "stop"})
    with a_session(tmp_path / "run", budget=Budget(), listener=visitor.hear, models=Desk()) as session:
        assert session.run() == "request"

    assert was_paused[0]


def test_a_stop_is_heard_while_the_run_prepares(tmp_path: Path) -> None:
    ended: list[str] = []

    async def prepare() -> None:
        request(tmp_path / "run", "stop")
        await asyncio.Event().wait()
        ended.append("never")

    async def both(session: Session) -> str:
        await session.driver.unless_stopped(prepare())
        return await session.driver.run()

    with a_session(tmp_path / "run", budget=Budget()) as session:
        assert asyncio.run(both(session)) == "request"

    assert ended == []
    assert session.executor.judged == []


def test_a_pause_asked_for_while_the_run_prepares_holds_its_clock_from_the_start(tmp_path: Path) -> None:
    async def prepare() -> None:
        request(tmp_path / "run", "pause")
        session.clock.now += 50.0

    async def both() -> str:
        await session.driver.unless_stopped(prepare())
        return await session.driver.run()

    visitor = Visitor(tmp_path / "run", {5: "stop"})
    with a_session(tmp_path / "run", budget=Budget(), listener=visitor.hear) as session:
        assert asyncio.run(both()) == "request"

    assert {data["session_seconds"] for data in visitor.seen} == {0.0}
    assert session.executor.judged == []


def test_a_run_that_died_while_it_was_paused_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    with a_session(tmp_path / "whole", budget=Budget(evaluations=25)) as whole:
        whole.run()
        expected = whole.log()

    def die() -> None:
        if visitor.turns == 12:
            raise SystemExit("as if killed: the session is never ended, the request lies there")

    visitor = Visitor(tmp_path / "run", {3: "pause"})
    visitor.before_each = die
    budget = Budget(evaluations=25)
    with a_session(tmp_path / "run", budget=budget, listener=visitor.hear) as dead, pytest.raises(SystemExit):
        dead.run()
    assert visitor.states[-1] == "paused"

    search = a_search()
    reader = RunReader(tmp_path / "run")
    backlog, difference = fold_log(search, reader, window=4)
    reader.close()
    again = Visitor(tmp_path / "run", {})
    with a_session(
        tmp_path / "run", budget=Budget(evaluations=25), search=search, resumed_with=backlog, listener=again.hear
    ) as after:
        assert after.run() == "evaluations"

        assert after.log() == expected
    assert difference == ""
    assert set(again.states) == {"running"}


class Oracle:
    """Answers at once and counts."""

    usd_per_second = 0.5

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, key: CallKey, model: str, prompt: Prompt, purpose: str) -> Answer:
        self.asked.append(purpose)
        return Answer(outcome=Outcome.OK, text=purpose, cost=None)


def test_a_question_that_comes_up_during_a_pause_waits_for_its_end(tmp_path: Path) -> None:
    async def story() -> list[int]:
        with_writer = Control(writer, ManualClock())
        gated = GatedAsker(oracle, with_writer)
        key, prompt = CallKey(iteration=1, ordinal=0), cast("Prompt", None)
        with_writer.pause()
        waiting = asyncio.create_task(gated.ask(key, "model", prompt, "idea"))
        for _ in range(5):
            await asyncio.sleep(0)
        asked = [len(oracle.asked)]
        with_writer.go_on()
        assert (await waiting).text == "idea"
        return [*asked, len(oracle.asked)]

    oracle = Oracle()
    writer = RunWriter.create(tmp_path / "run", {}, durability="fast")
    try:
        assert asyncio.run(story()) == [0, 1]
    finally:
        writer.close()
    assert GatedAsker(oracle, Control(writer, ManualClock())).usd_per_second == 0.5


def test_a_stopwatch_counts_what_lies_between_pauses() -> None:
    clock = ManualClock()
    watch = Stopwatch(clock)
    shown = []
    for act, seconds in [
        (watch.hold, 3.0),
        (watch.hold, 5.0),
        (watch.go_on, 7.0),
        (watch.go_on, 11.0),
        (watch.start, 1.0),
    ]:
        clock.now += seconds
        act()
        shown.append(watch.seconds)

    assert shown == [3.0, 3.0, 3.0, 14.0, 0.0]


def test_draining_after_a_request_takes_no_longer_than_after_a_signal(tmp_path: Path) -> None:
    def pass_time() -> None:
        if session.driver.stopped_by:
            session.clock.now += DRAIN_SECONDS / 2 + 1

    visitor = Visitor(tmp_path / "run", {2: "stop"})
    visitor.before_each = pass_time
    executor = InlineExecutor(hanging=True)
    with a_session(tmp_path / "run", budget=Budget(), executor=executor, listener=visitor.hear) as session:
        assert session.run() == "request"

    assert executor.dropped == 4


def test_a_stop_is_heard_while_replies_that_money_paid_for_land(tmp_path: Path) -> None:
    def pass_time() -> None:
        if session.driver.stopped_by:
            landing.append(session.clock.now)
            assert len(landing) < 9, "nobody hears the stop"
            session.clock.now += DRAIN_SECONDS / 2 + 1
            if len(landing) == 3:
                request(tmp_path / "run", "pause")
            if len(landing) == 4:
                request(tmp_path / "run", "stop")

    landing: list[float] = []
    visitor = Visitor(tmp_path / "run", {})
    visitor.before_each = pass_time
    executor, models = InlineExecutor(hanging=True), QuietDesk(looks_left=2)
    with a_session(
        tmp_path / "run", budget=Budget(), executor=executor, listener=visitor.hear, models=models
    ) as session:
        assert session.run() == "budget_usd"

    assert not any(seen["paused"] for seen in visitor.seen)
