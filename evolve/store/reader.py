"""Read-only views of a run: short transactions, safe on running, finished and crashed runs alike."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.store.calls import TOTALS_QUERY, CallTotals, call_of, prompt_of, totals_of
from evolve.store.pulse import LATEST
from evolve.store.records import CallRecord, CandidateRecord, IterationRecord, unpack_files
from evolve.store.schema import (
    DATABASE_NAME,
    UNSTAMPED_VERSION,
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
        self._level = "level" if version != UNSTAMPED_VERSION else f"'{level_before_stamps(self._connection)}'"
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

    def last_event(self) -> int:
        """The id of the newest event, 0 without any."""
        return int(self._rows("SELECT coalesce(max(id), 0) AS last FROM event")[0]["last"])

    def pulse(self) -> dict[str, Any] | None:
        """The latest state that the controller wrote: `at`, `seconds` of the run, `data` as in a progress event.

        None before the first, and in runs of an earlier version.
        """
        found = self.pulses(first=LATEST, last=LATEST)
        return found[0] if found else None

    def pulses(self, *, first: int = LATEST + 1, last: int = 2**62) -> list[dict[str, Any]]:
        """The history of states, oldest first: `id`, `at`, `seconds`, `data`."""
        if not self._rows("SELECT 1 FROM sqlite_master WHERE name = 'pulse'"):
            return []
        rows = self._rows("SELECT * FROM pulse WHERE id BETWEEN ? AND ? ORDER BY id", first, last)
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

    def calls(self, *, failed: bool = False, limit: int | None = None) -> list[tuple[int, str, CallRecord]]:
        """Requests to language models, oldest first: id, time and record; with `failed` those that were not `ok`.

        With a `limit` the newest that many.
        """
        if not self._has_calls():
            return []
        wanted = "WHERE outcome != 'ok'" if failed else ""
        query = f"SELECT * FROM (SELECT * FROM call {wanted} ORDER BY id DESC LIMIT ?) ORDER BY id"  # noqa: S608
        return [(row["id"], row["at"], call_of(row)) for row in self._rows(query, -1 if limit is None else limit)]

    def call(self, identifier: int) -> tuple[int, str, CallRecord]:
        """One request to a language model: id, time and record.

        Raises:
            UsageError: no request has this id.
        """
        rows = self._rows("SELECT * FROM call WHERE id = ?", identifier) if self._has_calls() else []
        if not rows:
            raise UsageError(f"no call {identifier} in {self.run_dir}: `evolve calls` lists them")
        return rows[0]["id"], rows[0]["at"], call_of(rows[0])

    def reply(self, iteration: int, ordinal: int) -> list[CallRecord]:
        """All requests that one question of an iteration took, oldest first; none if it was never asked."""
        if not self._has_calls():
            return []
        query = "SELECT * FROM call WHERE iteration = ? AND ordinal = ? ORDER BY id"
        return [call_of(row) for row in self._rows(query, iteration, ordinal)]

    def call_totals(self) -> CallTotals:
        """Requests, tokens and money of the whole run."""
        return totals_of(self._rows(TOTALS_QUERY)) if self._has_calls() else CallTotals()

    def calls_by_model(self) -> list[dict[str, Any]]:
        """Per language model: requests, how many were ok, tokens, known money, requests of unknown price."""
        if not self._has_calls():
            return []
        return [
            dict(row)
            for row in self._rows(
                "SELECT model, sum(outcome NOT IN ('no_budget', 'unavailable')) AS requests,"
                " sum(outcome = 'ok') AS ok, sum(input_tokens) AS input_tokens,"
                " sum(cached_tokens) AS cached_tokens, sum(output_tokens) AS output_tokens,"
                " coalesce(sum(cost_usd), 0.0) AS cost_usd, sum(cost_usd IS NULL) AS unpriced"
                " FROM call GROUP BY model ORDER BY requests DESC, model"
            )
        ]

    def prompt(self, prompt_hash: str) -> dict[str, Any] | None:
        """A prompt as JSON data, None if the run did not keep it."""
        rows = self._rows("SELECT body FROM prompt WHERE hash = ?", prompt_hash) if self._has_calls() else []
        return prompt_of(rows[0]["body"]) if rows else None

    def _has_calls(self) -> bool:
        # Asked anew each time: a writer may have brought an old run up to date since this reader was opened.
        return bool(self._rows("SELECT 1 FROM sqlite_master WHERE name = 'call'"))

    def iteration_operators(self) -> list[str]:
        """The operator of every told iteration, by number."""
        return [row["operator"] for row in self._rows("SELECT operator FROM iteration ORDER BY number")]

    def candidates_per_iteration(self) -> list[int]:
        """How many candidates every told iteration has, by number."""
        query = (
            "SELECT (SELECT count(*) FROM candidate c WHERE c.iteration = i.number) AS n"
            " FROM iteration i ORDER BY number"
        )
        return [row["n"] for row in self._rows(query)]

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
        values = dict(row)
        notes = json.loads(values.pop("notes", "{}"))  # runs of an earlier version have none
        return IterationRecord(**values, notes=notes, candidates=tuple(self._record(each) for each in candidates))

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
