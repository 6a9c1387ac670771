"""Read-only views of a run: short transactions, safe on running, finished and crashed runs alike."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.store.records import CandidateRecord, IterationRecord, unpack_files
from evolve.store.schema import (
    DATABASE_NAME,
    SCHEMA_VERSION,
    connect_reader,
    level_before_stamps,
    require_version,
)

CANDIDATE_COLUMNS = """id, iteration, source, fingerprint, operator, island, generation, status, cell, score, failure,
  detail, stage, metrics, descriptor, artifacts, seconds"""


class RunReader:
    """Answers questions about one run. Never writes, never blocks the writer."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        path = run_dir / DATABASE_NAME
        if not path.exists():
            raise UsageError(f"no run in {run_dir} (expected a file {DATABASE_NAME} there); `evolve ls` lists the runs")
        try:
            self._connection = connect_reader(path)
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error as error:
            raise UsageError(f"cannot read {path}: {error}") from error
        require_version(run_dir, version)
        # An SQL expression: runs of an earlier version have no such column.
        self._level = "level" if version == SCHEMA_VERSION else f"'{level_before_stamps(self._connection)}'"
        self._columns = f"{CANDIDATE_COLUMNS}, {self._level} AS level"

    def meta(self) -> dict[str, Any]:
        """All entries of the meta table (problem, options, versions, …)."""
        return {row["key"]: json.loads(row["value"]) for row in self._rows("SELECT key, value FROM meta")}

    def counts(self) -> dict[str, Any]:
        """Evaluations, failures, iterations, duplicates, elites, best score, summed session seconds."""
        row = self._rows(
            "SELECT (SELECT count(*) FROM candidate) AS evaluations,"
            " (SELECT count(*) FROM candidate WHERE failure IS NOT NULL) AS failures,"
            " (SELECT coalesce(max(number), -1) FROM iteration) AS last_iteration,"
            " (SELECT coalesce(sum(n_duplicates), 0) FROM iteration) AS duplicates,"
            " (SELECT count(*) FROM elite) AS elites,"
            " (SELECT max(score) FROM candidate) AS best_score,"
            " (SELECT coalesce(sum(seconds), 0) FROM session) AS seconds"
        )[0]
        return dict(row)

    def sessions(self) -> list[dict[str, Any]]:
        """Controllers that worked on the run, oldest first (pid, host, started, heartbeat, seconds, stopped_by)."""
        return [dict(row) for row in self._rows("SELECT * FROM session ORDER BY id")]

    def events(self, *, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        """Notable events with an id above `after`, oldest first."""
        rows = self._rows("SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ?", after, limit)
        return [{**dict(row), "data": json.loads(row["data"])} for row in rows]

    def curve(self) -> list[dict[str, Any]]:
        """Best score so far: rows of evaluations, seconds, score, candidate."""
        return [dict(row) for row in self._rows("SELECT * FROM curve ORDER BY evaluations")]

    def operators(self) -> list[dict[str, Any]]:
        """Per operator: iterations, candidates kept, cost, reward, seconds."""
        return [
            dict(row)
            for row in self._rows(
                "SELECT operator, count(*) AS iterations, sum(cost) AS cost, sum(reward) AS reward,"
                " sum(seconds) AS seconds, (SELECT count(*) FROM candidate c WHERE c.operator = i.operator"
                " AND c.status IN ('new', 'improved')) AS kept,"
                " (SELECT count(*) FROM candidate c WHERE c.operator = i.operator) AS evaluations"
                " FROM iteration i GROUP BY operator ORDER BY operator"
            )
        ]

    def failures(self) -> list[dict[str, Any]]:
        """Failed evaluations grouped by type, most frequent first, each with its latest detail."""
        return [
            dict(row)
            for row in self._rows(
                "SELECT failure, count(*) AS n, max(id) AS latest, detail FROM candidate WHERE failure IS NOT NULL"
                " GROUP BY failure ORDER BY n DESC, failure"
            )
        ]

    def levels(self) -> dict[str, int]:
        """How many candidates were judged at which level of isolation; those that never ran are left out."""
        rows = self._rows(f"SELECT {self._level} AS level, count(*) AS n FROM candidate GROUP BY 1 ORDER BY n DESC, 1")  # noqa: S608
        return {row["level"]: row["n"] for row in rows if row["level"]}

    def elites(self, *, limit: int | None = None) -> list[CandidateRecord]:
        """Distinct elites over all islands, best score first, ties by id."""
        rows = self._rows(
            f"SELECT {self._columns} FROM candidate WHERE id IN (SELECT candidate FROM elite)"  # noqa: S608
            " ORDER BY score DESC, id LIMIT ?",
            -1 if limit is None else limit,
        )
        return [self._record(row) for row in rows]

    def elite_ids(self) -> list[tuple[int, int, int, int]]:
        """(island, cell, rank, candidate id) of every elite, in key order."""
        rows = self._rows("SELECT island, cell, rank, candidate FROM elite ORDER BY island, cell, rank")
        return [(row["island"], row["cell"], row["rank"], row["candidate"]) for row in rows]

    def candidate(self, identifier: int) -> CandidateRecord:
        """One candidate with its evaluation.

        Raises:
            UsageError: no candidate has this id.
        """
        rows = self._rows(f"SELECT {self._columns} FROM candidate WHERE id = ?", identifier)  # noqa: S608
        if not rows:
            last = self._rows("SELECT coalesce(max(id), 0) AS last FROM candidate")[0]["last"]
            raise UsageError(f"no candidate {identifier} in {self.run_dir}: ids run from 1 to {last}")
        return self._record(rows[0])

    def parents_of(self, identifier: int) -> tuple[int, ...]:
        """Ids of the candidate's parents, first parent first."""
        rows = self._rows("SELECT parent FROM parent WHERE candidate = ? ORDER BY ordinal", identifier)
        return tuple(row["parent"] for row in rows)

    def ancestors_of(self, identifier: int) -> list[int]:
        """Ids of the candidate and all its ancestors, newest first, ending with the seed program."""
        rows = self._rows(
            "WITH RECURSIVE line(id) AS (SELECT ? UNION SELECT parent.parent FROM parent JOIN line"
            " ON parent.candidate = line.id) SELECT id FROM line ORDER BY id DESC",
            identifier,
        )
        return [row["id"] for row in rows]

    def children_of(self, identifier: int) -> list[int]:
        """Ids of candidates that have this one as a parent, oldest first."""
        rows = self._rows("SELECT DISTINCT candidate FROM parent WHERE parent = ? ORDER BY candidate", identifier)
        return [row["candidate"] for row in rows]

    def iteration_operators(self) -> list[str]:
        """The operator of every told iteration, by number."""
        return [row["operator"] for row in self._rows("SELECT operator FROM iteration ORDER BY number")]

    def iterations(self, *, batch: int = 500) -> Iterator[IterationRecord]:
        """Every told iteration in order, with its candidates: the log that the archive is a fold of."""
        after = -1
        while True:
            rows = self._rows("SELECT * FROM iteration WHERE number > ? ORDER BY number LIMIT ?", after, batch)
            if not rows:
                return
            for row in rows:
                yield self._iteration(row)
            after = rows[-1]["number"]

    def _iteration(self, row: sqlite3.Row) -> IterationRecord:
        candidates = self._rows(
            f"SELECT {self._columns} FROM candidate WHERE iteration = ? ORDER BY id",  # noqa: S608
            row["number"],
        )
        return IterationRecord(**dict(row), candidates=tuple(self._record(each) for each in candidates))

    def _record(self, row: sqlite3.Row) -> CandidateRecord:
        body = self._rows("SELECT body FROM source WHERE hash = ?", row["source"])[0]["body"]
        candidate = Candidate(
            id=row["id"],
            files=unpack_files(body),
            fingerprint=row["fingerprint"],
            parent_ids=self.parents_of(row["id"]),
            operator=row["operator"],
            generation=row["generation"],
            iteration=row["iteration"],
            metrics=json.loads(row["metrics"]),
        )
        evaluation = Evaluation(
            score=row["score"],
            descriptor=json.loads(row["descriptor"]),
            metrics=json.loads(row["metrics"]),
            failure=None if row["failure"] is None else Failure(row["failure"]),
            detail=row["detail"],
            artifacts=json.loads(row["artifacts"]),
            stage=row["stage"],
            seconds=row["seconds"],
            level=row["level"],
        )
        return CandidateRecord(
            candidate=candidate, evaluation=evaluation, island=row["island"], status=row["status"], cell=row["cell"]
        )

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise EvolveEnvironmentError(f"cannot read {self.run_dir / DATABASE_NAME}: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
