"""Where candidates come from and what became of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from json import loads
from typing import Any

from evolve.view.run import RunView

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One candidate of a lineage, with its parents in order."""

    id: int
    generation: int
    score: float | None
    failure: str | None
    operator: str
    iteration: int
    status: str
    parents: tuple[int, ...]
    metrics: Mapping[str, Any]


def first_parents(view: RunView, identifier: int, *, limit: int = 2000) -> list[Step]:
    """The candidate, its first parent, the first parent of that, …: newest first, to the seed program."""
    rows = view.rows(
        "WITH RECURSIVE line(id, depth) AS (SELECT ?, 0 UNION ALL SELECT parent.parent, line.depth + 1 FROM line"
        " JOIN parent ON parent.candidate = line.id AND parent.ordinal = 0 WHERE line.depth < ?)"
        " SELECT id FROM line ORDER BY depth",
        identifier,
        limit - 1,
    )
    return steps(view, [row["id"] for row in rows])


def ancestry(view: RunView, identifiers: Sequence[int], *, limit: int = 2000) -> list[Step]:
    """The candidates and all their ancestors, newest first; with more than `limit` the newest."""
    marks = ",".join(["(?)"] * len(identifiers))
    rows = view.rows(
        f"WITH RECURSIVE line(id) AS (VALUES {marks} UNION SELECT parent.parent FROM parent JOIN line"  # noqa: S608
        " ON parent.candidate = line.id) SELECT id FROM line ORDER BY id DESC LIMIT ?",
        *identifiers,
        limit,
    )
    return steps(view, [row["id"] for row in rows])


def children(view: RunView, identifier: int, *, limit: int = 100) -> list[Step]:
    """Those that have the candidate as a parent: the best first, the failed last."""
    rows = view.rows(
        "SELECT DISTINCT c.id, c.score FROM parent JOIN candidate AS c ON c.id = parent.candidate"
        " WHERE parent.parent = ? ORDER BY c.score IS NULL, c.score DESC, c.id LIMIT ?",
        identifier,
        limit,
    )
    return steps(view, [row["id"] for row in rows])


def n_children(view: RunView, identifier: int) -> int:
    """How many children a candidate has."""
    return view.number("SELECT count(DISTINCT candidate) FROM parent WHERE parent = ?", identifier)


def steps(view: RunView, identifiers: Sequence[int]) -> list[Step]:
    """The candidates of these ids in this order; unknown ids are left out."""
    found: dict[int, Step] = {}
    for start in range(0, len(identifiers), _BATCH):
        found |= _steps(view, identifiers[start : start + _BATCH])
    return [found[identifier] for identifier in identifiers if identifier in found]


def _steps(view: RunView, identifiers: Sequence[int]) -> dict[int, Step]:
    marks = ",".join("?" * len(identifiers))
    parents: dict[int, list[int]] = {}
    query = f"SELECT candidate, parent FROM parent WHERE candidate IN ({marks}) ORDER BY candidate, ordinal"  # noqa: S608
    for row in view.rows(query, *identifiers):
        parents.setdefault(row["candidate"], []).append(row["parent"])
    query = (
        "SELECT id, generation, score, failure, operator, iteration, status, metrics FROM candidate"  # noqa: S608
        f" WHERE id IN ({marks})"
    )
    return {row["id"]: _step(row, parents.get(row["id"], ())) for row in view.rows(query, *identifiers)}


def _step(row: Any, parents: Iterable[int]) -> Step:
    return Step(**{**dict(row), "metrics": loads(row["metrics"])}, parents=tuple(parents))
