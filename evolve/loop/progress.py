"""Numbers for whoever watches: how far the search is, how fast, and how much is left."""

from dataclasses import asdict, dataclass
from typing import Any

from archive.elites import GridArchive
from evolve.loop.budget import Budget
from evolve.loop.events import Event
from evolve.loop.search import Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Signs of life of a session; `session_seconds` is its own wall time, `seconds` that of the whole run."""

    in_flight: int
    workers: int
    lost_workers: int
    session_seconds: float
    seconds: float


def progress_event(search: Search, budget: Budget, vitals: Vitals) -> Event:
    """The state of the search as one event."""
    stats = search.islands.stats()
    best = search.best
    data: dict[str, Any] = {
        "evaluations": search.n_evaluations,
        "iterations": search.last_told,
        "elites": stats.n_elites,
        "coverage": stats.coverage,
        "qd_score": stats.qd_score,
        "best_score": search.best_score,
        "best_id": None if best is None else best.candidate.id,
        "failures": search.n_failures,
        "duplicates": search.n_duplicates,
        **asdict(vitals),
        "evaluations_left": None if budget.evaluations is None else max(budget.evaluations - search.n_evaluations, 0),
        "seconds_left": None if budget.seconds is None else max(budget.seconds - vitals.seconds, 0.0),
        "target": budget.target,
        "operators": search.bandit.to_mapping(),
        **map_line(search),
    }
    return Event(kind="progress", data=data)


def map_line(search: Search) -> dict[str, Any]:
    """The archive seen along its first axis: the best score of each cell, None where nobody lives.

    An archive without a grid (centroids) has no such line: it is empty.
    """
    archive = search.islands[0]
    if not isinstance(archive, GridArchive):
        return {"map_axis": "", "map_line": []}
    axis = archive.axes[0]
    line: list[float | None] = [None] * axis.n_positions
    cells_per_value = archive.n_cells // axis.n_positions
    for island in search.islands.archives:
        for cell in island.occupied().tolist():
            score, held = island.elites_in(cell)[0].score, line[cell // cells_per_value]
            line[cell // cells_per_value] = score if held is None else max(score, held)
    return {"map_axis": axis.name, "map_line": line}
