"""A run opened for looking: its read-only connection, and what never changes about it."""

import sqlite3
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from evolve.errors import EvolveEnvironmentError
from evolve.store.reader import RunReader
from evolve.store.schema import DATABASE_NAME, connect_reader


class RunView:
    """What all questions to a run go through. Made and used by one thread; only `interrupt` may come from another.

    Raises:
        UsageError: there is no run in the folder.
        EvolveEnvironmentError: its database is damaged or cannot be reached.
    """

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.path = run_dir / DATABASE_NAME
        self.reader = RunReader(run_dir)
        try:
            self._connection = connect_reader(self.path)
        except sqlite3.Error as error:
            self.reader.close()
            raise EvolveEnvironmentError(f"cannot read {self.path}: {error}") from error

    def __enter__(self) -> "RunView":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query; `values` fill its question marks.

        Raises:
            EvolveEnvironmentError: the database is damaged, locked or gone.
        """
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise EvolveEnvironmentError(f"cannot read {self.path}: {error}") from error

    def number(self, query: str, *values: object) -> int:
        """The first column of the first row as a whole number, 0 for none."""
        rows = self.rows(query, *values)
        return int(rows[0][0] or 0) if rows else 0

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether the database has a table (and a column in it): runs of earlier versions lack some.

        Asked anew each time: a writer may have brought the run up to date meanwhile.
        """
        names = [row["name"] for row in self.rows("SELECT name FROM pragma_table_info(?)", table)]
        return bool(names) if column is None else column in names

    def define(self, name: str, function: Any) -> None:
        """Make a pure Python function of one text usable in queries."""
        self._connection.create_function(name, 1, function, deterministic=True)

    def last_candidate(self) -> int:
        """The largest id, which is also how many candidates were judged: ids have no gaps."""
        return self.number("SELECT max(id) FROM candidate")

    @cached_property
    def meta(self) -> dict[str, Any]:
        """All entries of the table `meta`."""
        return self.reader.meta()

    @cached_property
    def tables(self) -> Mapping[str, Any]:
        """The tables of the problem file; empty if the run does not know them."""
        problem = self.meta.get("problem")
        found = problem.get("tables") if isinstance(problem, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @property
    def problem_name(self) -> str:
        """The name of the problem."""
        return str(self._problem.get("name", "-"))

    @property
    def title(self) -> str:
        """The problem in one line, empty if it has no title."""
        return str(self._problem.get("title") or "")

    @property
    def language(self) -> str:
        """The language of programs: `symbolic` or `python`."""
        return str(self._problem.get("language", "python"))

    @property
    def _problem(self) -> Mapping[str, Any]:
        found = self.tables.get("problem")
        return found if isinstance(found, Mapping) else {}

    @property
    def known(self) -> Mapping[str, Any] | None:
        """The best value known before, with its source; None if the problem names none."""
        found = self.tables.get("known")
        return found if isinstance(found, Mapping) else None

    @property
    def baselines(self) -> Mapping[str, Any]:
        """What classical methods reach, as in the problem's file of baselines."""
        problem = self.meta.get("problem")
        found = problem.get("baselines") if isinstance(problem, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @property
    def notices(self) -> tuple[str, ...]:
        """What people must know of this run: what a folder of another engine cannot hold, or that no card was there."""
        evaluator = self.tables.get("evaluator")
        options = evaluator.get("options") if isinstance(evaluator, Mapping) else None
        found = options.get("notices") if isinstance(options, Mapping) else None
        told = tuple(map(str, found)) if isinstance(found, list | tuple) else ()
        devices = self.meta.get("devices")
        last = devices[-1] if isinstance(devices, list) and devices else None
        notice = last.get("notice") if isinstance(last, Mapping) else None
        return (*told, str(notice)) if notice else told

    @property
    def options(self) -> Mapping[str, Any]:
        """How the run was asked for."""
        found = self.meta.get("options")
        return found if isinstance(found, Mapping) else {}

    def interrupt(self) -> None:
        """Break off the query that another thread runs through this view; it raises there."""
        self._connection.interrupt()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()
        self.reader.close()
