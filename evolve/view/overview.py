"""How a run stands: its state, what it has reached, how fast it goes and what is left of its budget."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from evolve.store.state import GOING, current_state
from evolve.view.history import PulsePoint, newest_pulses
from evolve.view.run import RunView
from evolve.view.shape import archive_shape

FEW = 200_000
"""Up to so many candidates a run without a pulse is counted whole; beyond, what must be counted stays unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of each budget; None where there is none."""

    evaluations: int | None = None
    seconds: float | None = None
    usd: float | None = None
    tokens: int | None = None
    target: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The state of a run at one moment.

    `state` is in words (`stopped (time)`), `state_word` its first. `spent` gives the share of each budget that is gone,
    in [0, 1]. What a run of an earlier version did not record is None, and `has_pulse` is false.
    """

    state: str
    state_word: str
    problem_name: str
    title: str
    language: str
    created: str
    evaluations: int
    iterations: int
    failures: int | None
    duplicates: int | None
    elites: int
    coverage: float | None
    qd_score: float | None
    n_cells: int | None
    best_id: int | None
    best_score: float | None
    best_operator: str
    best_metrics: Mapping[str, Any]
    best_at: float | None
    seconds: float
    per_second: float | None
    in_flight: int | None
    workers: int | None
    lost_workers: int | None
    left: Left
    spent: Mapping[str, float]
    calls: Mapping[str, Any] | None
    heartbeat_age: float | None
    has_pulse: bool

    @property
    def is_going(self) -> bool:
        """Whether a process may still be working on the run."""
        return self.state_word in GOING


def stamp(view: RunView) -> tuple[object, ...]:
    """Changes whenever the run has changed; asks for a handful of rows only."""
    sessions = view.rows("SELECT * FROM session ORDER BY id DESC LIMIT 1")
    session = tuple(sessions[0]) if sessions else ()
    pulse = tuple(view.rows("SELECT at FROM pulse WHERE id = 0")[0]) if _has_pulse(view) else ()
    calls = view.number("SELECT max(id) FROM call") if view.has("call") else 0
    return (view.last_candidate(), view.number("SELECT max(id) FROM event"), calls, *session, *pulse)


def overview(view: RunView, *, now: datetime | None = None) -> Overview:
    """Answer it all; without a pulse some of it is counted from the tables, if the run is small enough."""
    sessions = view.reader.sessions()
    pulse = view.reader.pulse() if _has_pulse(view) else None
    counted = _counted(view) if pulse is None else _pulsed(view, pulse)
    state = current_state(sessions)
    best = view.rows("SELECT * FROM candidate WHERE score IS NOT NULL ORDER BY score DESC, id LIMIT 1")
    seconds = sum(float(each["seconds"]) for each in sessions)
    left = _left(view, counted, seconds)
    return Overview(
        state=state,
        state_word=state.split()[0],
        problem_name=view.problem_name,
        title=view.title,
        language=view.language,
        created=str(view.meta.get("created") or (sessions[0]["started"] if sessions else "")),
        best_id=best[0]["id"] if best else None,
        best_score=best[0]["score"] if best else None,
        best_operator=best[0]["operator"] if best else "",
        best_metrics=_metrics(best[0]["metrics"]) if best else {},
        best_at=_found_at(view, best[0]["id"]) if best else None,
        seconds=seconds,
        per_second=_rate(view, counted["evaluations"], seconds),
        left=left,
        spent=_spent(counted, seconds, left),
        heartbeat_age=_age(sessions, now or datetime.now(UTC)),
        has_pulse=pulse is not None,
        **counted,
    )


def _has_pulse(view: RunView) -> bool:
    return view.has("pulse") and bool(view.rows("SELECT 1 FROM pulse WHERE id = 0"))


def _pulsed(view: RunView, pulse: Mapping[str, Any]) -> dict[str, Any]:
    data = pulse["data"]
    known = ("failures", "duplicates", "coverage", "qd_score", "in_flight", "workers", "lost_workers")
    return {
        **{name: data.get(name) for name in known},
        "evaluations": view.last_candidate(),
        "iterations": view.number("SELECT max(number) + 1 FROM iteration"),
        "elites": int(data.get("elites") or 0),
        "n_cells": _n_cells(view),
        "calls": data.get("models"),
    }


def _counted(view: RunView) -> dict[str, Any]:
    evaluations = view.last_candidate()
    is_small = evaluations <= FEW
    coverage, qd_score = _filled(view)
    calls = view.reader.call_totals() if view.has("call") else None
    return {
        "evaluations": evaluations,
        "iterations": view.number("SELECT max(number) + 1 FROM iteration"),
        "failures": view.number("SELECT count(*) FROM candidate WHERE failure IS NOT NULL") if is_small else None,
        "duplicates": view.number("SELECT sum(n_duplicates) FROM iteration") if is_small else None,
        "elites": view.number("SELECT count(*) FROM elite"),
        "coverage": coverage,
        "qd_score": qd_score,
        "n_cells": _n_cells(view),
        "in_flight": None,
        "workers": None,
        "lost_workers": None,
        "calls": None if calls is None or not calls.outcomes else calls.to_mapping(),
    }


def _n_cells(view: RunView) -> int | None:
    shape = archive_shape(view)
    return None if shape is None else shape.n_cells


def _filled(view: RunView) -> tuple[float | None, float | None]:
    """Coverage and QD score with the islands laid over each other, as the archive has them."""
    shape = archive_shape(view)
    if shape is None:
        return None, None
    row = view.rows(
        "SELECT count(*) AS n, total(score) AS score FROM (SELECT max(c.score) AS score FROM elite"
        " JOIN candidate AS c ON c.id = elite.candidate GROUP BY elite.cell)"
    )[0]
    coverage = row["n"] / shape.n_cells
    if row["score"] is None:  # scores that are infinite both ways add up to nothing
        return coverage, None
    return coverage, row["score"] - shape.qd_offset * row["n"]


def _metrics(text: str) -> dict[str, Any]:
    from json import loads

    found = loads(text)
    return found if isinstance(found, dict) else {}


def _found_at(view: RunView, identifier: int) -> float | None:
    rows = view.rows("SELECT seconds FROM curve WHERE candidate = ?", identifier)
    return float(rows[0]["seconds"]) if rows else None


def _rate(view: RunView, evaluations: int, seconds: float) -> float | None:
    """Over the last few history points where there are some, else over the whole run."""
    recent: list[PulsePoint] = newest_pulses(view, 12)
    if len(recent) > 1 and recent[-1].seconds > recent[0].seconds:
        return (recent[-1].evaluations - recent[0].evaluations) / (recent[-1].seconds - recent[0].seconds)
    return evaluations / seconds if seconds > 0 else None


def _left(view: RunView, counted: Mapping[str, Any], seconds: float) -> Left:
    options, calls = view.options, counted["calls"] or {}
    taken = {"evaluations": counted["evaluations"], "seconds": seconds}
    taken |= {"budget_usd": float(calls.get("cost_usd") or 0.0), "budget_tokens": int(calls.get("tokens") or 0)}
    rest = {
        name: None if options.get(name) is None else max(options[name] - amount, 0) for name, amount in taken.items()
    }
    return Left(
        evaluations=rest["evaluations"],
        seconds=rest["seconds"],
        usd=rest["budget_usd"],
        tokens=rest["budget_tokens"],
        target=options.get("target"),
    )


def _spent(counted: Mapping[str, Any], seconds: float, left: Left) -> dict[str, float]:
    calls = counted["calls"] or {}
    pairs = {
        "time": (seconds, left.seconds),
        "evaluations": (counted["evaluations"], left.evaluations),
        "USD": (float(calls.get("cost_usd") or 0.0), left.usd),
        "tokens": (int(calls.get("tokens") or 0), left.tokens),
    }
    return {
        name: min(taken / (taken + rest), 1.0)
        for name, (taken, rest) in pairs.items()
        if rest is not None and taken + rest > 0
    }


def _age(sessions: list[dict[str, Any]], now: datetime) -> float | None:
    if not sessions:
        return None
    try:
        return max((now - datetime.fromisoformat(sessions[-1]["heartbeat"])).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
