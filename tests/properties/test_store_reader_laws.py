"""What the reader answers about any log, against the same questions asked of the rows themselves in plain Python."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.store import CandidateRecord, IterationRecord, RunReader, RunWriter
from evolve.store.records import pack_files, source_hash, unpack_files
from tests.extent import examples

OPERATORS = ("burst", "edit", "édit'; DROP TABLE meta; --")
KEPT = ("new", "improved")
FEW = settings(max_examples=examples(8), deadline=None)

texts = st.text(max_size=12)
any_texts = st.text(st.characters(codec=None), max_size=12)
eighths = st.integers(0, 40).map(lambda n: n / 8)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    """Scored or failed, with whatever text and numbers an evaluator may leave."""
    metrics = draw(st.dictionaries(texts, numbers, max_size=3))
    artifacts = draw(st.dictionaries(texts, texts, max_size=2))
    if draw(st.booleans()):
        return Evaluation(
            failure=draw(st.sampled_from(list(Failure)[:4])), detail=draw(texts), metrics=metrics, artifacts=artifacts
        )
    return Evaluation(
        score=draw(st.integers(-4, 4)) / 2,
        descriptor=draw(st.dictionaries(texts, st.one_of(numbers, texts), max_size=2)),
        metrics=metrics,
        artifacts=artifacts,
        stage=draw(texts),
        seconds=draw(eighths),
    )


@st.composite
def logs(draw: st.DrawFn) -> list[IterationRecord]:
    """Iterations in order, candidates numbered through, parents older than their children."""
    log: list[IterationRecord] = []
    identifier = 0
    for number in range(draw(st.integers(1, 7))):
        operator = draw(st.sampled_from(OPERATORS))
        rows: list[CandidateRecord] = []
        for _ in range(draw(st.integers(0, 4))):
            older = st.integers(1, identifier) if identifier else st.nothing()
            parents = draw(st.lists(older, max_size=3)) if identifier else []
            identifier += 1
            evaluation = draw(evaluations())
            failed = evaluation.failure is not None
            candidate = Candidate(
                id=identifier,
                files={"p.py": draw(st.sampled_from(["a", "b\n", "ü"])), "q.py": ""},
                fingerprint=draw(texts),
                parent_ids=tuple(parents),
                operator=operator,
                generation=draw(st.integers(0, 9)),
                iteration=number,
                metrics=evaluation.metrics,
            )
            rows.append(
                CandidateRecord(
                    candidate=candidate,
                    evaluation=evaluation,
                    island=draw(st.integers(0, 2)),
                    status="failed" if failed else draw(st.sampled_from([*KEPT, "rejected"])),
                    cell=None if failed else draw(st.integers(0, 2**40)),
                )
            )
        log.append(
            IterationRecord(
                number=number,
                operator=operator,
                island=draw(st.integers(0, 2)),
                cost=draw(eighths),
                reward=draw(eighths),
                seconds=draw(eighths),
                n_duplicates=draw(st.integers(0, 3)),
                candidates=tuple(rows),
            )
        )
    return log


@contextmanager
def a_reader(log: Sequence[IterationRecord], **more: Any) -> Iterator[RunReader]:
    """A reader of a run that holds a log and no more than the test asks for."""
    with TemporaryDirectory() as folder:
        run_dir = Path(folder) / "run"
        with closing(RunWriter.create(run_dir, {}, durability="fast")) as writer:
            writer.append(log, **more)
        with closing(RunReader(run_dir)) as reader:
            yield reader


def rows_of(log: Sequence[IterationRecord]) -> list[CandidateRecord]:
    return [row for record in log for row in record.candidates]


@FEW
@given(logs(), st.integers(1, 3))
def test_a_log_is_read_as_it_was_written_in_batches_of_any_size(log: list[IterationRecord], batch: int) -> None:
    with a_reader(log) as reader:
        assert list(reader.iterations(batch=batch)) == log
        assert reader.iteration_operators() == [record.operator for record in log]


@FEW
@given(logs())
def test_counts_are_those_of_the_rows(log: list[IterationRecord]) -> None:
    rows = rows_of(log)
    scores = [row.evaluation.score for row in rows if row.evaluation.score is not None]

    with a_reader(log) as reader:
        counts = reader.counts()

    assert counts == {
        "evaluations": len(rows),
        "failures": len(rows) - len(scores),
        "last_iteration": log[-1].number,
        "duplicates": sum(record.n_duplicates for record in log),
        "elites": 0,
        "best_score": max(scores, default=None),
        "seconds": 0,
    }


@FEW
@given(logs())
def test_operators_are_summed_over_their_own_iterations(log: list[IterationRecord]) -> None:
    expected = []
    for operator in sorted({record.operator for record in log}, key=str.encode):
        own = [record for record in log if record.operator == operator]
        expected.append(
            {
                "operator": operator,
                "iterations": len(own),
                "cost": sum(record.cost for record in own),
                "reward": sum(record.reward for record in own),
                "seconds": sum(record.seconds for record in own),
                "kept": sum(row.status in KEPT for row in rows_of(own)),
                "evaluations": len(rows_of(own)),
            }
        )

    with a_reader(log) as reader:
        assert reader.operators() == expected


@FEW
@given(logs())
def test_failures_are_counted_by_type_and_show_the_latest_detail(log: list[IterationRecord]) -> None:
    failed = [row for row in rows_of(log) if row.evaluation.failure is not None]
    counts = Counter(str(row.evaluation.failure) for row in failed)
    latest = {str(row.evaluation.failure): row for row in failed}

    with a_reader(log) as reader:
        shown = reader.failures()

    assert [(each["failure"], each["n"]) for each in shown] == sorted(
        counts.items(), key=lambda item: (-item[1], item[0])
    )
    for each in shown:
        row = latest[each["failure"]]
        assert (each["latest"], each["detail"]) == (row.candidate.id, row.evaluation.detail)


@FEW
@given(logs())
def test_lineage_is_the_closure_of_parents_newest_first(log: list[IterationRecord]) -> None:
    rows = rows_of(log)
    parents = {row.candidate.id: row.candidate.parent_ids for row in rows}

    with a_reader(log) as reader:
        for row in rows:
            identifier = row.candidate.id
            line, wave = {identifier}, {identifier}
            while wave:
                wave = {older for each in wave for older in parents[each]} - line
                line |= wave
            assert reader.ancestors_of(identifier) == sorted(line, reverse=True)
            assert reader.parents_of(identifier) == parents[identifier]
            children = sorted(child for child, older in parents.items() if identifier in older)
            assert reader.children_of(identifier) == children
            assert reader.candidate(identifier) == row


@FEW
@given(logs(), st.randoms(use_true_random=False), st.integers(0, 5))
def test_elites_are_told_once_best_first_and_the_older_of_equals_before_the_younger(
    log: list[IterationRecord], random: Any, limit: int
) -> None:
    scored = [row for row in rows_of(log) if row.evaluation.score is not None]
    held = [row.candidate.id for row in scored if random.random() < 0.6]
    elites = [(island, 7, held) for island in range(2)]
    expected = [row for row in scored if row.candidate.id in held]
    expected.sort(key=lambda row: (-(row.evaluation.score or 0.0), row.candidate.id))

    with a_reader(log, elites=elites) as reader:
        assert reader.elites() == expected
        assert reader.elites(limit=limit) == expected[:limit]
        assert reader.counts()["elites"] == 2 * len(held)
        assert reader.elite_ids() == [(island, 7, rank, each) for island in range(2) for rank, each in enumerate(held)]


@FEW
@given(logs())
def test_an_equal_text_is_stored_once(log: list[IterationRecord]) -> None:
    with a_reader(log) as reader, closing(sqlite3.connect(reader.run_dir / "run.db")) as connection:
        (stored,) = connection.execute("SELECT count(*) FROM source").fetchone()

    assert stored == len({json.dumps(dict(row.candidate.files)) for row in rows_of(log)})


@FEW
@given(st.lists(st.dictionaries(texts, numbers, max_size=2), max_size=9), st.integers(0, 10), st.integers(1, 4))
def test_events_come_in_pages_that_join_to_the_whole(data: list[dict[str, float]], after: int, limit: int) -> None:
    with a_reader([], events=[("warning", each) for each in data]) as reader:
        pages, last = [], 0
        while page := reader.events(after=last, limit=limit):
            assert len(page) <= limit
            pages += page
            last = page[-1]["id"]

        assert [each["data"] for each in pages] == data
        assert reader.events(after=after) == pages[after:]


@settings(max_examples=examples(40), deadline=None)
@given(st.dictionaries(any_texts, any_texts, max_size=4))
def test_files_come_back_from_their_packing_whatever_characters_they_hold(files: dict[str, str]) -> None:
    assert unpack_files(pack_files(files)) == files


@settings(max_examples=examples(40), deadline=None)
@given(st.dictionaries(any_texts, any_texts, max_size=3), st.dictionaries(any_texts, any_texts, max_size=3))
def test_files_have_one_hash_exactly_when_they_are_the_same_in_the_same_order(
    left: dict[str, str], right: dict[str, str]
) -> None:
    same = list(left.items()) == list(right.items())

    assert (source_hash(left) == source_hash(right)) == same


@pytest.mark.parametrize("unit", [("ab", "c"), ("a", "bc")])
def test_a_hash_knows_where_a_name_ends(unit: tuple[str, str]) -> None:
    name, text = unit

    assert source_hash({name: text}) != source_hash({"abc": ""})
    assert len(source_hash({name: text})) == 32
