"""What the tables refuse, what a session leaves, who may hold a run, and where it may live."""

import json
import os
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.candidate import Candidate
from evaluators.contract import Evaluation
from evolve.errors import EvolveEnvironmentError, ResumableError, UsageError
from evolve.store import CandidateRecord, IterationRecord, RunReader, RunWriter
from evolve.store.lock import LOCK_NAME, filesystem_of, refuse_network_filesystem, take_lock
from evolve.store.records import pack_files
from evolve.store.schema import (
    DATABASE_NAME,
    SCHEMA_VERSION,
    connect_reader,
    connect_writer,
    holds_tables,
    require_version,
)
from tests.old_runs import FIRST_VERSION

WRONG_TYPES: list[dict[str, Any]] = [{"operator": None}, {"cost": "dear"}]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RunWriter]:
    """The writer of a new run in `tmp_path / "run"`."""
    writer = RunWriter.create(tmp_path / "run", {"problem": "p"}, durability="fast")
    yield writer
    writer.close()


def row(identifier: int, *, iteration: int, parents: tuple[int, ...] = (), level: str = "") -> CandidateRecord:
    candidate = Candidate(
        id=identifier, files={"p": "same"}, fingerprint=str(identifier), parent_ids=parents, iteration=iteration
    )
    return CandidateRecord(
        candidate=candidate, evaluation=Evaluation(score=1.0, level=level), island=0, status="new", cell=identifier
    )


def iteration(number: int, *rows: CandidateRecord) -> IterationRecord:
    return IterationRecord(
        number=number, operator="edit", island=0, cost=1.0, reward=0.5, seconds=0.0, n_duplicates=0, candidates=rows
    )


def asked(run_dir: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(run_dir / DATABASE_NAME)) as connection:
        return connection.execute(query).fetchall()


def everything(run_dir: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables but the times in sessions."""
    tables = ("meta", "source", "iteration", "candidate", "parent", "elite", "curve", "event")
    return {table: asked(run_dir, f"SELECT * FROM {table}") for table in tables}


@pytest.mark.parametrize(
    "wrong",
    [
        {"iterations": [iteration(1, row(2, iteration=1, parents=(99,)))]},
        {"iterations": [iteration(1, row(1, iteration=1))]},
        {"iterations": [iteration(0)]},
        {"iterations": [iteration(1, row(2, iteration=8))]},
        {"iterations": [iteration(1)], "elites": [(0, 0, [1, 77])]},
        {"iterations": [iteration(1)], "curve": [(2, 0.0, 1.0, 77)]},
        {"iterations": [replace(iteration(1), **WRONG_TYPES[0])]},
        {"iterations": [replace(iteration(1), **WRONG_TYPES[1])]},
    ],
    ids=["parent", "id twice", "number twice", "other iteration", "elite", "curve", "no operator", "text for number"],
)
def test_a_row_that_contradicts_the_log_is_refused_and_leaves_everything_as_it_was(
    writer: RunWriter, wrong: dict[str, Any]
) -> None:
    writer.append([iteration(0, row(1, iteration=0))], elites=[(0, 0, [1])], curve=[(1, 0.0, 1.0, 1)])
    before = everything(writer.run_dir)

    with pytest.raises(sqlite3.IntegrityError):
        writer.append(**wrong, events=[("improved", {"id": 2})])

    assert everything(writer.run_dir) == before
    writer.append([iteration(1, row(2, iteration=1, parents=(1,)))])
    assert len(everything(writer.run_dir)["candidate"]) == 2


def test_an_event_that_is_no_json_leaves_nothing(writer: RunWriter) -> None:
    before = everything(writer.run_dir)

    with pytest.raises(TypeError):
        writer.append([iteration(0, row(1, iteration=0))], events=[("improved", {"id": {1}})])

    assert everything(writer.run_dir) == before
    assert writer.is_empty()


def test_a_cell_is_rewritten_as_a_whole_and_others_are_left_alone(writer: RunWriter) -> None:
    rows = [row(number, iteration=0) for number in range(1, 6)]
    writer.append([iteration(0, *rows)], elites=[(0, 3, [1, 2, 3]), (1, 3, [4]), (0, 4, [5])])

    writer.append([iteration(1)], elites=[(0, 3, [2]), (0, 4, [])])

    with closing(RunReader(writer.run_dir)) as reader:
        assert reader.elite_ids() == [(0, 3, 0, 2), (1, 3, 0, 4)]


def test_meta_is_replaced_entry_by_entry_and_may_hold_any_json(writer: RunWriter) -> None:
    writer.set_meta("options", {"seed": 1, "text": "ü\n"})
    writer.set_meta("options", [1, None, "x"])

    with closing(RunReader(writer.run_dir)) as reader:
        assert reader.meta() == {"problem": "p", "options": [1, None, "x"]}


def test_a_run_is_empty_until_its_first_iteration(writer: RunWriter) -> None:
    writer.start_session()
    writer.set_meta("more", 1)
    assert writer.is_empty()

    writer.append([iteration(0)])

    assert not writer.is_empty()


def test_a_session_says_who_worked_how_long_and_why_it_ended(writer: RunWriter) -> None:
    writer.start_session()
    writer.heartbeat(4.0)
    with closing(RunReader(writer.run_dir)) as reader:
        living = reader.sessions()[0]
        writer.end_session(6.5, "target")
        writer.start_session()
        writer.append([iteration(0)], seconds=2.25)
        first, second = reader.sessions()
        total = reader.counts()["seconds"]

    assert (living["seconds"], living["stopped_by"]) == (4.0, None)
    assert (first["seconds"], first["stopped_by"]) == (6.5, "target")
    assert (second["seconds"], second["stopped_by"]) == (2.25, None)
    assert total == 8.75
    assert {(each["pid"], each["host"]) for each in (first, second)} == {(os.getpid(), socket.gethostname())}


def test_times_are_written_in_utc_and_in_order(writer: RunWriter) -> None:
    before = datetime.now(UTC)
    writer.start_session()
    writer.append([iteration(0)], events=[("warning", {})])
    with closing(RunReader(writer.run_dir)) as reader:
        session, event = reader.sessions()[0], reader.events()[0]
    times = [datetime.fromisoformat(each) for each in (session["started"], event["at"], session["heartbeat"])]

    assert times == sorted(times)
    assert all(each.utcoffset() is not None and abs((each - before).total_seconds()) < 60 for each in times)


def test_a_reader_in_the_middle_of_reading_does_not_stop_the_writer(writer: RunWriter) -> None:
    writer.append([iteration(number, row(number + 1, iteration=number)) for number in range(6)])
    with closing(RunReader(writer.run_dir)) as reader:
        reading = reader.iterations(batch=2)
        first = next(reading)
        writer.append([iteration(6, row(7, iteration=6))])

        rest = list(reading)

    assert [first.number, *(each.number for each in rest)] == list(range(7))


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("fast", 1)])
def test_durability_is_what_sqlite_is_asked_for(tmp_path: Path, durability: str, synchronous: int) -> None:
    with closing(connect_writer(tmp_path / "run.db", durability=durability)) as connection:
        asked_for = ("synchronous", "journal_mode", "foreign_keys")
        settings = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked_for}

    assert settings == {"synchronous": synchronous, "journal_mode": "wal", "foreign_keys": 1}


def test_no_file_and_an_empty_file_hold_no_tables_and_a_run_does(tmp_path: Path, writer: RunWriter) -> None:
    (tmp_path / "empty.db").touch()

    assert not holds_tables(tmp_path / "none.db")
    assert not holds_tables(tmp_path / "empty.db")
    assert holds_tables(writer.run_dir / DATABASE_NAME)
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_database_is_not_overwritten_by_a_new_run(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    path.write_bytes(b"my diary, do not touch" * 100)

    with pytest.raises(EvolveEnvironmentError, match="cannot read"):
        RunWriter.create(tmp_path, {})

    assert path.read_bytes() == b"my diary, do not touch" * 100


def test_a_run_in_a_folder_that_cannot_be_written_is_read_without_a_file_beside_it(
    tmp_path: Path, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.append([iteration(0, row(1, iteration=0))])
    writer.close()
    before = sorted(os.listdir(tmp_path / "run"))
    assert f"{DATABASE_NAME}-wal" not in before
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as on read-only media

    reader = RunReader(tmp_path / "run")

    assert reader.counts()["evaluations"] == 1
    assert sorted(os.listdir(tmp_path / "run")) == before
    reader.close()


def test_a_reader_does_not_make_a_database(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        connect_reader(tmp_path / "none.db")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", [-1, SCHEMA_VERSION + 1, 2**31 - 1])
def test_only_the_known_schema_is_used(tmp_path: Path, version: int) -> None:
    require_version(tmp_path, SCHEMA_VERSION)

    with pytest.raises(UsageError, match=f"schema version {version}, this program knows 1 to {SCHEMA_VERSION}"):
        require_version(tmp_path, version)


def write_first_version(run_dir: Path, *, language: str = "python", n: int = 2) -> None:
    """A run as the first version of this program wrote it, with `n` candidates."""
    assert not any(word in FIRST_VERSION for word in ("level", "notes", "call", "pulse", "paused"))
    run_dir.mkdir()
    with closing(sqlite3.connect(run_dir / DATABASE_NAME)) as connection:
        connection.executescript(FIRST_VERSION)
        problem = json.dumps({"tables": {"problem": {"language": language}}})
        connection.execute("INSERT INTO meta VALUES ('problem', ?)", (problem,))
        connection.execute("INSERT INTO iteration VALUES (0, 'seed', 0, 1.0, 0.5, 0.0, 0)")
        connection.execute("INSERT INTO source VALUES ('hash', ?)", (pack_files({"p": "same"}),))
        for number in range(1, n + 1):
            failure = "crash" if number == 2 else None
            score = None if failure else 1.5
            values = (number, 0, "hash", "f", "edit", 0, 0, "new", None, score, failure, "", "", "{}", "{}", "{}", 0.1)
            connection.execute(f"INSERT INTO candidate VALUES ({','.join('?' * len(values))})", values)
        connection.execute("PRAGMA user_version=1")
        connection.commit()


@pytest.mark.parametrize(("language", "level"), [("python", "WEAK"), ("symbolic", "INTERPRETER")])
def test_a_run_of_the_first_version_can_be_read_and_is_left_as_it_is(tmp_path: Path, language: str, level: str) -> None:
    write_first_version(tmp_path / "run", language=language)

    with closing(RunReader(tmp_path / "run")) as reader:
        (record,) = reader.iterations()
        assert [row.evaluation.level for row in record.candidates] == [level, level]
        assert reader.levels() == {level: 2}
        assert reader.candidate(1).evaluation.score == 1.5

    assert asked(tmp_path / "run", "PRAGMA user_version") == [(1,)]


@pytest.mark.parametrize(("language", "level"), [("python", "WEAK"), ("symbolic", "INTERPRETER")])
def test_a_writer_brings_a_run_of_the_first_version_up_to_date_and_goes_on(
    tmp_path: Path, language: str, level: str
) -> None:
    write_first_version(tmp_path / "run", language=language)
    before = asked(tmp_path / "run", "SELECT * FROM candidate")

    with closing(RunReader(tmp_path / "run")) as reader, closing(RunWriter.open(tmp_path / "run")) as writer:
        writer.append([iteration(1, row(3, iteration=1, level="FULL"))])
        assert reader.levels() == {level: 3}  # opened before: it knows no better, and does not fail

    assert asked(tmp_path / "run", "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert asked(tmp_path / "run", "SELECT * FROM candidate")[:2] == [(*each, level) for each in before]
    with closing(RunReader(tmp_path / "run")) as reader:
        assert reader.levels() == {level: 2, "FULL": 1}
    RunWriter.open(tmp_path / "run").close()


def test_a_run_whose_change_of_version_failed_is_as_it_was(tmp_path: Path) -> None:
    write_first_version(tmp_path / "run")
    with closing(sqlite3.connect(tmp_path / "run" / DATABASE_NAME)) as connection:
        connection.execute("ALTER TABLE candidate ADD COLUMN level TEXT")
        before = asked(tmp_path / "run", "SELECT * FROM candidate")

    with pytest.raises(ResumableError, match="duplicate column"):
        RunWriter.open(tmp_path / "run")

    assert asked(tmp_path / "run", "PRAGMA user_version") == [(1,)]
    assert asked(tmp_path / "run", "SELECT * FROM candidate") == before


def test_candidates_that_never_ran_have_no_level_and_are_not_counted(writer: RunWriter) -> None:
    levels = ("FULL", "", "FULL", "STRONG")
    rows = [row(number, iteration=0, level=level) for number, level in enumerate(levels, 1)]

    writer.append([iteration(0, *rows)])

    with closing(RunReader(writer.run_dir)) as reader:
        assert [each.evaluation.level for record in reader.iterations() for each in record.candidates] == [*levels]
        assert reader.levels() == {"FULL": 2, "STRONG": 1}


def test_the_lock_names_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    first = take_lock(tmp_path)
    note = json.loads((tmp_path / LOCK_NAME).read_text(encoding="utf-8"))

    with pytest.raises(EvolveEnvironmentError, match=f"process {os.getpid()} on {socket.gethostname()}"):
        take_lock(tmp_path)
    first.close()

    take_lock(tmp_path).close()
    assert note == {"pid": os.getpid(), "host": socket.gethostname()}


@pytest.mark.parametrize("note", ["", '{"pid": 1', "[]", '{"pid": 1}', "null", "\x00\x00"])
def test_a_torn_note_is_no_reason_to_fail_and_the_lock_still_holds(tmp_path: Path, note: str) -> None:
    with take_lock(tmp_path):
        (tmp_path / LOCK_NAME).write_text(note, encoding="utf-8")

        with pytest.raises(EvolveEnvironmentError, match="an unknown process"):
            take_lock(tmp_path)


def test_a_stale_note_of_a_dead_controller_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_text('{"pid": 1, "host": "elsewhere", "long": "' + "x" * 500 + '"}', encoding="utf-8")

    with take_lock(tmp_path):
        note = json.loads((tmp_path / LOCK_NAME).read_text(encoding="utf-8"))

    assert note["pid"] == os.getpid()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full: /dev/full")
def test_a_lock_that_cannot_be_written_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).symlink_to("/dev/full")

    with pytest.raises(EvolveEnvironmentError, match=f"cannot write in the run directory {tmp_path}: "):
        take_lock(tmp_path)


def test_a_lock_in_no_folder_says_to_use_another(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EvolveEnvironmentError, match="cannot write in the run directory"):
        take_lock(tmp_path / "file")


def test_a_refused_second_writer_leaves_the_first_one_working(writer: RunWriter) -> None:
    with pytest.raises(EvolveEnvironmentError):
        RunWriter.open(writer.run_dir)

    writer.append([iteration(0, row(1, iteration=0))])

    with closing(RunReader(writer.run_dir)) as reader:
        assert reader.counts()["evaluations"] == 1


def test_discarding_a_run_spares_what_else_lies_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine", encoding="utf-8")
    writer = RunWriter.create(tmp_path / "run", {})

    writer.discard(folders=[writer.run_dir])
    writer.close()

    assert [each.name for each in (tmp_path / "run").iterdir()] == ["notes.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads the mount table of Linux")
def test_the_deepest_mount_decides_on_the_filesystem() -> None:
    assert filesystem_of(Path("/proc/self")) == "proc"
    assert filesystem_of(Path("/proc/self/..")) == "proc"
    assert filesystem_of(Path("/")) != "proc"


def test_a_local_folder_is_not_refused_even_before_it_exists(tmp_path: Path) -> None:
    refuse_network_filesystem(tmp_path)

    assert filesystem_of(tmp_path / "not" / "yet") == filesystem_of(tmp_path)
