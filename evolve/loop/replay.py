"""Replay: fold the log again and see whether it gives the archive that the run left."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evolve.config.problem import Problem
from evolve.loop.events import RunOptions
from evolve.loop.journal import elite_cells
from evolve.loop.search import Search
from evolve.loop.setup import Approach, build_search
from evolve.loop.told import Plan, Told
from evolve.store import RunReader


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """What a replay gave. `recorded_hash` is None for a run that crashed; `equal` then compares elite tables."""

    archive_hash: str
    recorded_hash: str | None
    equal: bool
    evaluations: int
    elites: int
    first_difference: str


def fold_log(search: Search, reader: RunReader, *, window: int) -> tuple[list[Plan], str]:
    """Tell a fresh search everything in the log.

    Iteration `n` is planned when `n - window` has been told, here as in the run: plans of recorded iterations are
    noted, those that were in flight when the log ended are made again from the same state.

    Returns:
        The plans to go on with, and the first difference from what was recorded, or "".
    """
    operators = reader.iteration_operators()
    plans: list[Plan] = []
    planned = 1
    difference = ""
    for record in reader.iterations():
        again = search.tell(Told.from_record(record))
        if not difference and again != record:
            difference = f"iteration {record.number} folds to something else than was recorded"
        while planned <= search.last_told + window:
            if planned < len(operators):
                search.note_recorded_plan(operators[planned])
            else:
                plans.append(search.plan(planned))
            planned += 1
    return plans, difference


def approach_of(meta: Mapping[str, Any]) -> Approach:
    """How a recorded run searched; runs of an earlier version knew one way."""
    options = RunOptions.from_mapping(meta["options"])
    return Approach(models=tuple(meta.get("models", ())), strategy=options.strategy, symbolic=options.symbolic)


def replay_run(run_dir: Path) -> ReplayResult:
    """Fold the log of a run from nothing and compare; reads only, works on crashed runs too.

    Raises:
        UsageError: there is no run in the folder.
    """
    reader = RunReader(run_dir)
    meta = reader.meta()
    problem = Problem.from_json(meta["problem"])
    search = build_search(problem, meta["options"]["rng_seed"], approach_of(meta))
    _, difference = fold_log(search, reader, window=meta["options"]["window"])
    stored: dict[tuple[int, int], list[int]] = {}
    for island, cell, _, identifier in reader.elite_ids():
        stored.setdefault((island, cell), []).append(identifier)
    if not difference and stored != elite_cells(search):
        difference = "the elite table differs from the replayed archive"
    recorded = meta.get("archive_hash")
    archive_hash = search.islands.hash()
    finished = bool(reader.sessions()) and reader.sessions()[-1]["stopped_by"] is not None
    if not difference and finished and recorded != archive_hash:
        difference = "the archive hash differs from the recorded one"
    result = ReplayResult(
        archive_hash=archive_hash,
        recorded_hash=recorded if finished else None,
        equal=not difference,
        evaluations=search.n_evaluations,
        elites=search.islands.stats().n_elites,
        first_difference=difference,
    )
    reader.close()
    return result
