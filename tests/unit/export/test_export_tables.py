import csv
import io
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.cli.app import cli
from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.export.tables import FORMATS, TABLES, write_csv, write_jsonl, write_table
from evolve.export.tables_columns import Column, Kind, Table, json_text, spreadsheet_text
from evolve.store import CallRecord, CandidateRecord, IterationRecord, RunWriter

HOSTILE = "# \x1b[31mred\x00 \u202eevil\ud800 </script>\r\n=1+1\tf\n"


def judged(number: int, **changes: Any) -> CandidateRecord:
    """A candidate of its own iteration, scored unless `changes` name a failure."""
    values = {"score": float(number), "metrics": {"operations": float(number)}, "seconds": 0.25, "level": "STRONG"}
    evaluation = Evaluation(**{**values, "descriptor": {"size": float(number), "family": "a"}, **changes})
    candidate = Candidate(
        id=number,
        files={"seed.py": f"{HOSTILE}{number}", "more.py": "x = 1\n"},
        fingerprint=f"f{number}",
        parent_ids=(number - 1, 1) if number > 2 else (),
        operator="mutate",
        generation=number - 1,
        iteration=number - 1,
    )
    return CandidateRecord(candidate=candidate, evaluation=evaluation, island=0, status="new", cell=number)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three candidates, one of them hostile and failed, one with an infinite score; two calls, a curve, an event."""
    folder = tmp_path_factory.mktemp("runs") / "toy"
    writer = RunWriter.create(folder, {"problem": {}, "options": {}}, durability="fast", network_fs_allowed=True)
    writer.start_session()
    failed = judged(2, score=None, failure=Failure.EXCEPTION, metrics={}, descriptor={}, detail="=cmd|' /C calc'!A0")
    rows = [
        judged(1, metrics={"=HYPERLINK()": 2.0, "worst": float("nan")}),
        failed,
        judged(3, score=float("inf"), artifacts={"note": HOSTILE.replace("\ud800", "")}),
    ]
    for row in rows:
        iteration = IterationRecord(
            number=row.candidate.iteration,
            operator="mutate",
            island=0,
            cost=0.5,
            reward=1.0,
            seconds=0.1,
            n_duplicates=0,
            candidates=(row,),
        )
        elites = [(0, row.cell or 0, [row.candidate.id])] if row.evaluation.score is not None else []
        curve = (
            [(row.candidate.id, 1.5, row.evaluation.score, row.candidate.id)] if elites and row.evaluation.score else []
        )
        writer.append([iteration], elites=elites, curve=curve, events=[("best", {"score": float("inf"), "t": HOSTILE})])
    for number, cost in enumerate((0.25, None)):
        call = CallRecord(
            iteration=number,
            ordinal=0,
            attempt=0,
            purpose="rewrite",
            model="m",
            prompt_hash="h",
            outcome="ok",
            text=HOSTILE,
            cost_usd=cost,
            is_final=True,
        )
        writer.record_call(call, prompt={"user": HOSTILE})
    writer.close()
    return folder


def written(run: Path, what: str, form: str, *, texts: bool = True) -> bytes:
    target = io.BytesIO()
    write_table(run, what, form, target, texts=texts)
    return target.getvalue()


def lines_of(run: Path, what: str, *, texts: bool = True) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(run, what, "jsonl", texts=texts).splitlines()]


def test_jsonl_holds_every_text_exactly(run: Path) -> None:
    first, failed, infinite = lines_of(run, "candidates")

    assert first["program"] == f"{HOSTILE}1"
    assert first["other_files"] == {"more.py": "x = 1\n"}
    assert failed["score"] is None
    assert failed["failure"] == "exception"
    assert infinite["parents"] == [2, 1]
    assert infinite["artifacts"] == {"note": HOSTILE.replace("\ud800", "")}
    assert infinite["metrics.operations"] == 3.0
    assert first["descriptor.family"] == "a"


def test_jsonl_is_strict_json_and_numbers_that_are_not_finite_can_be_read_back(run: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    rows = [json.loads(line, parse_constant=refuse) for line in written(run, "candidates", "jsonl").splitlines()]

    assert float(rows[2]["score"]) == math.inf
    assert math.isnan(float(rows[0]["metrics.worst"]))


@pytest.mark.parametrize("what", sorted(TABLES))
def test_jsonl_and_csv_are_harmless_on_a_terminal(run: Path, what: str) -> None:
    for form in ("csv", "jsonl"):
        text = written(run, what, form).decode()

        assert not {"\x1b", "\x00", "\u202e", "\r"} & set(text)


@pytest.mark.parametrize("what", sorted(TABLES))
def test_csv_and_parquet_hold_the_numbers_of_jsonl(run: Path, what: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")

    exact = lines_of(run, what)
    sheet = list(csv.reader(io.StringIO(written(run, what, "csv").decode(), newline="")))
    stored = parquet.read_table(io.BytesIO(written(run, what, "parquet")))

    assert [len(sheet) - 1, stored.num_rows] == [len(exact)] * 2
    assert len(exact) > 0
    assert stored.column_names == list(exact[0])
    for row, cells, other in zip(exact, sheet[1:], stored.to_pylist(), strict=True):
        for (name, value), cell in zip(row.items(), cells, strict=True):
            if isinstance(value, int | float):
                assert {"true": 1.0, "false": 0.0}.get(cell) == value or float(cell) == value == other[name]
            if value is None:
                assert cell == ""
                assert other[name] is None


def test_parquet_holds_texts_lists_and_infinities(run: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")

    table = parquet.read_table(io.BytesIO(written(run, "candidates", "parquet"))).to_pylist()

    assert table[0]["program"] == f"{HOSTILE}1".replace("\ud800", "\\ud800")
    assert table[2]["parents"] == [2, 1]
    assert table[2]["score"] == math.inf
    assert json.loads(table[2]["artifacts"]) == {"note": HOSTILE.replace("\ud800", "")}


def test_without_texts_programs_prompts_and_replies_are_left_out(run: Path) -> None:
    candidates, calls = lines_of(run, "candidates", texts=False), lines_of(run, "calls", texts=False)

    assert not {"program", "other_files"} & set(candidates[0])
    assert not {"reply", "prompt"} & set(calls[0])
    assert lines_of(run, "calls")[0]["reply"] == HOSTILE
    assert lines_of(run, "calls")[0]["prompt"] == {"user": HOSTILE}


def test_the_curve_knows_what_was_spent_until_then(run: Path) -> None:
    assert [row["cost_usd"] for row in lines_of(run, "curve")] == [0.25, 0.25]


def test_elites_name_their_places(run: Path) -> None:
    rows = lines_of(run, "elites")

    assert [(row["elite_cell"], row["elite_rank"], row["id"]) for row in rows] == [(1, 0, 1), (3, 0, 3)]


def test_names_of_metrics_beyond_measure_share_one_column(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evolve.export.tables_candidates.MAX_NAMES", 2)

    rows = lines_of(run, "candidates")

    assert rows[2]["metrics"] == {"operations": 3.0}
    assert rows[2]["descriptor.size"] == 3.0


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1", "\n=1"])
def test_no_cell_of_a_spreadsheet_begins_a_formula(text: str) -> None:
    assert spreadsheet_text(text).startswith("'")


def test_a_metric_cannot_begin_a_formula_by_its_name(run: Path) -> None:
    heading = written(run, "candidates", "csv").decode().splitlines()[0]

    assert "metrics.=HYPERLINK()" in heading
    assert spreadsheet_text("plain text, 3") == "plain text, 3"


@given(st.lists(st.tuples(st.floats(), st.text(), st.integers(-(2**63), 2**63 - 1)), max_size=8))
def test_what_is_written_reads_back_equal(rows: list[tuple[float, str, int]]) -> None:
    columns = (Column("real", Kind.REAL), Column("text", Kind.TEXT), Column("integer", Kind.INTEGER))
    sheet, lines = io.BytesIO(), io.BytesIO()

    write_csv(Table(columns=columns, rows=iter(rows)), sheet)
    write_jsonl(Table(columns=columns, rows=iter(rows)), lines)

    read = list(csv.reader(io.StringIO(sheet.getvalue().decode(), newline="")))[1:]
    exact = [json.loads(line) for line in lines.getvalue().splitlines()]
    for (real, text, integer), cells, row in zip(rows, read, exact, strict=True):
        assert repr(float(cells[0])) == repr(float(row["real"])) == repr(real)
        assert cells[1] == spreadsheet_text(text)
        assert row["text"] == text
        assert int(cells[2]) == row["integer"] == integer


def test_a_file_is_there_whole_or_not_at_all(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "table.csv"
    target.write_text("what was there")

    def broken(table: Table, handle: Any) -> int:
        handle.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(FORMATS, "csv", broken)

    with pytest.raises(EvolveEnvironmentError, match="No space left"):
        write_table(run, "curve", "csv", target)

    assert target.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [target]


def test_rows_are_read_while_they_are_written() -> None:
    read: list[int] = []

    def rows() -> Iterator[tuple[int]]:
        for number in range(3):
            read.append(number)
            yield (number,)

    class Watching(io.BytesIO):
        def write(self, data: Any) -> int:
            seen.append(len(read))
            return super().write(data)

    seen: list[int] = []
    write_jsonl(Table(columns=(Column("n", Kind.INTEGER),), rows=rows()), Watching())

    assert seen == [1, 2, 3]


def test_a_run_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run in"):
        write_table(tmp_path, "curve", "csv", io.BytesIO())


def test_without_pyarrow_parquet_says_what_to_install(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(EvolveEnvironmentError, match="pyarrow") as caught:
        written(run, "curve", "parquet")

    assert "evolve-discovery[parquet]" in caught.value.hint


def test_the_command_tells_the_format_from_the_name_of_the_file(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "table.jsonl"

    result = CliRunner().invoke(cli, ["export", str(run), "--what", "curve", "-o", str(target), "--json"])

    answer = json.loads(result.output)
    assert (answer["schema"], answer["rows"], answer["bytes"]) == ("evolve.export/1", 2, target.stat().st_size)


def test_the_command_writes_to_standard_output(run: Path) -> None:
    result = CliRunner().invoke(cli, ["export", str(run), "--format", "csv", "--what", "curve"])

    assert result.output.splitlines()[0] == "evaluations,seconds,cost_usd,score,candidate"
    assert result.output.splitlines()[2].split(",")[3] == "inf"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which format"),
        (["--format", "parquet"], "name the file with -o"),
        (["--format", "csv", "--json"], "name the file with -o"),
        (["3", "--format", "csv"], "a table holds all candidates"),
        (["--format", "csv", "--as", "python"], "give one of them"),
    ],
)
def test_what_cannot_be_meant_is_refused(run: Path, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["export", str(run), *arguments])

    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)


def test_json_text_is_one_line_of_ascii() -> None:
    assert json_text({"a": [HOSTILE, float("-inf")]}).isascii()
    assert "\n" not in json_text(HOSTILE)
