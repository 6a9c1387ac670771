"""What a session says of itself: of slots that its window leaves idle, and how often of how far it is."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from evolve.loop.budget import Budget
from evolve.loop.events import Event
from evolve.store import RunReader
from tests.unit.loop.test_loop_driver import InlineExecutor, a_session, shuffled


def said_of_the_window(run_dir: Path) -> list[tuple[int, int, int]]:
    reader = RunReader(run_dir)
    found = [event["data"] for event in reader.events() if event["data"].get("about") == "window"]
    reader.close()
    assert all("--window" in each["text"] for each in found)
    return [(each["slots"], each["window"], each["window_for_all"]) for each in found]


def test_a_window_that_leaves_slots_idle_is_told_once_and_is_on_record(tmp_path: Path) -> None:
    executor = InlineExecutor(capacity=9)
    with a_session(tmp_path / "run", budget=Budget(evaluations=30), executor=executor, window=4) as session:
        session.run()

    assert said_of_the_window(tmp_path / "run") == [(9, 4, 18)]
    assert [event.data["slots"] for event in session.events if event.kind == "warning"] == [9]


def test_it_is_told_again_when_nodes_have_joined_that_double_the_slots(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        if event.kind == "progress":
            executor.capacity = {0: 2, 1: 5, 2: 7, 3: 10, 4: 3}.get(event.data["iterations"], 20)

    executor = InlineExecutor(capacity=2)
    with a_session(
        tmp_path / "run", budget=Budget(evaluations=30), executor=executor, window=4, listener=listen
    ) as session:
        session.run()

    told = [slots for slots, _, _ in said_of_the_window(tmp_path / "run")]
    assert told[0] > 2
    assert all(later >= 2 * earlier for earlier, later in pairwise(told))
    assert told[-1] >= 10


def test_the_notice_changes_nothing_that_is_searched(tmp_path: Path) -> None:
    hashes = []
    for capacity in (1, 50):
        with a_session(
            tmp_path / str(capacity), budget=Budget(evaluations=30), executor=InlineExecutor(capacity=capacity)
        ) as session:
            session.run()
            hashes.append((session.log(), session.search.islands.hash()))

    assert hashes[0] == hashes[1]


def test_a_landing_that_cannot_be_told_yet_is_no_news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evolve.loop.driver.TICK_SECONDS", 600.0)  # nobody looks around by himself
    told: list[Any] = []

    def listen(event: Event) -> None:
        if event.kind == "progress":
            told.append(event.data["iterations"])

    executor = InlineExecutor(patience=shuffled(3))
    with a_session(
        tmp_path / "run", budget=Budget(evaluations=60), executor=executor, window=12, listener=listen
    ) as session:
        session.run()

    assert told[-1] == session.search.last_told
    assert len(set(told)) == len(told)  # the clock of the test stands still: each report tells something new
