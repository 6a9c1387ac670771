"""The tables of candidates and of elites."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evolve.export.tables_columns import Column, Kind, Row, Table
from evolve.export.tables_pages import PAGE, chosen, last_id, pages
from evolve.store.records import unpack_files
from evolve.store.schema import level_before_stamps

NAMES_PAGE = 5_000
MAX_NAMES = 256
"""Metrics, or axes, with a column each; where a run has more names than that, one column of JSON holds them all."""

_PLAIN = (
    *(Column(name, Kind.INTEGER) for name in ("id", "iteration", "generation", "island")),
    *(Column(name, Kind.TEXT) for name in ("operator", "status")),
    Column("cell", Kind.INTEGER),
    Column("score", Kind.REAL),
    *(Column(name, Kind.TEXT) for name in ("failure", "stage", "detail")),
    Column("seconds", Kind.REAL),
    Column("fingerprint", Kind.TEXT),
)
_MORE = (Column("level", Kind.TEXT), Column("parents", Kind.INTEGERS), Column("artifacts", Kind.DATA))
_PROGRAM = (Column("program", Kind.TEXT), Column("other_files", Kind.DATA))
_ELITE = tuple(Column(f"elite_{name}", Kind.INTEGER) for name in ("island", "cell", "rank"))
_NAMES_QUERY = "SELECT id, metrics, descriptor FROM candidate"
_QUERY = "SELECT c.* FROM candidate c"
_QUERY_WITH_PROGRAMS = "SELECT c.*, s.body FROM candidate c JOIN source s ON s.hash = c.source"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """The columns of one mapping from names to values, such as the metrics; without names it is one column."""

    prefix: str
    names: tuple[str, ...] | None
    textual: frozenset[str]

    def columns(self) -> tuple[Column, ...]:
        if self.names is None:
            return (Column(self.prefix, Kind.DATA),)
        return tuple(
            Column(f"{self.prefix}.{name}", Kind.TEXT if name in self.textual else Kind.REAL) for name in self.names
        )

    def values(self, found: Mapping[str, Any]) -> Row:
        if self.names is None:
            return (found,)
        return tuple(_value(found.get(name), is_text=name in self.textual) for name in self.names)


def _value(value: Any, *, is_text: bool) -> Any:
    return value if value is None else str(value) if is_text else float(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What every row of candidates is read with."""

    connection: sqlite3.Connection
    metrics: _Named
    descriptor: _Named
    texts: bool

    @property
    def query(self) -> str:
        return _QUERY_WITH_PROGRAMS if self.texts else _QUERY

    def columns(self) -> tuple[Column, ...]:
        return (*_PLAIN, *_MORE, *self.metrics.columns(), *self.descriptor.columns(), *(_PROGRAM if self.texts else ()))

    def rows(self, page: Sequence[sqlite3.Row]) -> Iterator[Row]:
        """The rows of one page, with their parents and programs."""
        parents = _parents(self.connection, [row["id"] for row in page])
        level = None if "level" in page[0].keys() else level_before_stamps(self.connection)  # noqa: SIM118 (a Row)
        for row in page:
            yield (
                *(row[column.name] for column in _PLAIN),
                row["level"] if level is None else level,
                parents.get(row["id"], []),
                json.loads(row["artifacts"]),
                *self.metrics.values(json.loads(row["metrics"])),
                *self.descriptor.values(json.loads(row["descriptor"])),
                *(_program(row["body"]) if self.texts else ()),
            )


def _parents(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, list[int]]:
    marks = ",".join("?" * len(ids))
    query = f"SELECT candidate, parent FROM parent WHERE candidate IN ({marks}) ORDER BY candidate, ordinal"  # noqa: S608
    found: dict[int, list[int]] = {}
    for child, parent in connection.execute(query, tuple(ids)):
        found.setdefault(child, []).append(parent)
    return found


def _program(body: bytes) -> tuple[str, dict[str, str]]:
    """The text of the entry file, and all other files by name."""
    files = unpack_files(body)
    entry = next(iter(files), "")
    return files.pop(entry, ""), files


def _reading(connection: sqlite3.Connection, seen: Iterable[Sequence[sqlite3.Row]], *, texts: bool) -> _Reading:
    """Look over all metrics and descriptors once: the columns have to be known before the first row is written."""
    kinds: dict[str, dict[str, bool]] = {"metrics": {}, "descriptor": {}}
    for page in seen:
        for row in page:
            for what, named in kinds.items():
                for name, value in json.loads(row[what]).items():
                    named[name] = named.get(name, False) or not isinstance(value, int | float)
    return _Reading(
        connection=connection,
        metrics=_named("metrics", kinds["metrics"]),
        descriptor=_named("descriptor", kinds["descriptor"]),
        texts=texts,
    )


def _named(prefix: str, kinds: Mapping[str, bool]) -> _Named:
    names = tuple(sorted(kinds)) if len(kinds) <= MAX_NAMES else None
    return _Named(prefix=prefix, names=names, textual=frozenset(name for name, is_text in kinds.items() if is_text))


def candidates_table(connection: sqlite3.Connection, texts: bool) -> Table:
    """All candidates by id, with their metrics, places, parents and, with `texts`, programs."""
    last = last_id(connection, "candidate")
    reading = _reading(connection, pages(connection, _NAMES_QUERY, last=last, size=NAMES_PAGE), texts=texts)
    found = pages(connection, reading.query, last=last, key="c.id")
    return Table(columns=reading.columns(), rows=(row for page in found for row in reading.rows(page)))


def elites_table(connection: sqlite3.Connection, texts: bool) -> Table:
    """All elites by island, cell and rank in the cell; a candidate that holds several places comes several times."""
    query = "SELECT island, cell, rank, candidate FROM elite ORDER BY island, cell, rank"
    places = [tuple(place) for place in connection.execute(query)]
    parts = [places[start : start + PAGE] for start in range(0, len(places), PAGE)]
    seen = (chosen(connection, _NAMES_QUERY, [place[-1] for place in part]) for part in parts)
    reading = _reading(connection, seen, texts=texts)

    def rows() -> Iterator[Row]:
        for part in parts:
            page = chosen(connection, reading.query, sorted({place[-1] for place in part}), key="c.id")
            row_of = {row[0]: row for row in reading.rows(page)}
            yield from ((*place[:-1], *row_of[place[-1]]) for place in part)

    return Table(columns=(*_ELITE, *reading.columns()), rows=rows())
