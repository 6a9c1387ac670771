"""The journal: what is written of a told iteration, and what the world hears of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import GridArchive, LinearAxis, TopCell
from archive.candidate import Candidate
from archive.islands import Islands
from evaluators.contract import Evaluation, Failure
from evolve.loop.events import Event
from evolve.loop.journal import MAX_WARNINGS, Journal, elite_cells
from evolve.loop.search import Search
from evolve.loop.told import Told, ToldChild
from evolve.operators.contract import Proposing
from evolve.store import IterationRecord, RunReader, RunWriter
from tests.extent import examples

Step = list[tuple[float, float]]
steps = st.lists(
    st.lists(st.tuples(st.integers(-5, 5).map(float), st.floats(0.0, 1.0)), max_size=4), min_size=1, max_size=10
)


class Edit:
    """The only operator; what it would propose is told by the tests."""

    name = "edit"
    n_parents = 1

    def propose(self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: object) -> Proposing:
        yield from ()
        return []


def a_search(n_islands: int = 2) -> Search:
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 3)], cell=TopCell(keep=2))
    return Search(Islands.alike(archive, n_islands), [Edit()], rng_seed=1, migrate_every=2, n_migrants=1)


def tell(search: Search, evaluations: Sequence[Evaluation]) -> IterationRecord:
    """Tell the next iteration; every program is a new one."""
    number = search.last_told + 1
    children = tuple(
        ToldChild(
            files={"p": f"{number} {place}"},
            fingerprint=f"{number}-{place}",
            parent_ids=(1,) if number else (),
            evaluation=evaluation,
        )
        for place, evaluation in enumerate(evaluations)
    )
    island = number % len(search.islands)
    return search.tell(
        Told(number=number, operator="edit", island=island, cost=1.0, seconds=0.0, n_duplicates=0, children=children)
    )


def scored(score: float, place: float = 0.5) -> Evaluation:
    return Evaluation(score=score, descriptor={"x": place}, metrics={"place": place})


def broken(detail: str) -> Evaluation:
    return Evaluation.failed(Failure.EVALUATOR, detail=detail)


@contextmanager
def a_journal(run_dir: Path, search: Search) -> Iterator[tuple[Journal, RunReader]]:
    """A journal over a new run, with a reader beside it."""
    writer = RunWriter.create(run_dir, {}, durability="fast")
    reader = RunReader(run_dir)
    try:
        yield Journal(writer, search), reader
    finally:
        reader.close()
        writer.close()


def written_cells(reader: RunReader) -> dict[tuple[int, int], list[int]]:
    cells: dict[tuple[int, int], list[int]] = {}
    for island, cell, rank, identifier in reader.elite_ids():
        held = cells.setdefault((island, cell), [])
        assert rank == len(held)
        held.append(identifier)
    return cells


@settings(max_examples=examples(15), deadline=None)
@given(steps, st.integers(1, 3))
def test_the_elite_table_is_the_archive_after_every_commit(told: list[Step], n_islands: int) -> None:
    search = a_search(n_islands)
    with TemporaryDirectory() as folder, a_journal(Path(folder) / "run", search) as (journal, reader):
        for step in [[(0.0, 0.5)], *told]:
            journal.commit([tell(search, [scored(*each) for each in step])], 0.0)

            assert written_cells(reader) == elite_cells(search)


@settings(max_examples=examples(15), deadline=None)
@given(steps, st.integers(1, 4))
def test_the_curve_is_the_running_record_however_iterations_are_grouped(told: list[Step], group: int) -> None:
    search = a_search()
    with TemporaryDirectory() as folder, a_journal(Path(folder) / "run", search) as (journal, reader):
        story, records, events = [[(0.0, 0.5)], *told], list[IterationRecord](), list[Event]()
        for start in range(0, len(story), group):
            told_now = [tell(search, [scored(*each) for each in step]) for step in story[start : start + group]]
            events += journal.commit(told_now, float(start))
            records += told_now
        curve = [(row["evaluations"], row["score"], row["candidate"]) for row in reader.curve()]

    best, expected = float("-inf"), []
    for row in (row for record in records for row in record.candidates):
        score = row.evaluation.score or 0.0
        if score > best:
            best = score
            expected.append((row.candidate.id, score, row.candidate.id))
    assert curve == expected
    assert [(event.data["evaluations"], event.data["score"], event.data["id"]) for event in events] == expected


def test_every_improvement_names_the_one_before(tmp_path: Path) -> None:
    search = a_search()
    with a_journal(tmp_path / "run", search) as (journal, _):
        records = [tell(search, [scored(each)]) for each in (1.0, 3.0, 2.0, 4.5)]

        events = journal.commit(records, 2.5)

    assert [event.kind for event in events] == ["improved"] * 3
    assert [event.data["previous"] for event in events] == [None, 1.0, 3.0]
    assert [event.data["score"] for event in events] == [1.0, 3.0, 4.5]
    assert {event.data["seconds"] for event in events} == {2.5}


def test_an_equal_score_is_no_improvement(tmp_path: Path) -> None:
    search = a_search()
    with a_journal(tmp_path / "run", search) as (journal, reader):
        journal.commit([tell(search, [scored(1.0)])], 0.0)

        assert journal.commit([tell(search, [scored(1.0), scored(0.5)])], 1.0) == []
        assert len(reader.curve()) == 1


def test_what_is_announced_is_what_was_written_as_events(tmp_path: Path) -> None:
    search = a_search()
    with a_journal(tmp_path / "run", search) as (journal, reader):
        events = journal.commit([tell(search, [scored(1.0)]), tell(search, [broken("oops"), scored(2.0)])], 0.5)

        written = [(row["kind"], row["data"]) for row in reader.events()]

    assert written == [(event.kind, dict(event.data)) for event in events]
    assert [event.kind for event in events] == ["improved", "warning", "improved"]


def test_a_resumed_journal_does_not_announce_old_records_again(tmp_path: Path) -> None:
    search = a_search()
    with a_journal(tmp_path / "run", search) as (journal, reader):
        journal.commit([tell(search, [scored(3.0)])], 0.0)
        before = written_cells(reader)
    writer = RunWriter.open(tmp_path / "run")

    events = Journal(writer, search).commit([tell(search, [scored(2.0, 0.9)])], 1.0)

    writer.close()
    reader = RunReader(tmp_path / "run")
    assert events == []
    assert before.items() <= written_cells(reader).items()
    assert written_cells(reader) == elite_cells(search)
    reader.close()


def test_an_evaluator_failure_is_news_once_for_each_last_line(tmp_path: Path) -> None:
    search = a_search()
    details = ["line 3\nKeyError: 'a'", "line 9\nKeyError: 'a'\n", "KeyError: 'b'", "KeyError: 'a'"]
    with a_journal(tmp_path / "run", search) as (journal, _):
        journal.commit([tell(search, [scored(0.0)])], 0.0)

        events = journal.commit([tell(search, [broken(detail) for detail in details])], 1.0)

    assert [event.kind for event in events] == ["warning", "warning"]
    assert "candidate 2" in events[0].data["text"]
    assert "KeyError: 'b'" in events[1].data["text"]


def test_a_failure_of_the_candidate_is_no_warning(tmp_path: Path) -> None:
    search = a_search()
    failures = [each for each in Failure if each is not Failure.EVALUATOR]
    with a_journal(tmp_path / "run", search) as (journal, reader):
        evaluations = [Evaluation.failed(failure, detail="no") for failure in failures]

        assert journal.commit([tell(search, [scored(0.0), *evaluations])], 1.0)[1:] == []
        assert reader.counts()["failures"] == len(failures)


def test_a_run_whose_candidates_are_not_confined_alike_any_more_is_news(tmp_path: Path) -> None:
    search = a_search()
    levels = ["FULL", "", "FULL", "WEAK", "WEAK", "", "FULL"]
    with a_journal(tmp_path / "run", search) as (journal, _):
        evaluations = [replace(scored(0.0), level=level) for level in levels]

        events = journal.commit([tell(search, evaluations)], 1.0)

    texts = [event.data["text"] for event in events if event.kind == "warning"]
    assert texts == [
        "candidate 4 was judged at the sandbox's level WEAK, those before it at FULL",
        "candidate 7 was judged at the sandbox's level FULL, those before it at WEAK",
    ]


def test_a_resumed_journal_knows_how_the_candidates_before_it_were_confined(tmp_path: Path) -> None:
    search = a_search()
    with a_journal(tmp_path / "run", search) as (journal, _):
        journal.commit([tell(search, [replace(scored(0.0), level="FULL")])], 0.0)
    writer = RunWriter.open(tmp_path / "run")

    events = Journal(writer, search).commit([tell(search, [replace(scored(-1.0), level="WEAK")])], 1.0)

    writer.close()
    assert [event.kind for event in events] == ["warning"]


def test_warnings_have_an_end_also_when_every_failure_differs(tmp_path: Path) -> None:
    search = a_search()
    with a_journal(tmp_path / "run", search) as (journal, _):
        journal.commit([tell(search, [scored(0.0)])], 0.0)

        events = [
            event
            for number in range(2 * MAX_WARNINGS)
            for event in journal.commit([tell(search, [broken(f"error {number}" + "!" * 10_000)])], 1.0)
        ]

    assert len(events) == MAX_WARNINGS
    assert all(len(event.data["text"]) < 600 for event in events)


@pytest.mark.parametrize("detail", ["", "\n \n"])
def test_an_evaluator_that_fails_without_a_word_is_news_too(tmp_path: Path, detail: str) -> None:
    search = a_search()
    with a_journal(tmp_path / "run", search) as (journal, _):
        journal.commit([tell(search, [scored(0.0)])], 0.0)

        events = journal.commit([tell(search, [broken(detail), broken(detail)])], 1.0)

    assert [event.kind for event in events] == ["warning"]


def test_an_iteration_without_children_leaves_a_row_and_no_event(tmp_path: Path) -> None:
    search = a_search()
    with a_journal(tmp_path / "run", search) as (journal, reader):
        journal.commit([tell(search, [scored(0.0)])], 0.0)

        assert journal.commit([tell(search, [])], 1.0) == []
        assert reader.iteration_operators() == ["edit", "edit"]
