"""What the read model says of a run, also of runs of earlier versions."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.store.pulse import PULSE_TABLES
from evolve.view.detail import best_candidate, detail, program_diff
from evolve.view.history import curve, pulses, thinned
from evolve.view.lineage import ancestry, children, first_parents
from evolve.view.log import happenings
from evolve.view.map import archive_map
from evolve.view.models import model_rows
from evolve.view.operators import operator_rows
from evolve.view.overview import overview, stamp
from evolve.view.run import RunView
from evolve.view.shape import archive_shape
from evolve.view.tally import Tally, signature_of
from evolve.view.workers import workers
from tests.unit.view.small_run import CVT, HOSTILE, candidate, write_run


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunView]:
    with RunView(write_run(tmp_path_factory.mktemp("runs") / "toy")) as opened:
        yield opened


@pytest.fixture
def old_view(tmp_path: Path) -> Iterator[RunView]:
    """The same run as the third version of the tables had it: without pulse and indexes."""
    run = write_run(tmp_path / "old")
    names = [line.split()[2] for line in PULSE_TABLES.split(";") if "CREATE TABLE" in line]
    with closing(sqlite3.connect(run / "run.db")) as connection, connection:
        for name in names:
            connection.execute(f"DROP TABLE {name}")
        for name in ("candidate_failure", "candidate_operator", "iteration_operator"):
            connection.execute(f"DROP INDEX {name}")
        connection.execute("ALTER TABLE session DROP COLUMN paused")
        connection.execute("PRAGMA user_version=3")
    with RunView(run) as opened:
        yield opened


def test_an_overview_says_how_the_run_stands(view: RunView) -> None:
    # when
    told = overview(view)
    # then
    assert (told.state, told.state_word, told.evaluations, told.iterations) == ("stopped (time)", "stopped", 8, 8)
    assert (told.best_id, told.best_score, told.best_at) == (4, 4.5, 4.0)
    assert told.per_second == 1.0
    assert (told.left.evaluations, told.spent) == (92, {"evaluations": 0.08})
    assert told.has_pulse


def test_an_old_run_is_counted_from_its_tables(old_view: RunView) -> None:
    # when
    told = overview(old_view)
    # then
    assert (told.failures, told.duplicates, told.elites, told.n_cells) == (3, 8, 4, 24)
    assert told.coverage == pytest.approx(4 / 24)
    assert told.qd_score == pytest.approx(0.5 + 2.0 + 4.5 + 3.25)
    assert (told.workers, told.in_flight, told.has_pulse) == (None, None, False)
    assert pulses(old_view) == []
    assert all(row.weight is None for row in operator_rows(old_view, _read(old_view)))


def test_a_stamp_changes_with_the_run_only(tmp_path: Path) -> None:
    # given
    run = write_run(tmp_path / "run")
    with RunView(run) as opened:
        before = stamp(opened)
        # when nothing happens / then
        assert stamp(opened) == before
        # when something does
        with closing(sqlite3.connect(run / "run.db")) as connection, connection:
            connection.execute("INSERT INTO event (at, kind, data) VALUES ('now', 'warning', '{}')")
        # then
        assert stamp(opened) != before


def test_curves_are_thinned_evenly_and_keep_their_ends(view: RunView) -> None:
    # when / then
    assert [point.score for point in curve(view)] == [0.5, 2.0, 4.5]
    assert [point.score for point in curve(view, max_points=2)] == [0.5, 4.5]
    assert thinned(range(1001), 5) == [0, 250, 500, 750, 1000]
    assert [point.evaluations for point in pulses(view)] == list(range(1, 9))


def test_a_map_holds_the_best_of_every_pair_of_positions(view: RunView) -> None:
    # given
    shape = archive_shape(view)
    assert shape is not None
    # when
    found = archive_map(view, shape)
    turned = archive_map(view, shape, x=1, y=0)
    line = archive_map(view, shape, x=0, y=None)
    # then
    assert {place: cell.candidate for place, cell in found.cells.items()} == {
        (0, 0): 1,
        (2, 1): 3,
        (4, 2): 4,
        (5, 3): 8,
    }
    assert {(y, x) for x, y in found.cells} == set(turned.cells)
    assert (line.n_rows, line.cells[4, 0].score, found.low, found.high) == (1, 4.5, 0.5, 4.5)
    assert shape.axes[0].labels == ("0", "1", "2", "3", "4", "5")


def test_cells_around_centroids_are_placed_by_their_descriptors(tmp_path: Path) -> None:
    # given
    with RunView(write_run(tmp_path / "cvt", archive=CVT)) as opened:
        shape = archive_shape(opened)
        assert shape is not None
        # when
        found = archive_map(opened, shape)
    # then
    assert (shape.n_cells, found.n_columns, found.n_rows, found.n_unplaced) == (50, 20, 20, 0)
    assert {cell.candidate for cell in found.cells.values()} == {1, 3, 4, 8}
    assert "50 cells around centroids" in shape.note


def test_a_detail_has_all_about_a_candidate(view: RunView) -> None:
    # when
    found = detail(view, 4)
    # then
    assert found.record.candidate.parent_ids == (3, 1)
    assert found.parent is not None
    assert found.parent.candidate.id == 3
    assert "-    return x * 3.0" in found.diff
    assert (found.children, found.n_children, found.places) == ((6, 7, 8), 3, ((0, 18, 0),))
    assert best_candidate(view) == 4


def test_an_exchange_has_question_and_answer(view: RunView) -> None:
    # when
    (exchange,) = detail(view, 3).exchanges
    # then
    assert (exchange.model, exchange.outcome, exchange.cost_usd) == ("model", "ok", 0.0125)
    assert exchange.prompt == f"[system]\nYou discover algorithms.\n\n[user]\nImprove this {HOSTILE}"
    assert exchange.reply.startswith("Here it is")
    assert detail(view, 3).cost_usd == 0.0125
    assert detail(view, 4).cost_usd is None


def test_programs_too_long_to_compare_are_said_to_be(view: RunView) -> None:
    # when
    text = program_diff({"a": "x\n" * 30_000}, {"a": "y\n" * 30_000}, "one", "two")
    # then
    assert text == "(too long to compare: 120,000 characters)\n"


def test_a_lineage_ends_with_the_seed_program(view: RunView) -> None:
    # when / then
    assert [step.id for step in first_parents(view, 8)] == [8, 4, 3, 1]
    assert [step.id for step in first_parents(view, 8, limit=2)] == [8, 4]
    assert [step.id for step in ancestry(view, [5, 4])] == [5, 4, 3, 1]
    assert [step.id for step in children(view, 4)] == [8, 6, 7]


def _read(view: RunView, max_rows: int = 1000) -> Tally:
    tally = Tally()
    while not tally.advance(view, max_rows=max_rows):
        pass
    return tally


@pytest.mark.parametrize("max_rows", [1, 3, 1000])
def test_a_tally_is_the_same_in_whatever_steps_it_is_read(view: RunView, max_rows: int) -> None:
    # when
    tally = _read(view, max_rows)
    # then
    found = {name: (held.evaluations, held.kept, held.failures) for name, held in tally.operators.items()}
    assert found == {"seed": (1, 1, 0), "mutate": (4, 1, 2), "diff@model": (1, 1, 0), "crossover": (2, 1, 1)}
    assert {name: held.iterations for name, held in tally.operators.items()} == {
        name: evaluations for name, (evaluations, _, _) in found.items()
    }
    first, second = tally.signatures()
    assert (first.text, first.count, first.first, first.latest) == ("TimeoutError: no answer after # s", 2, 6, 7)
    assert (second.count, second.operators) == (1, {"mutate": 1})
    assert tally.statuses == {"new": 4, "rejected": 1, "failed": 3}


def test_a_tally_goes_on_where_it_was(tmp_path: Path) -> None:
    # given
    run = write_run(tmp_path / "run")
    with RunView(run) as opened:
        tally = _read(opened)
        with closing(sqlite3.connect(run / "run.db")) as connection, connection:
            connection.execute("INSERT INTO iteration VALUES (8, 'mutate', 0, 1.0, 0.0, 1.0, 5, '{}')")
        # when
        tally.advance(opened)
    # then
    assert (tally.operators["mutate"].iterations, tally.operators["mutate"].duplicates) == (5, 9)


@pytest.mark.parametrize(
    ("details", "signature"),
    [
        (("x = 1.5e-3 is bad", "x = -2 is bad"), "x = # is bad"),
        (("a\nValueError: 3 of 1,000", "ValueError: 4 of 2,000\n\n"), "ValueError: # of #"),
        (("no file '/tmp/abc/def/ghi'", "no file '/tmp/uvw/xyz/0123'"), "no file '…'"),
        (("name log2 is unknown",), "name log2 is unknown"),
        (("", "\n \n"), ""),
    ],
)
def test_failures_that_differ_in_numbers_share_a_signature(details: tuple[str, ...], signature: str) -> None:
    # when / then
    assert {signature_of(detail) for detail in details} == {signature}


def test_a_detail_of_a_megabyte_has_a_short_signature() -> None:
    # when / then
    assert len(signature_of("'" * 1_000_000)) <= 160


def test_operators_and_models_say_what_they_brought(view: RunView) -> None:
    # when
    rows = {row.name: row for row in operator_rows(view, _read(view))}
    (model,) = model_rows(view)
    # then
    assert (rows["mutate"].success, rows["mutate"].weight, rows["diff@model"].weight) == (0.25, 0.75, None)
    assert (model.model, model.requests, model.ok, model.evaluations, model.kept) == ("model", 1, 1, 1, 1)


def test_workers_and_log_are_told(view: RunView) -> None:
    # when
    told, lines = workers(view), happenings(view)
    # then
    assert (told.workers, told.in_flight, told.lost, told.levels) == (2, 2, 1, {"STRONG": 8})
    assert told.sessions[0].state == "stopped (time)"
    assert [line.candidate for line in lines] == [1, 3, 4, None, None]
    assert [line.candidate for line in happenings(view, text="WAS 2")] == [4]


def test_a_folder_without_a_run_and_a_damaged_one_are_named(tmp_path: Path) -> None:
    # when / then
    with pytest.raises(UsageError, match="no run in"):
        RunView(tmp_path)
    (tmp_path / "run.db").write_bytes(b"no database" * 1000)
    with pytest.raises((UsageError, EvolveEnvironmentError), match="cannot read"):
        RunView(tmp_path)


def test_an_interrupted_question_raises_and_the_next_one_is_answered(view: RunView) -> None:
    # given a question that breaks itself off
    def stop(_value: object) -> int:
        view.interrupt()
        return 1

    view.define("stop_it", stop)
    # when
    with pytest.raises(EvolveEnvironmentError, match="interrupted"):
        view.rows("SELECT stop_it(id) FROM candidate, iteration, parent")
    # then
    assert view.last_candidate() == 8


def test_infinite_scores_leave_the_qd_score_unknown(tmp_path: Path) -> None:
    # given
    run = write_run(tmp_path / "run", (candidate(1, score=1.0, operator="seed"), candidate(2, score=2.0, place=(1, 1))))
    with closing(sqlite3.connect(run / "run.db")) as connection, connection:
        connection.execute("DELETE FROM pulse")
        connection.execute("UPDATE candidate SET score = CASE id WHEN 1 THEN 9e999 ELSE -9e999 END")
    # when
    with RunView(run) as opened:
        told = overview(opened)
    # then
    assert told.qd_score is None


def test_pictures_come_from_artifacts_that_make_sense_only() -> None:
    # given
    from evolve.view.pictures import Circles, Curve, from_artifact

    good = from_artifact(json.dumps({"kind": "curve", "points": [[2, 1], [1, 0.5]], "title": "t"}))
    circles = from_artifact(json.dumps({"kind": "circles", "circles": [[0, 0, 1]], "width": 2}))
    bad = (
        "", "[]", "1e999", '{"kind": "curve"}', '{"kind": "curve", "points": [[1, "x"]]}', '{"kind": ["curve"]}',
        '{"kind": "circles", "circles": [[1, 2]]}', '{"kind": "circles", "circles": [[1, 2, 1e999]]}',
        '{"kind": "circles", "circles": [[0, 0, 1]], "width": 0}', "[" * 100_000,
    )  # fmt: skip
    # when / then
    assert good is not None
    assert good.shape == Curve(points=((1.0, 0.5), (2.0, 1.0)))
    assert circles is not None
    assert circles.shape == Circles(circles=((0.0, 0.0, 1.0),), width=2.0)
    assert [from_artifact(text) for text in bad] == [None] * len(bad)
