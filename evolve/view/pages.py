"""Candidates in pages: sorted and filtered by the database, a few hundred at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from json import loads
from typing import Any, Literal

from evolve.errors import UsageError
from evolve.store.records import unpack_files
from evolve.view.run import RunView

Scope = Literal["elites", "candidates"]

DETAIL_CHARACTERS = 300
SORTS: Mapping[str, str] = {
    "id": "c.id",
    "score": "c.score",
    "generation": "c.generation",
    "seconds": "c.seconds",
    "operator": "c.operator",
    "status": "c.status",
    "failure": "c.failure",
    "island": "c.island",
}
"""What every page can be sorted by. Pages of elites also by `metric:NAME` and `axis:NAME`."""
_NAMED = {"metric:": "metrics", "axis:": "descriptor"}
_TEXT_OF = "text_of_files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which candidates, in which order.

    `text` is looked for in operator, status, kind of failure and detail, among elites also in the programs; a number
    means the candidate of that id. Ties come in the order of ids. Sorted by score, candidates without one are left out.
    """

    scope: Scope = "elites"
    sort: str = "score"
    descending: bool = True
    operator: str | None = None
    status: str | None = None
    failure: str | None = None
    text: str = ""
    limit: int = 200
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """One candidate as a table shows it; `detail` is cut short."""

    id: int
    score: float | None
    operator: str
    island: int
    generation: int
    iteration: int
    status: str
    cell: int | None
    failure: str | None
    stage: str
    seconds: float
    detail: str
    metrics: Mapping[str, Any]
    descriptor: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows and whether more follow. `total` is None where counting them would take a look at every candidate."""

    rows: tuple[PageRow, ...]
    offset: int
    has_more: bool
    total: int | None


def page(view: RunView, query: Query) -> Page:
    """The rows that a query means.

    The inner query walks an index where there is one, so that only the rows of the page are read whole.

    Raises:
        UsageError: the page cannot be sorted like that.
    """
    where, values = _where(view, query)
    order, order_values = _order(query)
    limit, offset = query.limit + 1, query.offset
    if not where and query.sort == "id":  # ids have no gaps: a page far behind is found without counting to it
        where, values, offset = *_from_id(view, query), 0
    found = view.rows(
        f"SELECT {_COLUMNS} FROM candidate AS c JOIN (SELECT c.id AS place FROM candidate AS c{where}{order}"  # noqa: S608
        f" LIMIT ? OFFSET ?) ON c.id = place{order}",
        *values,
        *order_values,
        limit,
        offset,
        *order_values,
    )
    rows = tuple(_row(row) for row in found[: query.limit])
    has_more = len(found) > query.limit
    known = _quick_total(view, query) if has_more else query.offset + len(rows)
    return Page(rows=rows, offset=query.offset, has_more=has_more, total=known)


def _from_id(view: RunView, query: Query) -> tuple[str, list[object]]:
    if query.descending:
        return " WHERE c.id <= ?", [view.last_candidate() - query.offset]
    return " WHERE c.id > ?", [query.offset]


def operators_in(view: RunView) -> list[str]:
    """The operators that candidates came from, in order of their names; each is found by one look into an index."""
    if not view.rows("SELECT 1 FROM sqlite_master WHERE name = 'iteration_operator'"):
        return [row[0] for row in view.rows("SELECT DISTINCT operator FROM iteration ORDER BY 1")]
    rows = view.rows(
        "WITH RECURSIVE found(name) AS (SELECT min(operator) FROM iteration UNION ALL SELECT"
        " (SELECT min(operator) FROM iteration WHERE operator > found.name) FROM found WHERE found.name IS NOT NULL)"
        " SELECT name FROM found WHERE name IS NOT NULL"
    )
    return [row["name"] for row in rows]


def count(view: RunView, query: Query) -> int:
    """How many candidates a query means; among many this takes a moment."""
    quick = _quick_total(view, query)
    if quick is not None:
        return quick
    where, values = _where(view, query)
    return view.number(f"SELECT count(*) FROM candidate AS c{where}", *values)  # noqa: S608


_COLUMNS = (
    "c.id, c.score, c.operator, c.island, c.generation, c.iteration, c.status, c.cell, c.failure, c.stage, c.seconds,"
    f" substr(c.detail, 1, {DETAIL_CHARACTERS}) AS detail, c.metrics, c.descriptor"
)


def _quick_total(view: RunView, query: Query) -> int | None:
    if query.operator or query.status or query.failure or query.text:
        return None
    if query.scope == "candidates":
        return view.last_candidate() if query.sort != "score" else None
    return view.number("SELECT count(DISTINCT candidate) FROM elite")


def _where(view: RunView, query: Query) -> tuple[str, list[object]]:
    wanted: list[str] = []
    values: list[object] = []
    if query.scope == "elites":
        wanted.append("c.id IN (SELECT candidate FROM elite)")
    for column in ("operator", "status", "failure"):
        if (value := getattr(query, column)) is not None:
            wanted.append(f"c.{column} = ?")
            values.append(value)
    if query.sort == "score":
        wanted.append("c.score IS NOT NULL")
    if query.text:
        condition, more = _contains(view, query)
        wanted.append(condition)
        values += more
    return (f" WHERE {' AND '.join(wanted)}" if wanted else ""), values


def _contains(view: RunView, query: Query) -> tuple[str, list[object]]:
    text = query.text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return "c.id = ?", [int(text)]
    columns = ["c.operator", "c.status", "coalesce(c.failure, '')", "c.detail"]
    condition = " OR ".join(f"instr(lower({column}), ?)" for column in columns)
    values: list[object] = [text.lower()] * len(columns)
    if query.scope == "elites":
        view.define(_TEXT_OF, _lower_text)
        condition += f" OR instr({_TEXT_OF}((SELECT body FROM source WHERE hash = c.source)), ?)"  # noqa: S608
        values.append(text.lower())
    return f"({condition})", values


def _lower_text(body: bytes) -> str:
    return "\n".join(unpack_files(body).values()).lower().encode("utf-8", "replace").decode()


def _order(query: Query) -> tuple[str, list[object]]:
    direction = "DESC" if query.descending else "ASC"
    if query.sort in SORTS:
        column = SORTS[query.sort]
        if column == "c.id":
            return f" ORDER BY c.id {direction}", []
        if column == "c.score":  # one index serves both directions if the ids turn with it
            return f" ORDER BY c.score {direction}, c.id {'ASC' if query.descending else 'DESC'}", []
        return f" ORDER BY {column} IS NULL, {column} {direction}, c.id", []
    for prefix, column in _NAMED.items():
        name = query.sort.removeprefix(prefix)
        if query.sort.startswith(prefix) and query.scope == "elites" and name and '"' not in name:
            value = f"json_extract(c.{column}, ?)"
            return f" ORDER BY {value} IS NULL, {value} {direction}, c.id", [f'$."{name}"'] * 2
    raise UsageError(f"cannot sort {query.scope} by {query.sort!r}: choose among {', '.join(SORTS)}")


def _row(row: Any) -> PageRow:
    values = dict(row)
    for name in ("metrics", "descriptor"):
        values[name] = loads(values[name])
    return PageRow(**values)
