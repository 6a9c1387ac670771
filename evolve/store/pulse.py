"""The pulse of a run in `run.db`: its state about once a second, and a history that stays small."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PULSE_TABLES = """
CREATE TABLE pulse (id INTEGER PRIMARY KEY, at TEXT NOT NULL, seconds REAL NOT NULL, data TEXT NOT NULL) STRICT;
"""
LATEST = 0
"""The row that each pulse rewrites; those above it are history."""
SHORTEST_STEP_SECONDS = 1.0
STEPS_TO_NOW = 512
"""History has a row when the run has aged by 1/512 since the last one: some 2,900 rows in a day, 5,900 in a year."""

NOW_ONLY = ("worker_states", "gpus", "map_axis", "map_line")
"""What is long and of no use later: history goes without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The state of a run at one moment: `seconds` is the wall time of the whole run, `data` that of a progress event.

    `paused` says that nothing new is begun.
    """

    seconds: float
    data: Mapping[str, Any]
    paused: bool = False


def write_pulse(connection: sqlite3.Connection, pulse: Pulse, *, at: str, is_last: bool = False) -> None:
    """Replace the latest pulse and add one to the history when it is time, or the session's last; in a transaction."""
    row = (at, pulse.seconds, _json_of(pulse.data))
    connection.execute("INSERT OR REPLACE INTO pulse VALUES (?, ?, ?, ?)", (LATEST, *row))
    last = connection.execute("SELECT id, seconds FROM pulse ORDER BY id DESC LIMIT 1").fetchone()
    if last[0] == LATEST or _is_due(pulse.seconds - last[1], pulse.seconds, is_last=is_last):
        kept = {name: value for name, value in pulse.data.items() if name not in NOW_ONLY}
        connection.execute("INSERT INTO pulse (at, seconds, data) VALUES (?, ?, ?)", (*row[:2], _json_of(kept)))


def _is_due(passed: float, seconds: float, *, is_last: bool) -> bool:
    if is_last:
        return passed > 0.0
    return passed >= max(SHORTEST_STEP_SECONDS, seconds / STEPS_TO_NOW)


def _json_of(data: Mapping[str, Any]) -> str:
    try:
        return json.dumps(data, allow_nan=False)
    except ValueError:  # JSON has no word for NaN and infinity
        return json.dumps(json.loads(json.dumps(data), parse_constant=lambda _: None))
