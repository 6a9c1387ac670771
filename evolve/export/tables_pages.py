"""Rows of a database page by page: memory does not grow with the run, and no page holds the writer up for long."""

import sqlite3
from collections.abc import Iterator, Sequence

PAGE = 200


def number(connection: sqlite3.Connection, query: str) -> int:
    """The one number that a query answers with."""
    return int(connection.execute(query).fetchone()[0])


def last_id(connection: sqlite3.Connection, table: str) -> int:
    """The largest id of a table, 0 if it has no rows or the run, of an earlier version, no such table."""
    there = number(connection, f"SELECT count(*) FROM sqlite_master WHERE name = '{table}'")  # noqa: S608 (our own name)
    return number(connection, f"SELECT coalesce(max(id), 0) FROM {table}") if there else 0  # noqa: S608


def pages(
    connection: sqlite3.Connection, query: str, *, last: int, key: str = "id", size: int = PAGE
) -> Iterator[list[sqlite3.Row]]:
    """The rows with keys up to `last`, in their order; each page is a transaction of its own."""
    after = 0
    statement = f"{query} WHERE {key} > ? AND {key} <= ? ORDER BY {key} LIMIT ?"
    while page := connection.execute(statement, (after, last, size)).fetchall():
        yield page
        after = page[-1]["id"]


def chosen(connection: sqlite3.Connection, query: str, ids: Sequence[int], *, key: str = "id") -> list[sqlite3.Row]:
    """The rows with these keys, in the order of the keys."""
    marks = ",".join("?" * len(ids))
    return connection.execute(f"{query} WHERE {key} IN ({marks}) ORDER BY {key}", tuple(ids)).fetchall()
