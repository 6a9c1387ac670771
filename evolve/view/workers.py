"""Who works on a run: sessions, worker processes, GPUs, and the machine as far as the run knows it."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from evolve.store.state import process_lives, run_state
from evolve.view.run import RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One controller that worked on the run. `state` is as of the whole run for the last one, else how it ended."""

    id: int
    pid: int
    host: str
    started: str
    seconds: float
    heartbeat: str
    heartbeat_age: float | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """The work force now. Numbers are None, lists empty, where the run does not tell.

    `states` are the workers one by one (`id`, `state`, `seconds`, …) and `gpus` the devices, as the pulse has them.
    """

    sessions: tuple[SessionRow, ...]
    workers: int | None
    in_flight: int | None
    lost: int | None
    window: int | None
    states: tuple[Mapping[str, Any], ...]
    gpus: tuple[Mapping[str, Any], ...]
    levels: Mapping[str, int]
    environment: Mapping[str, Any]


def workers(view: RunView, *, now: datetime | None = None) -> Workers:
    """Read the sessions and the last pulse."""
    moment = now or datetime.now(UTC)
    sessions = view.reader.sessions()
    pulse = view.reader.pulse()
    data: Mapping[str, Any] = pulse["data"] if pulse else {}
    asked = view.options.get("workers")
    return Workers(
        sessions=tuple(
            _session(sessions[: place + 1], moment, is_last=place == len(sessions) - 1)
            for place in range(len(sessions))
        ),
        workers=data.get("workers", asked),
        in_flight=data.get("in_flight"),
        lost=data.get("lost_workers"),
        window=view.options.get("window"),
        states=_mappings(data.get("worker_states")),
        gpus=_mappings(data.get("gpus")),
        levels=_levels(view),
        environment=view.meta.get("versions") or {},
    )


def _session(sessions: list[dict[str, Any]], now: datetime, *, is_last: bool) -> SessionRow:
    row = sessions[-1]
    state = run_state(sessions, now=now, host=socket.gethostname(), is_alive=process_lives if is_last else _nobody)
    try:
        age: float | None = max((now - datetime.fromisoformat(row["heartbeat"])).total_seconds(), 0.0)
    except (ValueError, TypeError):
        age = None
    values = {name: row[name] for name in ("id", "pid", "host", "started", "heartbeat", "seconds")}
    return SessionRow(**values, heartbeat_age=age, state=state)


def _nobody(pid: int, silent_seconds: float) -> bool:
    """Earlier sessions are over, whoever has their number now."""
    del pid, silent_seconds
    return False


def _mappings(value: object) -> tuple[Mapping[str, Any], ...]:
    return tuple(each for each in value if isinstance(each, Mapping)) if isinstance(value, list) else ()


def _levels(view: RunView) -> dict[str, int]:
    """How the newest candidates were confined: all of a session are judged alike."""
    if not view.has("candidate", "level"):
        return {}
    query = "SELECT level, count(*) AS n FROM (SELECT level FROM candidate ORDER BY id DESC LIMIT 1000) GROUP BY 1"
    return {row["level"]: row["n"] for row in view.rows(query) if row["level"]}
