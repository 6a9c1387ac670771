"""Numbers for whoever watches: how far the search is, how fast, and how much is left."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from archive.elites import GridArchive
from evolve.loop.budget import Budget
from evolve.loop.events import Event
from evolve.loop.search import Search
from evolve.store import CallTotals


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Signs of life of a session; `session_seconds` is its own wall time, `seconds` that of the whole run.

    While it is `paused` nothing new begins, and both stand still. `worker_states` says what every worker does, as far
    as the executor can tell, and `gpus` how full the graphics cards are.
    """

    in_flight: int
    workers: int
    lost_workers: int
    session_seconds: float
    seconds: float
    paused: bool = False
    worker_states: Sequence[Mapping[str, Any]] = field(default_factory=list)
    gpus: Sequence[Mapping[str, Any]] = field(default_factory=list)


def progress_event(
    search: Search,
    budget: Budget,
    vitals: Vitals,
    calls: CallTotals | None = None,
    *,
    failures: Mapping[str, int] | None = None,
) -> Event:
    """The state of the search as one event.

    `calls` are the totals of language models if the run has any, `failures` counts failed evaluations by type.
    """
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
        "failures_by_type": dict(sorted((failures or {}).items())),
        "duplicates": search.n_duplicates,
        **asdict(vitals),
        "evaluations_left": None if budget.evaluations is None else max(budget.evaluations - search.n_evaluations, 0),
        "seconds_left": None if budget.seconds is None else max(budget.seconds - vitals.seconds, 0.0),
        "target": budget.target,
        "operators": search.bandit.to_mapping(),
        "models": None if calls is None else calls.to_mapping(),
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
    bests = np.maximum.reduce([island.best_scores() for island in search.islands.archives])
    line = bests.reshape(axis.n_positions, -1).max(axis=1).tolist()
    return {"map_axis": axis.name, "map_line": [None if score == -np.inf else score for score in line]}
