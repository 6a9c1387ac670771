"""Pages of candidates, as the dashboard and the report ask for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evolve.errors import UsageError
from evolve.view.pages import Query, count, operators_in, page
from evolve.view.run import RunView
from tests.unit.view.small_run import write_run


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunView]:
    with RunView(write_run(tmp_path_factory.mktemp("runs") / "toy")) as opened:
        yield opened


PAGES: tuple[tuple[Query, list[int]], ...] = (
    (Query(), [4, 8, 3, 1]),
    (Query(descending=False), [1, 3, 8, 4]),
    (Query(limit=2, offset=1), [8, 3]),
    (Query(sort="axis:operations"), [8, 4, 3, 1]),
    (Query(sort="metric:max_relative_error", descending=False), [4, 8, 3, 1]),
    (Query(sort="metric:unknown"), [1, 3, 4, 8]),
    (Query(text="return [x]"), [8]),
    (Query(text="CROSS"), [4]),
    (Query(scope="candidates", sort="id"), [8, 7, 6, 5, 4, 3, 2, 1]),
    (Query(scope="candidates", sort="id", descending=False, limit=3, offset=2), [3, 4, 5]),
    (Query(scope="candidates", sort="id", limit=3, offset=6), [2, 1]),
    (Query(scope="candidates", sort="score"), [4, 8, 3, 5, 1]),
    (Query(scope="candidates", sort="generation"), [8, 4, 5, 2, 3, 6, 7, 1]),
    (Query(scope="candidates", sort="id", status="rejected"), [5]),
    (Query(scope="candidates", sort="id", failure="exception", operator="crossover"), [7]),
    (Query(scope="candidates", sort="id", text="timeout"), [7, 6]),
    (Query(scope="candidates", sort="id", text="3"), [3]),
    (Query(scope="candidates", sort="id", text="100%' OR '1'='1"), []),
)


@pytest.mark.parametrize(("query", "ids"), PAGES, ids=range(len(PAGES)))
def test_a_page_holds_the_wanted_candidates_in_order(view: RunView, query: Query, ids: list[int]) -> None:
    # when
    found = page(view, query)
    # then
    assert [row.id for row in found.rows] == ids


@pytest.mark.parametrize(("query", "ids"), PAGES, ids=range(len(PAGES)))
def test_pages_of_one_row_are_the_whole_list(view: RunView, query: Query, ids: list[int]) -> None:
    # given
    from dataclasses import replace

    rest = ids[1:]
    # when
    second = page(view, replace(query, limit=1, offset=query.offset + 1))
    # then
    assert [row.id for row in second.rows] == rest[:1]
    assert second.has_more == (len(rest) > 1 or query.offset + 2 < count(view, query))


def test_a_count_is_that_of_all_pages(view: RunView) -> None:
    # given
    queries = [Query(), Query(scope="candidates", sort="id"), Query(scope="candidates", sort="score"), Query(text="x")]
    # when
    counts = [count(view, query) for query in queries]
    # then
    assert counts == [4, 8, 5, 4]


@pytest.mark.parametrize("sort", ["detail", "score; DROP TABLE candidate", 'metric:a"b', "metric:", "axis:"])
def test_what_a_page_cannot_be_sorted_by_is_refused(view: RunView, sort: str) -> None:
    # when / then
    with pytest.raises(UsageError, match="cannot sort elites by"):
        page(view, Query(sort=sort))


def test_metrics_sort_elites_only(view: RunView) -> None:
    # when / then
    with pytest.raises(UsageError, match="cannot sort candidates by"):
        page(view, Query(scope="candidates", sort="metric:depth"))


def test_the_operators_of_a_run_are_found(view: RunView) -> None:
    # when / then
    assert operators_in(view) == ["crossover", "diff@model", "mutate", "seed"]


def test_a_long_detail_is_cut_in_a_page(view: RunView, tmp_path: Path) -> None:
    # given
    from tests.unit.view.small_run import candidate

    rows = (candidate(1, score=0.0, operator="seed"), candidate(2, parents=(1,), detail="e" * 100_000))
    # when
    with RunView(write_run(tmp_path / "run", rows)) as opened:
        found = page(opened, Query(scope="candidates", sort="id", limit=1))
    # then
    assert found.rows[0].detail == "e" * 300
