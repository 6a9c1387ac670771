"""What became of a run over time: its best score, and the pulses that the controller left."""

from collections.abc import Sequence
from dataclasses import dataclass
from json import loads
from typing import Any, TypeVar

from evolve.view.run import RunView

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One improvement of the best score: after how many evaluations and seconds, by which candidate."""

    evaluations: int
    seconds: float
    score: float
    candidate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PulsePoint:
    """The state of a run at one moment of its wall time."""

    seconds: float
    evaluations: int
    elites: int
    coverage: float | None
    qd_score: float | None
    best_score: float | None
    cost_usd: float | None
    in_flight: int
    workers: int


def curve(view: RunView, *, max_points: int = 2000) -> list[CurvePoint]:
    """The improvements, oldest first; thinned evenly where there are many, the first and the last always kept."""
    rows = view.rows("SELECT evaluations, seconds, score, candidate FROM curve ORDER BY evaluations")
    return [CurvePoint(**dict(row)) for row in thinned(rows, max_points)]


def pulses(view: RunView, *, max_points: int = 400) -> list[PulsePoint]:
    """The history of a run's state, oldest first; none in runs of an earlier version."""
    if not view.has("pulse"):
        return []
    ids = thinned([row["id"] for row in view.rows("SELECT id FROM pulse WHERE id > 0 ORDER BY id")], max_points)
    marks = ",".join("?" * len(ids))
    rows = view.rows(f"SELECT seconds, data FROM pulse WHERE id IN ({marks}) ORDER BY id", *ids)  # noqa: S608 (marks)
    return [_point(row) for row in rows]


def newest_pulses(view: RunView, n: int) -> list[PulsePoint]:
    """The last `n` points of the history, oldest first."""
    if not view.has("pulse"):
        return []
    rows = view.rows("SELECT seconds, data FROM pulse WHERE id > 0 ORDER BY id DESC LIMIT ?", n)
    return [_point(row) for row in reversed(rows)]


def thinned(items: Sequence[Item], most: int) -> list[Item]:
    """At most `most` of the items, evenly spread, with the first and the last."""
    if len(items) <= most:
        return list(items)
    step = (len(items) - 1) / (most - 1)
    return [items[round(place * step)] for place in range(most)]


def _point(row: Any) -> PulsePoint:
    data = loads(row["data"])
    models = data.get("models")
    return PulsePoint(
        seconds=float(row["seconds"]),
        evaluations=int(data.get("evaluations") or 0),
        elites=int(data.get("elites") or 0),
        coverage=data.get("coverage"),
        qd_score=data.get("qd_score"),
        best_score=data.get("best_score"),
        cost_usd=float(models.get("cost_usd") or 0.0) if isinstance(models, dict) else None,
        in_flight=int(data.get("in_flight") or 0),
        workers=int(data.get("workers") or 0),
    )
