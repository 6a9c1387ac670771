"""What happened in a run, in order: events, and the starts and ends of sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from json import loads
from typing import Any

from evolve.store.state import current_state
from evolve.view.durations import format_duration
from evolve.view.happenings import described
from evolve.view.run import RunView

NEWEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One happening. `at` is UTC in ISO form, `candidate` whom it is about, `text` what to say of it, safe to show."""

    at: str
    kind: str
    text: str
    candidate: int | None
    data: Mapping[str, Any]


def happenings(view: RunView, *, newest: int = NEWEST, text: str = "") -> list[LogLine]:
    """The newest happenings, oldest of them first; with a `text` only those that hold it."""
    lines = [*_events(view, newest, text), *_sessions(view)]
    wanted = text.lower()
    chosen = [line for line in lines if wanted in f"{line.kind} {line.text}".lower()]
    return sorted(chosen, key=lambda line: line.at)[-newest:]


def _events(view: RunView, newest: int, text: str) -> list[LogLine]:
    # What is told to people is made of the data, so a text cannot be looked for in the table: read more instead.
    limit = newest if not text else newest * 20
    rows = view.rows("SELECT at, kind, data FROM event ORDER BY id DESC LIMIT ?", limit)
    return [_line(row["at"], row["kind"], loads(row["data"])) for row in reversed(rows)]


def _line(at: str, kind: str, data: Mapping[str, Any]) -> LogLine:
    identifier = data.get("id")
    text = described(kind, data).removeprefix(kind).strip()
    is_number = isinstance(identifier, int) and not isinstance(identifier, bool)
    return LogLine(at=at, kind=kind, text=text, candidate=identifier if is_number else None, data=data)


def _sessions(view: RunView) -> list[LogLine]:
    lines = []
    sessions = view.reader.sessions()
    for place, session in enumerate(sessions):
        where = f"process {session['pid']} on {session['host']}"
        lines.append(_of_session(session["started"], "session", f"{session['id']} began: {where}"))
        is_last = place == len(sessions) - 1
        state = current_state(sessions) if is_last else "stopped"
        if session["stopped_by"] is None and state in ("running", "paused"):
            continue
        ended = f"ended: {session['stopped_by']}" if session["stopped_by"] else "ended without a word (crashed)"
        text = f"{session['id']} {ended} after {format_duration(session['seconds'])}"
        lines.append(_of_session(session["heartbeat"], "session", text))
    return lines


def _of_session(at: str, kind: str, text: str) -> LogLine:
    return LogLine(at=at, kind=kind, text=text, candidate=None, data={})
