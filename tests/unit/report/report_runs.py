"""Runs to report on: an empty one, one with all there can be, one whose every text is hostile."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.store import CallRecord, CandidateRecord, RunWriter
from tests.told import told_alone

AXES = [
    {"name": "size", "kind": "linear", "low": 0, "high": 10, "cells": 10},
    {"name": "depth", "kind": "linear", "low": 0, "high": 10, "cells": 10},
]


def meta_of(**problem: Any) -> dict[str, Any]:
    """The meta data of a run of a toy problem."""
    named = {"name": "toy", "title": "A toy", "statement": "Be best.", "language": "python", **problem}
    tables = {"problem": named, "archive": {"kind": "grid", "cell": "best", "axes": AXES}, "known": {"value": 5.0}}
    return {
        "problem": {"tables": tables, "baselines": {}, "folder": "toy"},
        "options": {"rng_seed": 7, "seconds": 60.0, "window": 4},
        "versions": {"python": "3.11"},
        "created": "2026-01-02T03:04:05+00:00",
    }


def scored(number: int, score: float, *, parents: Sequence[int] = (), text: str = "", **more: Any) -> CandidateRecord:
    """A candidate in the cell of its number."""
    place = {"size": float(number % 10), "depth": float(number // 10 % 10)}
    evaluation = Evaluation(
        score=score, descriptor=more.pop("descriptor", place), level="FULL", seconds=0.1, **more.pop("judged", {})
    )
    candidate = Candidate(
        id=number,
        files=more.pop("files", {"seed.py": text or f"def f(x):\n    return x * {number}.0  # better\n"}),
        fingerprint=f"f{number}",
        parent_ids=tuple(parents),
        operator=more.pop("operator", "mutate"),
        generation=len(parents) and number - 1,
        iteration=number - 1,
    )
    cell = number % 10 * 10 + number // 10 % 10
    return CandidateRecord(candidate=candidate, evaluation=evaluation, island=0, status="new", cell=cell)


def failed(number: int, detail: str, *, operator: str = "mutate", text: str = "x\n") -> CandidateRecord:
    """A candidate that raised."""
    evaluation = Evaluation(failure=Failure.EXCEPTION, detail=detail, stage="full", level="FULL")
    candidate = Candidate(
        id=number,
        files={"seed.py": text},
        fingerprint=f"f{number}",
        parent_ids=(1,),
        operator=operator,
        generation=1,
        iteration=number - 1,
    )
    return CandidateRecord(candidate=candidate, evaluation=evaluation, island=0, status="failed", cell=None)


def write_run(
    run_dir: Path,
    records: Sequence[CandidateRecord],
    *,
    meta: Mapping[str, Any] | None = None,
    calls: Sequence[CallRecord] = (),
    stopped_by: str | None = "time",
) -> Path:
    """Write a run of these candidates, each in its own iteration; without `stopped_by` it is still going on."""
    writer = RunWriter.create(run_dir, meta or meta_of(), durability="fast", network_fs_allowed=True)
    writer.start_session()
    for call in calls:
        writer.record_call(call, prompt={"system": "", "turns": []})
    best = None
    for record in records:
        score, number = record.evaluation.score, record.candidate.id
        iteration = told_alone(record)
        is_best = score is not None and (best is None or score > best)
        writer.append(
            [iteration],
            elites=[(0, record.cell, [number])] if record.cell is not None else [],
            curve=[(number, number * 0.5, score, number)] if is_best and score is not None else [],
            seconds=float(number),
        )
        best = score if is_best else best
    if stopped_by is not None:
        writer.end_session(float(len(records)), stopped_by)
    writer.close()
    return run_dir


def call(iteration: int, *, model: str = "fake:", text: str = "ok", cost_usd: float | None = 0.01) -> CallRecord:
    """A request to a language model that was answered."""
    return CallRecord(
        iteration=iteration,
        ordinal=0,
        attempt=0,
        purpose="code",
        model=model,
        prompt_hash="h",
        outcome="ok",
        text=text,
        cost_usd=cost_usd,
        is_final=True,
    )


def in_version(run_dir: Path, tables: str, version: int) -> Path:
    """The same run as an earlier version of the program would have written it."""
    path, new = run_dir / "run.db", run_dir / "new.db"
    with closing(sqlite3.connect(new)) as connection:
        connection.executescript(tables)
        connection.execute("ATTACH ? AS old", (str(path),))
        for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            if name.startswith("sqlite_"):
                continue
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({name})"))
            connection.execute(f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM old.{name}")
        connection.commit()
        connection.execute(f"PRAGMA user_version={version}")
    for left in run_dir.glob("run.db*"):
        left.unlink()
    new.rename(path)
    return run_dir
