import io
import json
import os
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archive.candidate import Candidate
from evolve.cli.app import cli
from evolve.errors import UsageError
from evolve.export.tables import write_table
from evolve.report.page import write_report
from evolve.report.repeat import command_of
from evolve.store import RunReader
from evolve.view.run import RunView
from tests.old_runs import FIRST_VERSION, SECOND_VERSION, THIRD_VERSION
from tests.unit.report.report_runs import call, failed, in_version, meta_of, scored, write_run

VOID = {"meta", "br", "hr", "col"}
SIZE_MOST = 5_000_000


class Checker(HTMLParser):
    """Reads a page as a browser does: open elements, links and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def report_of(run: Path) -> Checker:
    """The report of a run, read; that it is well formed is checked on the way."""
    target = run / "report.html"
    size = write_report(run, target, now=datetime(2026, 1, 2, tzinfo=UTC))
    page = target.read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert size == target.stat().st_size < SIZE_MOST
    assert len(checker.ids) == len(set(checker.ids))
    assert {link.removeprefix("#") for link in checker.links} <= set(checker.ids)
    assert not {"script", "img", "link", "iframe", "object", "form"} & checker.names
    return checker


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Five candidates: the seed program, two that rose from it by a model, one failure, one beside."""
    records = [
        scored(1, 1.0, operator="seed"),
        scored(2, 2.0, parents=(1,)),
        failed(3, "Traceback\nValueError: 17 is wrong"),
        scored(4, 4.0, parents=(2, 1)),
        scored(5, 3.0, parents=(2,)),
    ]
    return write_run(tmp_path / "run", records, calls=[call(1), call(3), call(3, cost_usd=None)])


def test_a_report_tells_the_whole_story(run: Path) -> None:
    page = report_of(run)

    assert {"progress", "archive", "lineage", "programs", "operators", "models", "failures", "repeat"} <= set(page.ids)
    assert {"c1", "c2", "c4", "c5"} <= set(page.ids)
    assert "ValueError: # is wrong" in page.text
    assert "stopped (time)" in page.text
    assert "+    return x * 4.0  # better" in page.text
    assert "evolve run toy --seed 7 --window 4 --time 60" in page.text
    assert "0.02 USD + 1 of unknown price" in page.text


def test_a_report_of_the_same_run_at_the_same_time_is_the_same(run: Path, tmp_path: Path) -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    for name in ("a", "b"):
        write_report(run, tmp_path / name, now=now)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_empty_run_has_a_report(tmp_path: Path) -> None:
    page = report_of(write_run(tmp_path / "run", []))

    assert "No program has a score yet" in page.text
    assert "repeat" in page.ids


def test_a_run_of_failures_has_a_report(tmp_path: Path) -> None:
    page = report_of(write_run(tmp_path / "run", [failed(1, ""), failed(2, "MemoryError")]))

    assert "MemoryError" in page.text


def test_a_run_that_tells_little_of_its_problem_has_a_report(tmp_path: Path) -> None:
    meta: dict[str, Any] = {"problem": {"tables": {"problem": {"name": "bare"}}}, "options": {}}

    page = report_of(write_run(tmp_path / "run", [scored(1, 1.0), scored(2, 2.0, parents=(1,))], meta=meta))

    assert "c2" in page.ids


@pytest.mark.parametrize(("version", "tables"), [(1, FIRST_VERSION), (2, SECOND_VERSION), (3, THIRD_VERSION)])
def test_a_run_of_an_earlier_version_has_a_report_and_tables(run: Path, version: int, tables: str) -> None:
    page = report_of(in_version(run, tables, version))

    assert "+    return x * 4.0  # better" in page.text
    assert ("models" in page.ids) is (version > 2)
    for what, rows in {"candidates": 5, "elites": 4, "curve": 3, "calls": 3 if version > 2 else 0}.items():
        assert write_table(run, what, "jsonl", io.BytesIO()).rows == rows


@pytest.mark.parametrize(("is_alive", "state"), [(True, "running"), (False, "crashed")])
def test_a_run_that_is_not_over_has_a_report(tmp_path: Path, is_alive: bool, state: str) -> None:
    run = write_run(tmp_path / "run", [scored(1, 1.0)], stopped_by=None)
    if not is_alive:
        _forget_the_writer(run)

    page = report_of(run)

    assert state in page.text
    assert ("still going on" in page.text) is is_alive


def _forget_the_writer(run: Path) -> None:
    """Put a process in its place that has ended."""
    import sqlite3

    gone = os.posix_spawn("/bin/true", ["/bin/true"], {})
    os.waitpid(gone, 0)
    connection = sqlite3.connect(run / "run.db")
    connection.execute("UPDATE session SET pid = ?", (gone,))
    connection.commit()
    connection.close()


def certify(run: Path, candidate: Candidate, *, verdict: str = "certified") -> None:
    (run / "certificates").mkdir(exist_ok=True)
    document = {
        "candidate": candidate.id,
        "verdict": verdict,
        "value": 0.125,
        "detail": "by <hand>\x1b",
        "files": dict(candidate.files),
    }
    (run / "certificates" / f"{candidate.id}.json").write_text(json.dumps(document))


def best_of(run: Path) -> Candidate:
    reader = RunReader(run)
    candidate = reader.candidate(4).candidate
    reader.close()
    return candidate


def test_what_people_must_be_told_of_a_score_stands_at_the_head(tmp_path: Path) -> None:
    meta = meta_of()
    notice = "the program can forge <its> score"
    meta["problem"]["tables"]["evaluator"] = {"family": "peer", "options": {"notices": [notice]}}

    page = report_of(write_run(tmp_path / "run", [scored(1, 1.0)], meta=meta))

    assert notice in page.text


@pytest.mark.parametrize(
    "axes",
    [
        [{"name": "only", "kind": "linear", "low": 0, "high": 10, "cells": 10}],
        [
            {"name": "kind", "kind": "categories", "categories": ["<a>", "b", "c"]},
            {"name": "size", "kind": "log", "low": 1, "high": 1e6, "cells": 30, "out_of_range": "overflow"},
            {"name": "third", "kind": "linear", "low": 0, "high": 10, "cells": 2},
        ],
    ],
)
def test_archives_of_any_number_of_axes_are_drawn(tmp_path: Path, axes: list[dict[str, Any]]) -> None:
    meta = meta_of()
    meta["problem"]["tables"]["archive"]["axes"] = axes

    page = report_of(write_run(tmp_path / "run", [scored(1, 1.0), scored(2, 2.0, parents=(1,))], meta=meta))

    assert "archive" in page.ids
    assert all(axis["name"] in page.text for axis in axes)


@pytest.mark.parametrize("verdict", ["certified", "refuted"])
def test_a_certificate_is_told_with_its_value(run: Path, verdict: str) -> None:
    certify(run, best_of(run), verdict=verdict)

    page = report_of(run)

    assert f"The best program is {verdict}, proven value 0.125" in page.text
    assert "by <hand>\\x1b" in page.text


def test_a_certificate_of_another_program_does_not_count(run: Path) -> None:
    other = Candidate(id=4, files={"seed.py": "other"}, fingerprint="")
    certify(run, other)

    page = report_of(run)

    assert "is about another program" in page.text
    assert "proven value" not in page.text


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"candidate": "x", "verdict": 1, "value": {}, "files": 3}', "[" * 5000]
)
def test_what_is_no_certificate_is_passed_over(run: Path, text: str) -> None:
    (run / "certificates").mkdir()
    (run / "certificates" / "4.json").write_text(text)

    assert "The best program is not verified" in report_of(run).text


def test_a_report_stays_small_whatever_the_texts_are(tmp_path: Path) -> None:
    long = "x = '<&>' # \u202e\n" * 20_000
    records = [
        scored(
            number,
            float(number),
            parents=(number - 1,) if number > 1 else (),
            text=f"{long}{number}",
            operator=f"o{number}<" * 9,
        )
        for number in range(1, 16)
    ]
    records += [failed(number, f"{long[:30_000]}{chr(97 + number % 26) * (number % 50)}") for number in range(16, 24)]

    page = report_of(write_run(tmp_path / "run", records))

    assert "only the beginning of" in page.text


def test_scores_that_are_not_finite_do_not_break_a_report(tmp_path: Path) -> None:
    records = [scored(1, float("-inf")), scored(2, 1.0, parents=(1,)), scored(3, float("inf"), parents=(2,))]

    page = report_of(write_run(tmp_path / "run", records))

    assert "inf" in page.text


def test_a_pictures_numbers_are_drawn(tmp_path: Path) -> None:
    picture = json.dumps({"kind": "circles", "circles": [[0.5, 0.5, 0.25]], "title": "<b>"})
    records = [scored(1, 1.0, judged={"artifacts": {"picture": picture}})]

    run = write_run(tmp_path / "run", records)
    page = report_of(run)

    assert "x 0.5, y 0.5, radius 0.25" in page.text
    assert "<b>" in page.text


def test_an_artifact_is_shown_as_text_whatever_it_is(tmp_path: Path) -> None:
    records = [scored(1, 1.0, judged={"artifacts": {"drawing.svg": "<svg onload='alert(1)'><b>x</b></svg>"}})]

    page = report_of(write_run(tmp_path / "run", records))

    assert "<svg onload='alert(1)'><b>x</b></svg>" in page.text
    assert "b" not in page.names


def test_approximations_have_their_frontier(tmp_path: Path) -> None:
    records = [
        scored(number, float(number), judged={"metrics": {"operations": number, "max_relative_error": 10.0**-number}})
        for number in (1, 2, 3)
    ]
    meta = meta_of()
    meta["problem"]["baselines"] = {"operations": {"2": {"polynomial": {"error": 0.02}, "<r>": {"error": 0.01}}}}

    page = report_of(write_run(tmp_path / "run", records, meta=meta))

    assert "frontier" in page.ids
    assert "1.000e-03" in page.text
    assert "at or below the polynomial at 2 operations" in page.text
    assert "beside polynomial and rational" in page.text


def test_a_frontier_without_classical_methods_does_not_speak_of_them(tmp_path: Path) -> None:
    judged = {"metrics": {"operations": 1, "max_relative_error": 0.1}}

    page = report_of(write_run(tmp_path / "run", [scored(1, 1.0, judged=judged)], meta=meta_of()))

    assert "frontier" in page.ids
    assert "polynomial" not in page.text


def test_the_command_asks_for_the_same_run(tmp_path: Path) -> None:
    meta = meta_of(name="exp2")
    del meta["problem"]["folder"]
    meta["options"] |= {"strategy": "iid", "symbolic": False, "seconds": None, "evaluations": 12, "budget_usd": 0.5}
    meta["models"] = ["a b", "c"]

    with RunView(write_run(tmp_path / "run", [], meta=meta)) as view:
        command = command_of(view)

    expected = (
        "--seed 7 --window 4 --evaluations 12 --budget-usd 0.5 --model 'a b' --model c --no-symbolic --strategy iid"
    )
    assert command == f"evolve run exp2 {expected}"


def test_the_command_writes_beside_the_run_and_says_so(run: Path) -> None:
    result = CliRunner().invoke(cli, ["report", str(run), "--json"])

    answer = json.loads(result.output)
    assert answer["schema"] == "evolve.report/1"
    assert answer["bytes"] == (run / "report.html").stat().st_size
    assert re.match("<!DOCTYPE html>", (run / "report.html").read_text())


def test_a_report_of_nothing_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["report", str(tmp_path)])

    assert isinstance(result.exception, UsageError)
