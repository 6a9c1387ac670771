"""Requests to language models in the log: written at once, read as they were, added up, and there in old runs too."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.errors import UsageError
from evolve.store import CallRecord, CallTotals, IterationRecord, RunReader, RunWriter
from evolve.store.schema import DATABASE_NAME, SCHEMA_VERSION
from tests.extent import examples
from tests.old_runs import SECOND_VERSION

CALL = CallRecord(
    iteration=3,
    ordinal=0,
    attempt=0,
    purpose="code",
    model="fake:",
    provider="fake",
    prompt_hash="abc",
    outcome="ok",
    text="def f(x):\n    return 'ü \ud800'\n",
    detail="",
    input_tokens=100,
    cached_tokens=60,
    cache_write_tokens=5,
    output_tokens=20,
    reasoning_tokens=7,
    is_estimated=True,
    cost_usd=0.25,
    seconds=1.5,
    request_id="r-1",
    model_reported="fake-1",
    is_final=True,
)
PROMPT = {"system": ["rules"], "turns": [{"role": "user", "text": "improve \ud800"}], "max_output_tokens": 9}


def an_iteration(number: int, **notes: object) -> IterationRecord:
    return IterationRecord(
        number=number,
        operator="diff@fake:",
        island=0,
        cost=1.0,
        reward=0.5,
        seconds=0.0,
        n_duplicates=0,
        candidates=(),
        notes=notes,
    )


def test_a_call_is_read_as_it_was_written_also_by_who_opened_before(tmp_path: Path) -> None:
    unpriced = replace(CALL, ordinal=1, cost_usd=None, outcome="refused", is_final=False, is_estimated=False)
    with closing(RunWriter.create(tmp_path / "run", {})) as writer, closing(RunReader(tmp_path / "run")) as reader:
        writer.record_call(CALL, prompt=PROMPT)
        writer.record_call(unpriced)

        assert [call for _, _, call in reader.calls()] == [CALL, unpriced]
        assert [call for _, _, call in reader.calls(failed=True)] == [unpriced]
        assert [number for number, _, _ in reader.calls(limit=1)] == [2]
        assert reader.call(1)[2] == CALL
        assert (reader.reply(3, 1), reader.reply(3, 2)) == ([unpriced], [])
        assert (reader.prompt("abc"), reader.prompt("abd")) == (PROMPT, None)


def test_attempts_of_one_question_come_in_their_order(tmp_path: Path) -> None:
    attempts = [replace(CALL, attempt=n, outcome="overloaded", is_final=False) for n in range(3)]
    with closing(RunWriter.create(tmp_path / "run", {})) as writer, closing(RunReader(tmp_path / "run")) as reader:
        for call in [*attempts, replace(CALL, iteration=4), replace(CALL, attempt=3)]:
            writer.record_call(call)

        assert reader.reply(3, 0) == [*attempts, replace(CALL, attempt=3)]


@settings(max_examples=examples(15), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ok", "refused", "no_budget"]),
            st.sampled_from(["a", "b"]),
            st.integers(0, 10**6),
            st.one_of(st.none(), st.integers(0, 64).map(lambda n: n / 64)),
        ),
        max_size=8,
    )
)
def test_sums_in_the_database_are_those_of_the_records(
    tmp_path_factory: pytest.TempPathFactory, given: list[tuple[str, str, int, float | None]]
) -> None:
    calls = [
        replace(CALL, outcome=outcome, model=model, input_tokens=tokens, cost_usd=cost)
        for outcome, model, tokens, cost in given
    ]
    totals = CallTotals()
    run = tmp_path_factory.mktemp("runs") / "run"
    with closing(RunWriter.create(run, {}, durability="fast")) as writer, closing(RunReader(run)) as reader:
        for call in calls:
            writer.record_call(call)
            totals = totals.plus(call)

        assert reader.call_totals() == totals
        by_model = {row["model"]: row for row in reader.calls_by_model()}
    assert sum(row["requests"] for row in by_model.values()) == totals.requests
    assert sum(row["cost_usd"] for row in by_model.values()) == totals.cost_usd
    assert all(
        row["ok"] == sum(c.model == model and c.outcome == "ok" for c in calls) for model, row in by_model.items()
    )
    assert totals.requests == sum(call.outcome != "no_budget" for call in calls)
    assert sum(totals.outcomes.values()) == len(calls)
    assert totals.tokens == sum(call.input_tokens + call.output_tokens for call in calls)


def test_an_unknown_call_names_the_command_that_lists_them(tmp_path: Path) -> None:
    with closing(RunWriter.create(tmp_path / "run", {})), closing(RunReader(tmp_path / "run")) as reader:
        with pytest.raises(UsageError, match=r"no call 7 .*`evolve calls`"):
            reader.call(7)
        assert reader.call_totals() == CallTotals()


def test_notes_of_an_iteration_stay(tmp_path: Path) -> None:
    record = an_iteration(0, insight={"condition": "ü", "candidate_ids": [1]}, asked=["ok", "cut"])
    with closing(RunWriter.create(tmp_path / "run", {})) as writer, closing(RunReader(tmp_path / "run")) as reader:
        writer.append([record, an_iteration(1)])

        assert list(reader.iterations()) == [record, an_iteration(1)]


def write_second_version(run_dir: Path) -> None:
    """A run of the version before there were language models."""
    assert not any(word in SECOND_VERSION for word in ("notes", "pulse", "paused"))
    run_dir.mkdir()
    with closing(sqlite3.connect(run_dir / DATABASE_NAME)) as connection:
        connection.executescript(SECOND_VERSION)
        connection.execute("INSERT INTO iteration VALUES (0, 'seed', 0, 1.0, 0.5, 0.0, 0)")
        connection.execute("PRAGMA user_version=2")
        connection.commit()


def test_a_run_from_before_language_models_is_read_as_one_that_asked_nobody(tmp_path: Path) -> None:
    write_second_version(tmp_path / "run")

    with closing(RunReader(tmp_path / "run")) as reader:
        assert [record.notes for record in reader.iterations()] == [{}]
        assert (reader.calls(), reader.reply(0, 0), reader.prompt("x")) == ([], [], None)
        assert (reader.call_totals(), reader.calls_by_model()) == (CallTotals(), [])


def test_a_writer_makes_room_for_calls_in_an_old_run_whose_reader_then_finds_them(tmp_path: Path) -> None:
    write_second_version(tmp_path / "run")
    with closing(RunReader(tmp_path / "run")) as reader, closing(RunWriter.open(tmp_path / "run")) as writer:
        writer.append([an_iteration(1, asked=["ok"])])
        writer.record_call(CALL)

        assert [dict(record.notes) for record in reader.iterations()] == [{}, {"asked": ["ok"]}]
        assert reader.reply(3, 0) == [CALL]
    with closing(sqlite3.connect(tmp_path / "run" / DATABASE_NAME)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_a_change_of_version_that_fails_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    write_second_version(tmp_path / "run")
    with closing(sqlite3.connect(tmp_path / "run" / DATABASE_NAME)) as connection:
        connection.execute("CREATE TABLE prompt (mine TEXT)")

    with pytest.raises(Exception, match="already exists"):
        RunWriter.open(tmp_path / "run")

    with closing(sqlite3.connect(tmp_path / "run" / DATABASE_NAME)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'call'").fetchall() == []
