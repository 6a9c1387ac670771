"""The driver with an executor of ours in this process and a clock that we turn: order, limits, stops."""

import asyncio
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from archive import GridArchive, LinearAxis
from archive.candidate import Candidate
from archive.islands import Islands
from evaluators.contract import Evaluation
from evolve import tasks
from evolve.loop.budget import Budget
from evolve.loop.driver import Driver
from evolve.loop.events import Event, Listener
from evolve.loop.exhaustion import MOST_ITERATIONS
from evolve.loop.iteration import Bench
from evolve.loop.journal import Journal, elite_cells
from evolve.loop.landing import DRAIN_SECONDS, DRAIN_SECONDS_OF_MODELS
from evolve.loop.parts import Past, RunParts
from evolve.loop.replay import fold_log
from evolve.loop.reporting import HEARTBEAT_SECONDS
from evolve.loop.search import Search
from evolve.loop.told import Plan, Told, ToldChild
from evolve.operators.contract import Operator, Proposal, Proposing
from evolve.store import CallTotals, CandidateRecord, RunReader, RunWriter

if TYPE_CHECKING:
    from evolve.loop.models import ModelDesk

FILE = "number.txt"


class ManualClock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class InlineExecutor:
    """Judges texts that are numbers: the score is the number. `patience` says how many turns of the loop one takes."""

    patience: Callable[[str], int] = lambda text: 0
    capacity: int = 2
    n_lost_workers: int = 0
    hanging: bool = False
    running: int = 0
    most_running: int = 0
    judged: list[str] = field(default_factory=list)
    dropped: int = 0

    async def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to close."""

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        assert task == tasks.EVALUATE
        texts = [child["files"][FILE] for child in payload["children"]]
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for _ in range(self.patience(texts[0])):
                await asyncio.sleep(0)
            if self.hanging:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        finally:
            self.running -= 1
        self.judged += texts
        return {"evaluations": [tasks.evaluation_to_mapping(judged(text)) for text in texts]}


@dataclass(frozen=True)
class Walk:
    """Proposes `n_children` numbers near its parent's."""

    n_children: int = 1
    name: str = "walk"
    n_parents: int = 1

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        yield from ()
        start = int(parents[0].files[FILE])
        steps = rng.integers(-40, 60, self.n_children).tolist()
        return [Proposal(files={FILE: str(start + step)}, parent_ids=(parents[0].id,)) for step in steps]


@dataclass(frozen=True)
class Barren:
    """Finds nothing to change, or breaks where it is told to."""

    breaks_after: int | None = None
    calls: list[int] = field(default_factory=list)
    name: str = "barren"
    n_parents: int = 1

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        yield from ()
        self.calls.append(1)
        if self.breaks_after is not None and len(self.calls) > self.breaks_after:
            raise LookupError("the operator is broken")
        return [] if self.breaks_after is None else [Proposal(files={FILE: str(len(self.calls))}, parent_ids=(1,))]


class PlainGate:
    """Every text is legal and its own fingerprint."""

    def fingerprint_of(self, files: Mapping[str, str]) -> str:
        return files[FILE]


class WatchedSearch(Search):
    """Remembers the plans it made."""

    def plan(self, number: int) -> Plan:
        plan = super().plan(number)
        self.plans = [*getattr(self, "plans", []), plan]
        return plan


def judged(text: str) -> Evaluation:
    return Evaluation(score=float(text), descriptor={"rest": float(int(text) % 10)})


def a_search(*operators: Operator) -> WatchedSearch:
    archive = GridArchive([LinearAxis("rest", 0.0, 10.0, 5)])
    return WatchedSearch(Islands.alike(archive, 2), operators or (Walk(),), rng_seed=5, migrate_every=4, n_migrants=1)


@dataclass
class Session:
    """A driver with all its parts."""

    driver: Driver
    search: WatchedSearch
    executor: InlineExecutor
    clock: ManualClock
    run_dir: Path
    events: list[Event]

    def run(self) -> str:
        return asyncio.run(self.driver.run())

    def log(self) -> list[tuple[int, str, tuple[int, ...], str]]:
        return [
            (row.candidate.id, row.candidate.fingerprint, row.candidate.parent_ids, row.status) for row in self.rows()
        ]

    def rows(self) -> list[CandidateRecord]:
        reader = RunReader(self.run_dir)
        rows = [row for record in reader.iterations() for row in record.candidates]
        reader.close()
        return rows

    def sessions(self) -> list[dict[str, Any]]:
        reader = RunReader(self.run_dir)
        sessions = reader.sessions()
        reader.close()
        return sessions

    def kinds(self) -> set[str]:
        return {event.kind for event in self.events}


@contextmanager
def a_session(
    run_dir: Path,
    *,
    budget: Budget,
    search: WatchedSearch | None = None,
    executor: InlineExecutor | None = None,
    window: int = 4,
    listener: Listener = lambda event: None,
    resumed_with: Sequence[Plan] | None = None,
    past_seconds: float = 0.0,
    models: object = None,
) -> Iterator[Session]:
    """A session in a new run whose seed program has been told, or in an old one if there are plans to go on with."""
    search, executor, clock = search or a_search(), executor or InlineExecutor(), ManualClock()
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        listener(event)

    if resumed_with is None:
        writer = RunWriter.create(run_dir, {}, durability="fast")
    else:
        writer = RunWriter.open(run_dir, durability="fast")
    try:
        writer.start_session()
        journal = Journal(writer, search)
        if resumed_with is None:
            journal.commit([search.tell(the_seed())], 0.0)
        parts = RunParts(
            search=search,
            bench=Bench(executor=executor, gate=PlainGate(), judge={}, rng_seed=5, longest_seconds=10.0),
            writer=writer,
            journal=journal,
            budget=budget,
            window=window,
            listener=listen,
            past=Past(seconds=past_seconds, backlog=tuple(resumed_with or ())),
            models=cast("ModelDesk | None", models),
        )
        yield Session(Driver(parts, clock=clock), search, executor, clock, run_dir, events)
    finally:
        writer.close()


def the_seed() -> Told:
    child = ToldChild(files={FILE: "0"}, fingerprint="0", parent_ids=(), evaluation=judged("0"))
    return Told(number=0, operator="seed", island=0, cost=0.0, seconds=0.0, n_duplicates=0, children=(child,))


def shuffled(salt: int) -> Callable[[str], int]:
    """A patience that differs from text to text, another one for every salt."""
    return lambda text: zlib.crc32(f"{salt} {text}".encode()) % 9


def test_the_log_does_not_depend_on_which_evaluation_ends_first(tmp_path: Path) -> None:
    logs = []
    for salt in range(4):
        executor = InlineExecutor(patience=shuffled(salt))
        with a_session(tmp_path / str(salt), budget=Budget(evaluations=40), executor=executor, window=6) as session:
            session.run()
            logs.append((session.log(), session.search.islands.hash()))

    assert logs[1:] == logs[:1] * 3


def test_out_of_order_answers_did_happen_and_were_told_in_order(tmp_path: Path) -> None:
    executor = InlineExecutor(patience=shuffled(1))
    with a_session(tmp_path / "run", budget=Budget(evaluations=40), executor=executor, window=6) as session:
        session.run()

        told = [row.candidate.fingerprint for row in session.rows()][1:]

    assert [text for text in executor.judged if text in told] != told
    assert len(told) == 39


def test_an_iteration_is_planned_exactly_when_the_one_a_window_before_was_told(tmp_path: Path) -> None:
    executor = InlineExecutor(patience=shuffled(2))
    with a_session(tmp_path / "run", budget=Budget(evaluations=30), executor=executor, window=5) as session:
        session.run()

    plans = session.search.plans
    assert [plan.number for plan in plans] == list(range(1, len(plans) + 1))
    assert [plan.horizon for plan in plans] == [max(plan.number - 5, 0) for plan in plans]


@pytest.mark.parametrize("window", [1, 3])
def test_no_more_iterations_fly_than_the_window_holds(tmp_path: Path, window: int) -> None:
    executor = InlineExecutor(patience=lambda text: 3)
    with a_session(tmp_path / "run", budget=Budget(evaluations=20), executor=executor, window=window) as session:
        session.run()

    assert executor.most_running == window
    assert max(event.data["in_flight"] for event in session.events if event.kind == "progress") <= window


@pytest.mark.parametrize("evaluations", [2, 7, 13])
def test_several_children_at_once_never_exceed_the_budget(tmp_path: Path, evaluations: int) -> None:
    budget = Budget(evaluations=evaluations)
    with a_session(tmp_path / "run", budget=budget, search=a_search(Walk(n_children=5))) as session:
        stopped_by = session.run()

        assert len(session.rows()) == evaluations

    assert stopped_by == "evaluations"


@dataclass
class QuietDesk:
    """Language models of which nothing is heard; their budget is spent after some looks at it."""

    looks_left: int = 10**9
    totals: CallTotals = field(default_factory=CallTotals)
    is_dead: bool = False
    n_in_flight: int = 0

    def ask_no_more(self) -> None:
        pass

    def news(self) -> list[str]:
        return []

    def spent_budget(self) -> str | None:
        self.looks_left -= 1
        return "budget_usd" if self.looks_left < 0 else None


def test_where_replies_cost_money_no_more_begins_than_can_be_told(tmp_path: Path) -> None:
    begun, logs = [], []
    for models in (None, QuietDesk()):
        executor = InlineExecutor(patience=shuffled(4))
        name, budget = f"run-{models is None}", Budget(evaluations=12)
        with a_session(tmp_path / name, budget=budget, executor=executor, window=6, models=models) as session:
            session.run()
            begun.append(len(executor.judged) + executor.dropped)
            logs.append(session.log())

    assert logs[0] == logs[1]
    assert begun[1] == 11 < begun[0]


def test_what_is_in_flight_when_money_is_spent_lands_however_long_it_takes(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        session.clock.now += DRAIN_SECONDS

    executor, models = InlineExecutor(patience=lambda text: 4), QuietDesk(looks_left=6)
    with a_session(tmp_path / "run", budget=Budget(), executor=executor, listener=listen, models=models) as session:
        assert session.run() == "budget_usd"

        assert session.search.last_told == len(session.search.plans)
    assert executor.dropped == 0


def test_a_budget_that_is_spent_already_starts_nothing(tmp_path: Path) -> None:
    with a_session(tmp_path / "run", budget=Budget(evaluations=1)) as session:
        assert session.run() == "evaluations"

    assert session.executor.judged == []


def test_a_target_ends_the_log_with_the_iteration_that_reached_it(tmp_path: Path) -> None:
    with a_session(tmp_path / "run", budget=Budget(target=150.0, evaluations=5000)) as session:
        assert session.run() == "target"

        scores = [row.evaluation.score or 0.0 for row in session.rows()]

    assert scores[-1] >= 150.0
    assert max(scores[:-1]) < 150.0


def test_time_is_that_of_all_sessions_together(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        session.clock.now += 1.0

    with a_session(tmp_path / "run", budget=Budget(seconds=100.0), past_seconds=95.0, listener=listen) as session:
        assert session.run() == "time"

        assert session.driver.run_seconds == 95.0 + session.driver.session_seconds
    assert 5.0 <= session.driver.session_seconds < 30.0


def test_the_clock_starts_with_the_search_not_with_the_driver(tmp_path: Path) -> None:
    with a_session(tmp_path / "run", budget=Budget(seconds=60.0, evaluations=3)) as session:
        session.clock.now += 10_000.0  # what the compiled search took to prepare

        assert session.run() == "evaluations"


def test_a_stop_lets_what_flies_land_and_plans_no_more(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        if event.kind == "progress" and event.data["iterations"] >= 3:
            asked.append(True)
            if len(asked) == 1:
                session.driver.ask_to_stop()

    asked: list[bool] = []
    executor = InlineExecutor(patience=lambda text: 4)
    with a_session(tmp_path / "run", budget=Budget(), executor=executor, listener=listen) as session:
        assert session.run() == "signal"

        told = [row.candidate.iteration for row in session.rows()]

    stopping = [event for event in session.events if event.kind == "stopping"]
    assert [event.data["reason"] for event in stopping] == ["signal"]
    assert session.executor.dropped == 0
    assert session.search.last_told == len(session.search.plans) == max(told)


def test_a_second_stop_drops_what_flies_at_once(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        session.driver.ask_to_stop()

    with a_session(
        tmp_path / "run", budget=Budget(), executor=InlineExecutor(hanging=True), listener=listen
    ) as session:
        assert session.run() == "signal"

        assert len(session.rows()) == 1
    assert session.executor.dropped == 4
    assert session.executor.running == 0


def test_draining_ends_when_its_time_is_over(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        if event.kind == "stopping":
            assert event.data["in_flight"] == 4
        if "stopping" in session.kinds():
            session.clock.now += DRAIN_SECONDS / 2 + 1
        else:
            session.driver.ask_to_stop()

    with a_session(
        tmp_path / "run", budget=Budget(), executor=InlineExecutor(hanging=True), listener=listen
    ) as session:
        assert session.run() == "signal"

    assert session.executor.dropped == 4


@pytest.mark.parametrize("asks", [False, True])
def test_where_time_ended_a_run_paid_replies_may_land_for_a_while_unless_a_signal_says_no(
    tmp_path: Path, asks: bool
) -> None:
    def listen(event: Event) -> None:
        session.clock.now += DRAIN_SECONDS_OF_MODELS / 2
        if event.kind == "stopping":
            ends.append(session.clock.now)
            if asks:
                session.driver.ask_to_stop()

    ends: list[float] = []
    executor, budget = InlineExecutor(hanging=True), Budget(seconds=20.0)
    desk = QuietDesk(n_in_flight=1)
    with a_session(tmp_path / "run", budget=budget, executor=executor, listener=listen, models=desk) as session:
        assert session.run() == "time"

    assert session.clock.now - ends[0] == (0.0 if asks else DRAIN_SECONDS_OF_MODELS)


def test_a_quiet_search_still_shows_signs_of_life_on_disk(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        session.clock.now += HEARTBEAT_SECONDS + 1
        seen.append(session.sessions()[-1]["seconds"])

    seen: list[float] = []
    budget = Budget(seconds=2.5 * (HEARTBEAT_SECONDS + 1))
    with a_session(tmp_path / "run", budget=budget, executor=InlineExecutor(hanging=True), listener=listen) as session:
        assert session.run() == "time"

    assert seen == [0.0, 2.0, 4.0]


def test_operators_that_find_nothing_any_more_end_the_search(tmp_path: Path) -> None:
    barren = Barren()
    with a_session(tmp_path / "run", budget=Budget(), search=a_search(barren), window=250) as session:
        assert session.run() == "exhausted"

    assert session.search.last_told == MOST_ITERATIONS
    assert session.search.n_evaluations == 1


def test_an_operator_that_raises_ends_the_session_and_leaves_a_log_that_folds(tmp_path: Path) -> None:
    broken, executor = Barren(breaks_after=9), InlineExecutor(patience=shuffled(3))
    with (
        a_session(tmp_path / "run", budget=Budget(), search=a_search(broken), executor=executor) as session,
        pytest.raises(LookupError, match="the operator is broken"),
    ):
        session.run()

    again = a_search(Barren())
    reader = RunReader(tmp_path / "run")
    _, difference = fold_log(again, reader, window=4)
    assert difference == ""
    assert list(elite_cells(again)) == sorted({row[:2] for row in reader.elite_ids()})
    assert executor.running == 0
    reader.close()


@pytest.mark.parametrize("first", [2, 3, 9, 17])
def test_two_sessions_are_one(tmp_path: Path, first: int) -> None:
    with a_session(tmp_path / "whole", budget=Budget(evaluations=25)) as whole:
        whole.run()
        expected = whole.log()
    with a_session(tmp_path / "run", budget=Budget(evaluations=first)) as before:
        before.run()

    search = a_search()
    reader = RunReader(tmp_path / "run")
    backlog, difference = fold_log(search, reader, window=4)
    reader.close()
    with a_session(tmp_path / "run", budget=Budget(evaluations=25), search=search, resumed_with=backlog) as after:
        after.run()
        log = after.log()

    assert difference == ""
    assert log == expected
    assert search.islands.hash() == whole.search.islands.hash()
    assert search.bandit.to_mapping() == whole.search.bandit.to_mapping()


def test_the_last_progress_says_what_is_on_disk(tmp_path: Path) -> None:
    with a_session(tmp_path / "run", budget=Budget(evaluations=30)) as session:
        session.run()

    last = [event for event in session.events if event.kind == "progress"][-1].data
    reader = RunReader(tmp_path / "run")
    counts = reader.counts()
    reader.close()
    assert last["iterations"] == counts["last_iteration"]
    same = ("evaluations", "duplicates", "failures", "elites", "best_score")
    assert {name: last[name] for name in same} == {name: counts[name] for name in same}
    assert last["evaluations_left"] == 0


def test_nothing_is_announced_before_it_is_on_disk(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        if event.kind == "improved":
            on_disk.append(event.data["id"] in {row.candidate.id for row in session.rows()})

    on_disk: list[bool] = []
    with a_session(tmp_path / "run", budget=Budget(evaluations=15), listener=listen) as session:
        session.run()

    assert on_disk
    assert all(on_disk)


def test_a_listener_that_raises_ends_the_session_and_drops_what_flies(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        raise BrokenPipeError("nobody listens")

    executor = InlineExecutor(hanging=True)
    with (
        a_session(tmp_path / "run", budget=Budget(), executor=executor, listener=listen) as session,
        pytest.raises(BrokenPipeError),
    ):
        session.run()

    assert (executor.running, executor.dropped) == (0, 4)


def test_preparation_is_dropped_when_a_stop_is_asked_for(tmp_path: Path) -> None:
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("dropped")

    async def use(driver: Driver) -> None:
        asyncio.get_running_loop().call_soon(driver.ask_to_stop)
        await driver.unless_stopped(forever())

    with a_session(tmp_path / "run", budget=Budget()) as session:
        asyncio.run(use(session.driver))

    assert ended == ["dropped"]


def test_preparation_that_fails_is_told(tmp_path: Path) -> None:
    async def fails() -> None:
        raise LookupError("no seed")

    with a_session(tmp_path / "run", budget=Budget()) as session, pytest.raises(LookupError, match="no seed"):
        asyncio.run(session.driver.unless_stopped(fails()))
