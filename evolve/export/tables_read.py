"""The tables of a run, opened by name."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.export.tables_candidates import candidates_table, elites_table
from evolve.export.tables_columns import Table
from evolve.export.tables_records import calls_table, curve_table, events_table
from evolve.store.schema import DATABASE_NAME, connect_reader, require_version

TABLES: Mapping[str, Callable[[sqlite3.Connection, bool], Table]] = {
    "candidates": candidates_table,
    "elites": elites_table,
    "calls": calls_table,
    "curve": curve_table,
    "events": events_table,
}


@contextmanager
def open_table(run_dir: Path, what: str, *, texts: bool = True) -> Iterator[Table]:
    """Open one of the `TABLES` of a run; without `texts` programs, prompts and replies are left out.

    What the run adds after this moment is left out.

    Raises:
        UsageError: there is no run in the folder.
        EvolveEnvironmentError: the database is damaged or cannot be reached.
    """
    path = run_dir / DATABASE_NAME
    if not path.exists():
        raise UsageError(f"no run in {run_dir} (expected a file {DATABASE_NAME} there); `evolve ls` lists the runs")
    try:
        with closing(connect_reader(path)) as connection:
            require_version(run_dir, connection.execute("PRAGMA user_version").fetchone()[0])
            yield TABLES[what](connection, texts)
    except sqlite3.Error as error:
        raise EvolveEnvironmentError(f"cannot read {path}: {error}") from error
