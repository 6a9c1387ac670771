"""A small run with everything that people look at: kept, rejected, failed and hostile candidates, calls, events."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.store import CallRecord, CandidateRecord, IterationRecord, Pulse, RunWriter

HOSTILE = "\x1b]0;owned\x07\x1b[31mred\x9b2J\rover\u202eevil[/bold][red]markup"
GRID: Mapping[str, Any] = {
    "kind": "grid",
    "cell": "best",
    "qd_offset": 0.0,
    "axes": [
        {"name": "operations", "kind": "linear", "low": -0.5, "high": 5.5, "cells": 6, "out_of_range": "clip"},
        {"name": "depth", "kind": "linear", "low": -0.5, "high": 3.5, "cells": 4, "out_of_range": "clip"},
    ],
}
CVT: Mapping[str, Any] = {**GRID, "kind": "cvt", "centroids": 50}
WHEN = "2026-01-02T03:04:05.000+00:00"
PICTURE = json.dumps({"kind": "circles", "circles": [[0.5, 0.5, 0.4]], "title": "one circle"})


def candidate(number: int, **changes: Any) -> CandidateRecord:
    """Candidate `number` of iteration `number - 1`; changes are of `score`, `place`, `parents`, `operator`, …."""
    given = {"score": None, "place": (0, 0), "parents": (), "operator": "mutate", "detail": "", "status": "new"}
    made = {**given, "source": f"def f(x):\n    return x * {number}.0\n", "artifacts": {}, **changes}
    score, (operations, depth) = made["score"], made["place"]
    descriptor = {"operations": float(operations), "depth": float(depth)}
    if score is None:
        evaluation = Evaluation(failure=Failure.EXCEPTION, detail=made["detail"], stage="full", level="STRONG")
    else:
        metrics = {**descriptor, "max_relative_error": 10.0**-score}
        evaluation = Evaluation(score=score, metrics=metrics, descriptor=descriptor, seconds=0.25, level="STRONG")
    evaluation = replace(evaluation, artifacts=made["artifacts"])
    return CandidateRecord(
        candidate=Candidate(
            id=number,
            files={"seed.py": made["source"]},
            fingerprint=f"f{number}",
            parent_ids=made["parents"],
            operator=made["operator"],
            generation=made.get("generation", len(made["parents"])),
            iteration=number - 1,
            metrics=dict(evaluation.metrics),
        ),
        evaluation=evaluation,
        island=0,
        status="failed" if score is None else made["status"],
        cell=None if score is None else operations * 4 + depth,
    )


CANDIDATES = (
    candidate(1, score=0.5, place=(0, 0), operator="seed"),
    candidate(2, parents=(1,), detail=f"Traceback\nValueError: bad {HOSTILE}", source=f"# {HOSTILE}\ndef f(x):\n"),
    candidate(3, score=2.0, place=(2, 1), parents=(1,), operator="diff@model"),
    candidate(
        4, score=4.5, place=(4, 2), parents=(3, 1), operator="crossover", generation=2, artifacts={"picture": PICTURE}
    ),
    candidate(5, score=1.0, place=(2, 1), parents=(3,), generation=2, status="rejected"),
    candidate(6, parents=(4,), detail="TimeoutError: no answer after 10.5 s"),
    candidate(7, parents=(4,), detail="TimeoutError: no answer after 11 s", operator="crossover"),
    candidate(8, score=3.25, place=(5, 3), parents=(4,), generation=3, source="def f(x):\n    return [x] # [red]\n"),
)  # fmt: skip
CALL = CallRecord(
    iteration=2, ordinal=0, attempt=0, purpose="code", model="model", prompt_hash="h", outcome="ok",
    text=f"Here it is {HOSTILE}", input_tokens=1200, output_tokens=80, cost_usd=0.0125, seconds=2.0, is_final=True,
)  # fmt: skip
PROMPT = {"system": ["You discover algorithms."], "turns": [{"role": "user", "text": f"Improve this {HOSTILE}"}]}
ARMS = {
    "mutate": {"probability": 0.75, "rate": 1.5, "pending": 1},
    "crossover": {"probability": 0.25, "rate": 0.5, "pending": 0},
}


def write_run(
    run_dir: Path,
    candidates: tuple[CandidateRecord, ...] = CANDIDATES,
    *,
    archive: Mapping[str, Any] = GRID,
    stopped_by: str | None = "time",
    is_going: bool = False,
) -> Path:
    """Write these candidates as a run, one an iteration, with times that do not depend on the clock.

    With `is_going` this very process counts as its controller.
    """
    problem = {"name": "toy", "title": "A toy with circles", "language": "python", "statement": "", "score": "digits"}
    meta = {
        "problem": {"tables": {"problem": problem, "archive": dict(archive)}, "baselines": {}},
        "options": {"rng_seed": 0, "evaluations": 100, "workers": 2, "window": 4},
        "created": WHEN,
        "versions": {"python": "3.11"},
    }
    writer = RunWriter.create(run_dir, meta, durability="fast", network_fs_allowed=True)
    writer.start_session()
    best = None
    for row in candidates:
        if row.candidate.id == 3:
            writer.record_call(CALL, prompt=PROMPT)
        best = _append(writer, row, best)
    if stopped_by is not None and not is_going:
        writer.end_session(8.0, stopped_by, _pulse(len(candidates)))
    writer.close()
    if not is_going:
        _fix_times(run_dir / "run.db")
    return run_dir


def _append(writer: RunWriter, row: CandidateRecord, best: float | None) -> float | None:
    number, score = row.candidate.id, row.evaluation.score
    iteration = IterationRecord(
        number=row.candidate.iteration, operator=row.candidate.operator, island=0, cost=0.5,
        reward=1.0 if score is not None else 0.0, seconds=0.5, n_duplicates=1, candidates=(row,),
    )  # fmt: skip
    elites = [(0, row.cell, [number])] if row.cell is not None and row.status == "new" else []
    is_better = score is not None and (best is None or score > best)
    events = [
        (
            "improved",
            {"id": number, "score": score, "previous": best, "operator": row.candidate.operator, "evaluations": number},
        )
    ]
    writer.append(
        [iteration],
        elites=elites,
        curve=[(number, float(number), score, number)] if is_better and score is not None else [],
        events=events if is_better else [],
        seconds=float(number),
        pulse=_pulse(number),
    )
    return score if is_better else best


def _pulse(number: int) -> Pulse:
    data = {
        "evaluations": number, "iterations": number, "elites": min(number, 4), "coverage": number / 24,
        "qd_score": number * 1.25, "best_score": 4.5, "failures": number // 3, "duplicates": number, "in_flight": 2,
        "workers": 2, "lost_workers": 1, "operators": ARMS,
        "models": {"requests": 1, "input_tokens": 1200, "output_tokens": 80, "cost_usd": 0.0125, "outcomes": {"ok": 1}},
    }  # fmt: skip
    return Pulse(seconds=float(number), data=data)


def _fix_times(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, column in (("event", "at"), ("pulse", "at"), ("call", "at"), ("session", "started")):
            connection.execute(f"UPDATE {table} SET {column} = ?", (WHEN,))
        connection.execute("UPDATE session SET heartbeat = ?, pid = 4242, host = 'machine'", (WHEN,))
