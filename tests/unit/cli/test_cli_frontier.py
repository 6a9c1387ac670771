import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.candidate import Candidate
from evaluators.contract import Evaluation
from evolve.config.locate import shipped_problems
from evolve.errors import UsageError
from evolve.store import CandidateRecord
from evolve.view.frontier import frontier_of, methods_of, read_baselines, tally

Invoke = Callable[..., Any]


def found(number: int, operations: float, error: float, metric: str = "max_relative_error") -> CandidateRecord:
    metrics = {"operations": operations, metric: error}
    return CandidateRecord(
        candidate=Candidate(id=number, files={"f.py": f"# {number}\n"}, fingerprint=str(number), metrics=metrics),
        evaluation=Evaluation(score=1.0, metrics=metrics),
        island=0,
        status="new",
        cell=1,
    )


def test_each_row_is_the_best_with_at_most_so_many_operations() -> None:
    records = [found(1, 2, 0.1), found(2, 3, 0.2), found(3, 5, 0.01), found(4, 5, 0.02)]

    metric, rows = frontier_of(records, {})

    assert metric == "max_relative_error"
    assert [(row.operations, row.error) for row in rows] == [(2, 0.1), (3, 0.1), (4, 0.1), (5, 0.01)]
    assert [row.record.candidate.id for row in rows if row.record] == [1, 1, 1, 3]


@given(st.lists(st.tuples(st.integers(0, 12), st.floats(1e-12, 1.0)), min_size=1, max_size=30))
def test_the_frontier_never_rises_and_holds_the_minimum(points: Sequence[tuple[int, float]]) -> None:
    records = [found(number, operations, error) for number, (operations, error) in enumerate(points, 1)]

    _, rows = frontier_of(records, {})

    errors = [row.error for row in rows if row.error is not None]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == min(error for _, error in points)


def test_verdicts_compare_with_polynomial_and_rational() -> None:
    baselines = {
        2: {"polynomial": 0.1, "rational": 0.2},
        3: {"polynomial": 0.05, "rational": 0.01},
        4: {"polynomial": 0.001, "rational": 0.002},
        5: {"polynomial": 1e-9},
    }
    records = [found(1, 2, 0.1), found(2, 3, 0.001), found(3, 4, 0.001)]

    _, rows = frontier_of(records, baselines)

    assert [row.is_at_most("polynomial") for row in rows] == [True, True, True, False]
    assert [row.beats_both for row in rows] == [False, True, False, False]
    assert tally(rows) == {
        "at_most_polynomial": [2, 3, 4],
        "above_polynomial": [5],
        "below_polynomial_and_rational": [3],
    }


def test_reaching_a_rounded_baseline_counts_as_reaching_it_and_not_as_beating_it() -> None:
    _, rows = frontier_of([found(1, 2, 0.029821449)], {2: {"polynomial": 0.029821}})

    assert rows[0].is_at_most("polynomial") is True
    assert rows[0].beats_both is False


def test_a_count_below_every_candidate_has_no_discovered_error() -> None:
    _, rows = frontier_of([found(1, 3, 0.1)], {2: {"polynomial": 0.5}})

    assert (rows[0].operations, rows[0].error, rows[0].record) == (2, None, None)
    assert rows[0].is_at_most("polynomial") is None
    assert rows[0].beats_both is None


def test_absolute_errors_make_a_frontier_too() -> None:
    assert frontier_of([found(1, 3, 0.1, "max_absolute_error")], {})[0] == "max_absolute_error"


@pytest.mark.parametrize("records", [[], [found(1, 3, 0.1, "length")]])
def test_other_problems_have_no_frontier(records: list[CandidateRecord]) -> None:
    with pytest.raises(UsageError, match="report operations and an error"):
        frontier_of(records, {})


def test_baselines_are_read_by_operation_count() -> None:
    stored = {"source": "a book", "operations": {"10": {"rational": {"error": 0.1, "form": "(1,1)"}}, "2": {}}}

    assert read_baselines(stored) == {10: {"rational": 0.1}, 2: {}}
    assert read_baselines({}) == {}


def test_baselines_come_in_the_order_of_the_methods_and_only_as_far_as_the_search_goes() -> None:
    error = {"error": 1.0}
    stored = {"methods": {"a": "", "b": ""}, "operations": {"2": {"c": error, "b": error, "a": error}, "3": {}}}

    assert [list(methods) for methods in read_baselines(stored, max_operations=2).values()] == [["a", "b", "c"]]


def test_columns_keep_the_order_of_every_row() -> None:
    assert methods_of([["a", "d"], ["a", "b", "d", "e"], [], ["c"]]) == ["c", "a", "b", "d", "e"]


@pytest.mark.parametrize("name", ["exp2", "log2", "erf"])
def test_the_baselines_of_the_shipped_problems_are_read(name: str) -> None:
    stored = json.loads((shipped_problems()[name] / "baselines.json").read_text(encoding="utf-8"))

    assert {"polynomial", "rational"} <= set(read_baselines(stored)[6])


def test_the_table_shows_errors_verdicts_and_each_program_once(toy_run: Path, invoke: Invoke) -> None:
    text = invoke("frontier", str(toy_run)).stdout

    assert "polynomial" in text
    assert "below both" in text
    assert text.count("def f(x):") == 3
    assert "at or below the polynomial at 2, 3 operations" in text
    assert "def f(x)" not in invoke("frontier", str(toy_run), "--no-programs").stdout


def test_the_document_holds_rows_with_programs_and_the_tally(toy_run: Path, invoke: Invoke) -> None:
    document = json.loads(invoke("frontier", str(toy_run), "--json").stdout)

    assert [row["operations"] for row in document["rows"]] == [1, 2, 3, 4]
    assert document["rows"][1]["elite"]["source"] == "def f(x):\n    return x * 3.0\n"
    assert document["rows"][1]["baselines"] == {"polynomial": 0.03, "rational": 0.02}
    assert document["below_polynomial_and_rational"] == [2]
    assert document["above_polynomial"] == [4]
