"""The tables of requests to language models, of the best score so far and of events."""

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import fields
from itertools import accumulate

from evolve.export.tables_columns import Column, Kind, Row, Table
from evolve.export.tables_pages import last_id, pages
from evolve.store.calls import call_of, prompt_of
from evolve.store.records import CallRecord

_KIND_OF_TYPE = {int: Kind.INTEGER, float: Kind.REAL, float | None: Kind.REAL, bool: Kind.BOOLEAN, str: Kind.TEXT}
_REPLY = "text"
_CALLS_QUERY = "SELECT call.*, prompt.body FROM call LEFT JOIN prompt ON prompt.hash = call.prompt_hash"


def calls_table(connection: sqlite3.Connection, texts: bool) -> Table:
    """All requests to language models by id; with `texts` the prompts, as far as they were kept, and the replies."""
    asked = [each for each in fields(CallRecord) if texts or each.name != _REPLY]
    columns = (
        Column("id", Kind.INTEGER),
        Column("at", Kind.TEXT),
        *(Column("reply" if each.name == _REPLY else each.name, _KIND_OF_TYPE[each.type]) for each in asked),  # type: ignore[index]
        *((Column("prompt", Kind.DATA),) if texts else ()),
    )

    def rows() -> Iterator[Row]:
        last = last_id(connection, "call")
        for page in pages(connection, _CALLS_QUERY, last=last, key="call.id") if last else ():
            for row in page:
                record = call_of(row)
                prompt = (None if row["body"] is None else prompt_of(row["body"]),) if texts else ()
                yield (row["id"], row["at"], *(getattr(record, each.name) for each in asked), *prompt)

    return Table(columns=columns, rows=rows())


def curve_table(connection: sqlite3.Connection, texts: bool) -> Table:
    """The best score so far; the money is the known cost of all requests up to the candidate's iteration."""
    del texts
    columns = (
        Column("evaluations", Kind.INTEGER),
        *(Column(name, Kind.REAL) for name in ("seconds", "cost_usd", "score")),
        Column("candidate", Kind.INTEGER),
    )
    query = "SELECT iteration, total(cost_usd) FROM call GROUP BY iteration ORDER BY iteration"
    costs = connection.execute(query).fetchall() if last_id(connection, "call") else []
    iterations = [row[0] for row in costs]
    spent = [0.0, *accumulate(row[1] for row in costs)]
    found = connection.execute(
        "SELECT evaluations, curve.seconds, curve.score, candidate, iteration FROM curve"
        " JOIN candidate ON candidate.id = curve.candidate ORDER BY evaluations"
    ).fetchall()
    rows = (
        (evaluations, seconds, spent[bisect_right(iterations, iteration)], score, candidate)
        for evaluations, seconds, score, candidate, iteration in found
    )
    return Table(columns=columns, rows=rows)


def events_table(connection: sqlite3.Connection, texts: bool) -> Table:
    """All notable events by id."""
    del texts
    columns = (
        Column("id", Kind.INTEGER),
        Column("at", Kind.TEXT),
        Column("kind", Kind.TEXT),
        Column("data", Kind.DATA),
    )
    found = pages(connection, "SELECT * FROM event", last=last_id(connection, "event"))
    rows = ((row["id"], row["at"], row["kind"], json.loads(row["data"])) for page in found for row in page)
    return Table(columns=columns, rows=rows)
