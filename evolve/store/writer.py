"""The one writer of `run.db`: every told iteration is one transaction, committed before it is announced."""

import json
import os
import socket
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Any

from evolve.errors import EvolveEnvironmentError, ResumableError, UsageError
from evolve.store.calls import insert_call
from evolve.store.control import CONTROL_NAME, SessionKey, forget_requests
from evolve.store.lock import LOCK_NAME, refuse_network_filesystem, take_lock
from evolve.store.pulse import Pulse, write_pulse
from evolve.store.records import CallRecord, CandidateRecord, IterationRecord, pack_files, source_hash
from evolve.store.schema import (
    DATABASE_NAME,
    SCHEMA_VERSION,
    bring_up_to_date,
    connect_writer,
    create_tables,
    holds_tables,
    require_version,
)


class RunWriter:
    """Appends to a run. At most one exists for a run at any time (a lock file holds that)."""

    def __init__(self, run_dir: Path, *, durability: str = "full") -> None:
        self.run_dir = run_dir
        self._lock = take_lock(run_dir)
        try:
            self._connection = connect_writer(run_dir / DATABASE_NAME, durability=durability)
        except sqlite3.Error as error:
            self._lock.close()
            raise EvolveEnvironmentError(f"cannot open {run_dir / DATABASE_NAME}: {error}") from error
        self._session = 0
        self.session_key: SessionKey | None = None

    @classmethod
    def create(
        cls, run_dir: Path, meta: Mapping[str, Any], *, durability: str = "full", network_fs_allowed: bool = False
    ) -> "RunWriter":
        """Make a new run in an empty or missing folder; `meta` is what resume needs to know.

        Raises:
            UsageError: the folder already holds a run.
            EvolveEnvironmentError: the folder cannot be made or written, or is on a network filesystem.
        """
        if holds_tables(run_dir / DATABASE_NAME):
            raise UsageError(f"{run_dir} already holds a run: continue it with `evolve resume {quote(str(run_dir))}`")
        try:
            run_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EvolveEnvironmentError(f"cannot make the run directory {run_dir}: {error.strerror}") from error
        if not network_fs_allowed:
            refuse_network_filesystem(run_dir)
        writer = cls(run_dir, durability=durability)
        try:
            writer._create_tables(meta)
        except BaseException:
            writer.close()
            raise
        return writer

    @classmethod
    def open(cls, run_dir: Path, *, durability: str = "full") -> "RunWriter":
        """Open an existing run for writing; one of an earlier schema version is brought up to date.

        Raises:
            UsageError: there is no run in the folder, or it was written by another schema version.
            EvolveEnvironmentError: another controller holds it.
        """
        if not (run_dir / DATABASE_NAME).exists():
            raise UsageError(f"no run in {run_dir} (expected a file {DATABASE_NAME} there); `evolve ls` lists the runs")
        writer = cls(run_dir, durability=durability)
        try:
            version = writer._number("PRAGMA user_version")
            require_version(run_dir, version)
            if version != SCHEMA_VERSION:
                with writer._transaction() as connection:
                    bring_up_to_date(connection, version)
        except BaseException:
            writer.close()
            raise
        return writer

    def is_empty(self) -> bool:
        """Whether nothing has been told yet: such a run may be discarded."""
        return self._number("SELECT count(*) FROM iteration") == 0

    def _number(self, query: str) -> int:
        try:
            return int(self._connection.execute(query).fetchone()[0])
        except sqlite3.DatabaseError as error:
            raise EvolveEnvironmentError(f"cannot read {self.run_dir / DATABASE_NAME}: {error}") from error

    def _create_tables(self, meta: Mapping[str, Any]) -> None:
        with self._transaction() as connection:
            create_tables(connection)
            rows = [(key, json.dumps(value)) for key, value in meta.items()]
            connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self._number("PRAGMA wal_checkpoint(TRUNCATE)")  # the file alone, without its -wal, is a run from now on

    def failures_by_type(self) -> dict[str, int]:
        """How many evaluations failed in which way."""
        query = "SELECT failure, count(*) FROM candidate WHERE failure IS NOT NULL GROUP BY failure ORDER BY failure"
        return {str(failure): int(n) for failure, n in self._connection.execute(query)}

    def start_session(self) -> None:
        """Record that this process now controls the run; what was asked of an earlier one is forgotten."""
        forget_requests(self.run_dir)
        with self._transaction() as connection:
            now = _now()
            cursor = connection.execute(
                "INSERT INTO session (pid, host, started, heartbeat, seconds) VALUES (?, ?, ?, ?, 0)",
                (os.getpid(), socket.gethostname(), now, now),
            )
            self._session = cursor.lastrowid or 0
        self.session_key = SessionKey(id=self._session, started=now)

    def heartbeat(self, seconds: float, pulse: Pulse | None = None) -> None:
        """Say that the controller lives; `seconds` is the wall time of this session so far."""
        with self._transaction() as connection:
            self._beat(connection, seconds, pulse)

    def end_session(self, seconds: float, stopped_by: str, pulse: Pulse | None = None) -> None:
        """Record why this session ended, and the state that it left."""
        with self._transaction() as connection:
            self._beat(connection, seconds)
            if pulse is not None:
                write_pulse(connection, pulse, at=_now(), is_last=True)
            connection.execute(
                "UPDATE session SET stopped_by = ?, paused = 0 WHERE id = ?", (stopped_by, self._session)
            )
        forget_requests(self.run_dir)

    def set_meta(self, key: str, value: object) -> None:
        """Write or replace one entry of the run's meta table."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def record_call(self, call: CallRecord, *, prompt: Mapping[str, Any] | None = None) -> None:
        """Write one request to a language model, at once: what it cost is spent, whatever becomes of its iteration.

        Args:
            call: the request.
            prompt: what was asked, as JSON data, if it is to be kept; equal prompts are kept once.

        Raises:
            ResumableError: the disk is full or gone; nothing of this call was written.
        """
        with self._transaction() as connection:
            insert_call(connection, call, at=_now(), prompt=prompt)

    def append(
        self,
        iterations: Iterable[IterationRecord],
        *,
        elites: Iterable[tuple[int, int, list[int]]] = (),
        curve: Iterable[tuple[int, float, float, int]] = (),
        events: Iterable[tuple[str, Mapping[str, Any]]] = (),
        seconds: float = 0.0,
        pulse: Pulse | None = None,
    ) -> None:
        """Append told iterations in one transaction; on return they are on disk.

        `elites` gives (island, cell, ids in rank order) for the cells that changed, `curve` rows of best-so-far
        (evaluations, seconds, score, candidate id), `pulse` the state of the run if it is time to write it.

        Raises:
            ResumableError: the disk is full or gone; nothing of this call was written.
        """
        with self._transaction() as connection:
            for record in iterations:
                self._insert_iteration(connection, record)
            for island, cell, ids in elites:
                connection.execute("DELETE FROM elite WHERE island = ? AND cell = ?", (island, cell))
                rows = [(island, cell, rank, identifier) for rank, identifier in enumerate(ids)]
                connection.executemany("INSERT INTO elite VALUES (?, ?, ?, ?)", rows)
            connection.executemany("INSERT OR REPLACE INTO curve VALUES (?, ?, ?, ?)", list(curve))
            now = _now()
            connection.executemany(
                "INSERT INTO event (at, kind, data) VALUES (?, ?, ?)",
                [(now, kind, json.dumps(data)) for kind, data in events],
            )
            self._beat(connection, seconds, pulse)

    def _beat(self, connection: sqlite3.Connection, seconds: float, pulse: Pulse | None = None) -> None:
        now = _now()
        connection.execute("UPDATE session SET heartbeat = ?, seconds = ? WHERE id = ?", (now, seconds, self._session))
        if pulse is not None:
            write_pulse(connection, pulse, at=now)
            connection.execute("UPDATE session SET paused = ? WHERE id = ?", (int(pulse.paused), self._session))

    @staticmethod
    def _insert_iteration(connection: sqlite3.Connection, record: IterationRecord) -> None:
        connection.execute(
            "INSERT INTO iteration VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.number,
                record.operator,
                record.island,
                record.cost,
                record.reward,
                record.seconds,
                record.n_duplicates,
                json.dumps(dict(record.notes)),
            ),
        )
        for row in record.candidates:
            _insert_candidate(connection, row)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            self._roll_back()
            if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError):
                raise  # our own mistake, not the disk's
            raise ResumableError(
                f"cannot write {self.run_dir / DATABASE_NAME}: {error}; nothing acknowledged is lost: "
                f"free space or repair the disk, then `evolve resume {quote(str(self.run_dir))}`"
            ) from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def discard(self, *, folders: Sequence[Path] = ()) -> None:
        """Remove a run that never began, and those of these folders that are empty then, one after the other."""
        self._connection.close()
        for name in (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm", CONTROL_NAME, LOCK_NAME):
            (self.run_dir / name).unlink(missing_ok=True)
        with suppress(OSError):  # one that holds something: what lies above it does too
            for folder in folders:
                folder.rmdir()

    def close(self) -> None:
        """Close the database and release the lock."""
        self._connection.close()
        self._lock.close()


def _insert_candidate(connection: sqlite3.Connection, row: CandidateRecord) -> None:
    candidate, evaluation = row.candidate, row.evaluation
    digest = source_hash(candidate.files)
    connection.execute("INSERT OR IGNORE INTO source VALUES (?, ?)", (digest, pack_files(candidate.files)))
    values = (
        candidate.id,
        candidate.iteration,
        digest,
        candidate.fingerprint,
        candidate.operator,
        row.island,
        candidate.generation,
        row.status,
        row.cell,
        evaluation.score,
        evaluation.failure,
        evaluation.detail,
        evaluation.stage,
        json.dumps(dict(evaluation.metrics)),
        json.dumps(dict(evaluation.descriptor)),
        json.dumps(dict(evaluation.artifacts)),
        evaluation.seconds,
        evaluation.level,
    )
    connection.execute(f"INSERT INTO candidate VALUES ({','.join('?' * len(values))})", values)  # noqa: S608 (marks)
    connection.executemany(
        "INSERT INTO parent VALUES (?, ?, ?)",
        [(candidate.id, parent, ordinal) for ordinal, parent in enumerate(candidate.parent_ids)],
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
