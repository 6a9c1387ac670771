"""The pulse of a run: the latest state, a history that stays small, and runs that never had one."""

import json
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from evolve.store import Pulse, RunReader, RunWriter
from evolve.store.pulse import PULSE_TABLES, write_pulse
from evolve.store.schema import DATABASE_NAME, SCHEMA_VERSION
from tests.old_runs import FIRST_VERSION, SECOND_VERSION, THIRD_VERSION


def history(run_dir: Path) -> list[float]:
    with closing(RunReader(run_dir)) as reader:
        return [row["seconds"] for row in reader.pulses()]


def test_each_pulse_replaces_the_latest_and_history_has_one_a_second_at_most(tmp_path: Path) -> None:
    with closing(RunWriter.create(tmp_path / "run", {}, durability="fast")) as writer:
        writer.start_session()
        for tenth in range(31):
            writer.append([], seconds=tenth / 10, pulse=Pulse(seconds=tenth / 10, data={"evaluations": tenth}))

        with closing(RunReader(tmp_path / "run")) as reader:
            latest = reader.pulse()

    assert latest is not None
    assert (latest["id"], latest["seconds"], latest["data"]) == (0, 3.0, {"evaluations": 30})
    assert history(tmp_path / "run") == [0.0, 1.0, 2.0, 3.0]


def test_history_leaves_out_what_is_long_and_of_the_moment(tmp_path: Path) -> None:
    with closing(RunWriter.create(tmp_path / "run", {}, durability="fast")) as writer:
        data = {"elites": 3, "worker_states": [{"pid": 1}], "map_axis": "x", "map_line": [0.5, None]}
        writer.heartbeat(0.0, Pulse(seconds=0.0, data=data))

    with closing(RunReader(tmp_path / "run")) as reader:
        latest, history = reader.pulse(), reader.pulses()

    assert latest is not None
    assert latest["data"] == data
    assert [row["data"] for row in history] == [{"elites": 3}]


def test_history_goes_on_in_the_next_session_and_has_the_end_of_each(tmp_path: Path) -> None:
    with closing(RunWriter.create(tmp_path / "run", {}, durability="fast")) as writer:
        writer.start_session()
        writer.heartbeat(2.0, Pulse(seconds=2.0, data={}))
        writer.end_session(2.25, "time", Pulse(seconds=2.25, data={}))
    with closing(RunWriter.open(tmp_path / "run", durability="fast")) as writer:
        writer.start_session()
        writer.heartbeat(0.0, Pulse(seconds=2.25, data={}))
        writer.end_session(0.5, "time", Pulse(seconds=2.75, data={}))

    assert history(tmp_path / "run") == [2.0, 2.25, 2.75]


def test_a_year_of_pulses_leaves_some_thousand_rows_that_thin_out(tmp_path: Path) -> None:
    year, seconds = 365 * 86400, 0.0
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(PULSE_TABLES)
        while seconds < year:
            write_pulse(connection, Pulse(seconds=seconds, data={}), at="")
            seconds += max(1.0, seconds / 2048)  # a subset of all seconds, or this test would take as long as they do
        kept = [row[0] for row in connection.execute("SELECT seconds FROM pulse WHERE id > 0 ORDER BY id")]

    steps = [later - earlier for earlier, later in pairwise(kept)]
    assert 2000 < len(kept) < 7000
    assert steps[:500] == [1.0] * 500
    assert all(step <= max(1.0, later / 256) for step, later in zip(steps, kept[1:], strict=True))


def test_numbers_that_json_does_not_know_are_null(tmp_path: Path) -> None:
    with closing(RunWriter.create(tmp_path / "run", {}, durability="fast")) as writer:
        data = {"a": float("inf"), "b": [float("nan"), -1.5], "c": "NaN"}
        writer.heartbeat(0.0, Pulse(seconds=0.0, data=data))

    with closing(sqlite3.connect(tmp_path / "run" / DATABASE_NAME)) as connection:
        (text,) = connection.execute("SELECT data FROM pulse WHERE id = 0").fetchone()
    assert json.loads(text, parse_constant=pytest.fail) == {"a": None, "b": [None, -1.5], "c": "NaN"}


@pytest.mark.parametrize(
    ("version", "tables"), [(1, FIRST_VERSION), (2, SECOND_VERSION), (3, THIRD_VERSION)], ids=["1", "2", "3"]
)
def test_a_run_of_an_earlier_version_has_no_pulse_until_a_writer_comes(
    tmp_path: Path, version: int, tables: str
) -> None:
    assert "pulse" not in tables
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    with closing(sqlite3.connect(run_dir / DATABASE_NAME)) as connection:
        connection.executescript(tables)
        connection.execute("INSERT INTO meta VALUES ('problem', '{}')")
        connection.execute("INSERT INTO session VALUES (1, 5, 'here', 'then', 'then', 9.5, NULL)")
        connection.execute(f"PRAGMA user_version={version}")
        connection.commit()

    with closing(RunReader(run_dir)) as reader:
        before = reader.pulse(), reader.pulses(), reader.sessions()[0].get("paused")
        with closing(RunWriter.open(run_dir, durability="fast")) as writer:
            writer.heartbeat(1.0, Pulse(seconds=10.5, data={"x": 1}))
        after = reader.pulse()

    assert before == (None, [], None)
    assert after is not None
    assert after["data"] == {"x": 1}
    with closing(sqlite3.connect(run_dir / DATABASE_NAME)) as connection:
        indexes = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        assert {"candidate_failure", "candidate_operator", "iteration_operator"} <= indexes
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("SELECT seconds, paused FROM session").fetchall() == [(9.5, 0)]
