"""The tables of `run.db` and the settings of its connections."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from evaluators.contract import INTERPRETER
from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.store.calls import CALL_TABLES
from evolve.store.pulse import PULSE_TABLES
from sandbox.layers import Level

SCHEMA_VERSION = 4
UNSTAMPED_VERSION = 1  # candidates have no level of isolation: they had none but WEAK then
SPEECHLESS_VERSION = 2  # no language models: iterations have no notes, and there are no calls
PULSELESS_VERSION = 3  # the state of a run was told to its own terminal only, and a session could not be paused
KNOWN_VERSIONS = (UNSTAMPED_VERSION, SPEECHLESS_VERSION, PULSELESS_VERSION, SCHEMA_VERSION)
DATABASE_NAME = "run.db"

INDEXES = """
CREATE INDEX candidate_failure ON candidate (failure, id) WHERE failure IS NOT NULL;
CREATE INDEX candidate_operator ON candidate (operator, id);
CREATE INDEX iteration_operator ON iteration (operator, number);
"""
"""What the edges look up, besides the indexes that the loop itself needs."""

TABLES = (
    """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE source (hash TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE iteration (
  number INTEGER PRIMARY KEY, operator TEXT NOT NULL, island INTEGER NOT NULL, cost REAL NOT NULL,
  reward REAL NOT NULL, seconds REAL NOT NULL, n_duplicates INTEGER NOT NULL,
  notes TEXT NOT NULL DEFAULT '{}') STRICT;
CREATE TABLE candidate (
  id INTEGER PRIMARY KEY, iteration INTEGER NOT NULL REFERENCES iteration, source TEXT NOT NULL REFERENCES source,
  fingerprint TEXT NOT NULL, operator TEXT NOT NULL, island INTEGER NOT NULL, generation INTEGER NOT NULL,
  status TEXT NOT NULL, cell INTEGER, score REAL, failure TEXT, detail TEXT NOT NULL, stage TEXT NOT NULL,
  metrics TEXT NOT NULL, descriptor TEXT NOT NULL, artifacts TEXT NOT NULL, seconds REAL NOT NULL,
  level TEXT NOT NULL) STRICT;
CREATE INDEX candidate_score ON candidate (score DESC, id) WHERE score IS NOT NULL;
CREATE INDEX candidate_iteration ON candidate (iteration);
CREATE TABLE parent (
  candidate INTEGER NOT NULL REFERENCES candidate, parent INTEGER NOT NULL REFERENCES candidate,
  ordinal INTEGER NOT NULL, PRIMARY KEY (candidate, ordinal)) STRICT, WITHOUT ROWID;
CREATE INDEX parent_children ON parent (parent);
CREATE TABLE elite (
  island INTEGER NOT NULL, cell INTEGER NOT NULL, rank INTEGER NOT NULL,
  candidate INTEGER NOT NULL REFERENCES candidate,
  PRIMARY KEY (island, cell, rank)) STRICT, WITHOUT ROWID;
CREATE TABLE curve (
  evaluations INTEGER PRIMARY KEY, seconds REAL NOT NULL, score REAL NOT NULL,
  candidate INTEGER NOT NULL REFERENCES candidate) STRICT;
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL) STRICT;
CREATE TABLE session (
  id INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER NOT NULL, host TEXT NOT NULL, started TEXT NOT NULL,
  heartbeat TEXT NOT NULL, seconds REAL NOT NULL, stopped_by TEXT, paused INTEGER NOT NULL DEFAULT 0) STRICT;
"""
    + CALL_TABLES
    + PULSE_TABLES
    + INDEXES
)


def connect_writer(path: Path, *, durability: str) -> sqlite3.Connection:
    """Open the one read-write connection. `durability` is `full` (survives power loss) or `fast` (survives kill -9)."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={'FULL' if durability == 'full' else 'NORMAL'}")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open a read-only connection that works on running, finished and crashed runs."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    if _is_at_rest(path):
        uri += "&immutable=1"  # else SQLite wants to make files beside it
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)
    connection.row_factory = sqlite3.Row
    return connection


def _is_at_rest(path: Path) -> bool:
    """Whether nobody has the database open, and we cannot write beside it: a run in an archive, or of somebody else."""
    beside = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm"))
    return not os.access(path.parent, os.W_OK) and not any(each.exists() for each in beside)


def holds_tables(path: Path) -> bool:
    """Whether there is a database with something in it; one without tables belongs to a run killed at its birth.

    Raises:
        EvolveEnvironmentError: the file cannot be read as a database.
    """
    if not path.exists():
        return False
    try:
        with closing(connect_reader(path)) as connection:
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.Error as error:
        raise EvolveEnvironmentError(f"cannot read {path}: {error}") from error


def level_before_stamps(connection: sqlite3.Connection) -> str:
    """What the candidates of a run of `UNSTAMPED_VERSION` were judged at."""
    query = "SELECT json_extract(value, '$.tables.problem.language') FROM meta WHERE key = 'problem'"
    row = connection.execute(query).fetchone()
    return INTERPRETER if row is not None and row[0] == "symbolic" else Level.WEAK.value


def bring_up_to_date(connection: sqlite3.Connection, version: int) -> None:
    """Turn a database of an earlier version into one of this version; to be called in a transaction."""
    if version == UNSTAMPED_VERSION:
        level = level_before_stamps(connection)
        connection.execute(f"ALTER TABLE candidate ADD COLUMN level TEXT NOT NULL DEFAULT '{level}'")
    if version <= SPEECHLESS_VERSION:
        connection.execute("ALTER TABLE iteration ADD COLUMN notes TEXT NOT NULL DEFAULT '{}'")
        create_tables(connection, CALL_TABLES)
    if version <= PULSELESS_VERSION:
        connection.execute("ALTER TABLE session ADD COLUMN paused INTEGER NOT NULL DEFAULT 0")
        create_tables(connection, PULSE_TABLES + INDEXES)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def create_tables(connection: sqlite3.Connection, tables: str = TABLES) -> None:
    """Create tables one by one: `executescript` would end the transaction."""
    for statement in tables.split(";"):
        if statement.strip():
            connection.execute(statement)


def require_version(run_dir: Path, version: int) -> None:
    """Refuse a database of another schema; earlier versions can be read, and a writer brings them up to date.

    Raises:
        UsageError: this program cannot use it.
    """
    if version == 0:
        raise UsageError(
            f"no run in {run_dir}: it was killed before it began; start it again with `evolve run --run-dir {run_dir}`"
        )
    if version not in KNOWN_VERSIONS:
        raise UsageError(
            f"{run_dir} has schema version {version}, this program knows {UNSTAMPED_VERSION} to {SCHEMA_VERSION}: "
            "use the version that made it"
        )
