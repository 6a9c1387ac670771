"""Makes the log of a long run without searching: a `run.db` of a million candidates in about two minutes.

    python -m benchmarks.long_run FOLDER [--candidates 1000000] [--side 100] [--seed 0]

The rows are made up, but of the shape that a search leaves: children of earlier candidates, scores that rise ever more
slowly, a tenth failed in a handful of ways with numbers and tracebacks in their details, elites that follow from the
statuses, improvements, a history of pulses, some language models' calls with prompts and replies. All of it follows
from the seed.
"""

import argparse
import json
import math
import sqlite3
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evolve.config.problem import load_problem
from evolve.store.records import pack_files, source_hash
from evolve.store.schema import SCHEMA_VERSION, create_tables

OPERATORS = ("mutate", "crossover", "refit", "enumerate", "diff@model-a", "rewrite@model-b")
SHARES = (0.35, 0.3, 0.2, 0.1, 0.03, 0.02)
CHILDREN = 10
BATCH = 20_000
FAILED = 0.1
PULSES = 3000
CALL_EVERY = 50
SECONDS_EACH = 0.05
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TRACEBACK = "Traceback (most recent call last):\n" + '  File "seed.py", line {0}, in f\n    step(x)\n' * 12
DETAILS = (
    ("not_finite", "the program has a pole in the interval, near x = {1!r}"),
    ("invalid", "the program is a quotient of polynomials of degree {0}, this judge handles at most 64"),
    ("timeout", "no answer after {0} s of wall time"),
    ("exception", TRACEBACK + "ValueError: not enough values to unpack (expected {0}, got 1)\n"),
    ("memory", "the program asked for {0} MiB, the limit is 512 MiB"),
)


@dataclass(slots=True)
class Growing:
    """What the archive of the made-up run holds so far."""

    best_of: dict[int, tuple[float, int]] = field(default_factory=dict)
    best_score: float = -math.inf
    curve: list[tuple[int, float, float, int]] = field(default_factory=list)
    kept: int = 0

    def offer(self, identifier: int, cell: int, score: float) -> str:
        """Say what becomes of a candidate."""
        if score > self.best_score:
            self.best_score = score
            self.curve.append((identifier, identifier * SECONDS_EACH, score, identifier))
        held = self.best_of.get(cell)
        if held is not None and held[0] >= score:
            return "rejected"
        self.best_of[cell] = (score, identifier)
        self.kept += 1
        return "new" if held is None else "improved"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What chance decides, a column each."""

    operator: NDArray[np.int64]
    parent: NDArray[np.int64]
    other: NDArray[np.int64]
    score: NDArray[np.float64]
    failure: NDArray[np.int64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    seconds: NDArray[np.float64]


def drawn(n: int, side: int, seed: int) -> Drawn:
    """Draw all columns at once."""
    rng = np.random.default_rng(seed)
    ids = np.arange(1, n + 1)
    n_iterations = n // CHILDREN + 2
    operator = rng.choice(len(OPERATORS), size=n_iterations, p=SHARES)[(ids + CHILDREN - 2) // CHILDREN]
    progress = np.log1p(ids) / math.log1p(n)
    x = np.clip(rng.normal(0.5, 0.22, n) * side, 0, side - 1).astype(np.int64)
    y = np.clip(rng.normal(0.4, 0.2, n) * side, 0, side - 1).astype(np.int64)
    hill = 1.0 - np.hypot(x / side - 0.7, y / side - 0.6)
    failure = np.where(rng.random(n) < FAILED, rng.integers(0, len(DETAILS), n), -1)
    failure[0] = -1
    return Drawn(
        operator=operator,
        parent=np.maximum((ids - 1) * np.sqrt(rng.random(n)), 1).astype(np.int64),
        other=np.maximum((ids - 1) * rng.random(n), 1).astype(np.int64),
        score=12.0 * progress * hill + rng.gumbel(0.0, 0.6, n),
        failure=failure,
        x=x,
        y=y,
        seconds=rng.exponential(0.02, n),
    )


def make_run(folder: Path, n: int, side: int, seed: int) -> None:
    """Write `run.db` into an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / "run.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-1000000")
    connection.execute("BEGIN")
    create_tables(connection)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    meta = _meta(n, side, seed)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", [(key, json.dumps(each)) for key, each in meta.items()])
    columns, growing = drawn(n, side, seed), Growing()
    generations = np.zeros(n + 1, dtype=np.int64)
    pulse_at = set(np.unique(np.linspace(1, n, PULSES).astype(np.int64)).tolist())
    for start in range(0, n, BATCH):
        _write_batch(connection, columns, range(start, min(start + BATCH, n)), side, generations, growing, pulse_at)
    _write_rest(connection, growing, n)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _meta(n: int, side: int, seed: int) -> dict[str, Any]:
    problem = load_problem("exp2").to_json()
    axes = [
        {"name": name, "kind": "linear", "low": 0.0, "high": float(side), "cells": side, "out_of_range": "clip"}
        for name in ("operations", "depth")
    ]
    problem["tables"]["archive"] |= {"cell": "best", "keep": None, "apart": None, "axes": axes}
    options = {"rng_seed": seed, "workers": 8, "window": 16, "evaluations": 2 * n, "seconds": None, "target": None}
    return {"problem": problem, "options": options, "created": BEGAN.isoformat(), "versions": {"made up": "1"}}


def _write_batch(  # noqa: PLR0913, PLR0917 one pass over the columns, with what it carries along
    connection: sqlite3.Connection,
    columns: Drawn,
    places: range,
    side: int,
    generations: NDArray[np.int64],
    growing: Growing,
    pulse_at: set[int],
) -> None:
    candidates, parents, sources, pulses = [], [], [], []
    for place in places:
        identifier = place + 1
        first, second = int(columns.parent[place]), int(columns.other[place])
        if identifier > 1:
            generations[identifier] = generations[first] + 1
            parents += [(identifier, first, 0)] + ([(identifier, second, 1)] if place % 3 == 0 else [])
        row, files = _candidate(columns, place, side, int(generations[identifier]), growing)
        candidates.append(row)
        sources.append((row[2], pack_files(files)))
        if identifier in pulse_at:
            pulses.append(_pulse(identifier, side, growing))
    connection.executemany("INSERT OR IGNORE INTO source VALUES (?, ?)", sources)
    connection.executemany(f"INSERT INTO candidate VALUES ({','.join('?' * 18)})", candidates)
    connection.executemany("INSERT INTO parent VALUES (?, ?, ?)", parents)
    connection.executemany("INSERT INTO pulse (at, seconds, data) VALUES (?, ?, ?)", pulses)
    connection.executemany("INSERT INTO iteration VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _iterations(columns, places))
    for call, prompt in _calls(columns, places):
        connection.execute("INSERT INTO prompt VALUES (?, ?)", prompt)
        connection.execute(f"INSERT INTO call VALUES ({','.join('?' * 23)})", call)


def _candidate(
    columns: Drawn, place: int, side: int, generation: int, growing: Growing
) -> tuple[tuple[object, ...], dict[str, str]]:
    identifier = place + 1
    x, y = int(columns.x[place]), int(columns.y[place])
    operator = "seed" if identifier == 1 else OPERATORS[columns.operator[place]]
    constants = "".join(f"    t{line} = t{line - 1} * {columns.score[place] + line!r} + x\n" for line in range(1, 8))
    files = {"seed.py": f"def f(x):\n    t0 = {identifier} - x\n{constants}    return t7\n"}
    failure, detail, score, status, cell = None, "", None, "failed", None
    if columns.failure[place] >= 0:
        failure, words = DETAILS[columns.failure[place]]
        detail = words.format(identifier % 4096, float(columns.seconds[place]))
    else:
        score, cell = float(columns.score[place]), x * side + y
        status = growing.offer(identifier, cell, score)
    descriptor = {"operations": x + 0.5, "depth": y + 0.5}
    metrics = {**descriptor, "divisions": float(x % 5), "max_relative_error": 10.0 ** -abs(float(columns.score[place]))}
    row = (
        identifier, (identifier + CHILDREN - 2) // CHILDREN, source_hash(files), f"{identifier:032x}", operator, 0,
        generation, status, cell, score, failure, detail, "", json.dumps(metrics),
        json.dumps(descriptor if failure is None else {}), "{}", float(columns.seconds[place]), "INTERPRETER",
    )  # fmt: skip
    return row, files


def _iterations(columns: Drawn, places: range) -> Iterator[tuple[object, ...]]:
    for place in places:
        if place == 0 or place % CHILDREN == 1:
            number = (place + CHILDREN - 1) // CHILDREN
            operator = "seed" if place == 0 else OPERATORS[columns.operator[place]]
            yield number, operator, 0, 1.0 + number % 7 / 7, 1.0 / (1 + number % 11), 0.5, number % 3, "{}"


def _calls(columns: Drawn, places: range) -> Iterator[tuple[tuple[object, ...], tuple[str, bytes]]]:
    for place in places:
        operator = OPERATORS[columns.operator[place]]
        if place and place % CHILDREN == 1 and "@" in operator:
            number = (place + CHILDREN - 1) // CHILDREN
            digest = f"{number:032x}"
            prompt = {"system": ["You discover algorithms."], "turns": [{"role": "user", "text": f"Program {number}"}]}
            reply = zlib.compress(f"I change one number of program {number}.\n".encode() * 20)
            model = operator.partition("@")[2]
            values = (
                None, BEGAN.isoformat(), number, 0, 0, "code", model, model, digest, "ok", reply, "", 3000, 0, 0, 300,
                0, 0, 0.0042, 2.5, "", model, 1,
            )  # fmt: skip
            yield values, (digest, zlib.compress(json.dumps(prompt).encode()))


def _pulse(identifier: int, side: int, growing: Growing) -> tuple[str, float, str]:
    seconds = identifier * SECONDS_EACH
    shares = dict(zip(OPERATORS, SHARES, strict=True))
    data = {
        "evaluations": identifier,
        "iterations": identifier // CHILDREN,
        "elites": len(growing.best_of),
        "coverage": len(growing.best_of) / side**2,
        "qd_score": len(growing.best_of) * growing.best_score / 2,
        "best_score": growing.best_score,
        "failures": round(identifier * FAILED),
        "duplicates": identifier // CHILDREN,
        "in_flight": 16,
        "workers": 8,
        "lost_workers": 0,
        "operators": {name: {"probability": share, "rate": share, "pending": 1} for name, share in shares.items()},
        "models": None,
    }
    return (BEGAN + timedelta(seconds=seconds)).isoformat(), seconds, json.dumps(data)


def _write_rest(connection: sqlite3.Connection, growing: Growing, n: int) -> None:
    elites = [(0, cell, 0, identifier) for cell, (_, identifier) in growing.best_of.items()]
    connection.executemany("INSERT INTO elite VALUES (?, ?, ?, ?)", elites)
    connection.executemany("INSERT INTO curve VALUES (?, ?, ?, ?)", growing.curve)
    previous = None
    for evaluations, seconds, score, identifier in growing.curve:
        at = (BEGAN + timedelta(seconds=seconds)).isoformat()
        data = {
            "id": identifier,
            "score": score,
            "previous": previous,
            "operator": "mutate",
            "evaluations": evaluations,
        }
        connection.execute("INSERT INTO event (at, kind, data) VALUES (?, 'improved', ?)", (at, json.dumps(data)))
        previous = score
    connection.execute("INSERT INTO pulse SELECT 0, at, seconds, data FROM pulse ORDER BY id DESC LIMIT 1")
    ended = (BEGAN + timedelta(seconds=n * SECONDS_EACH)).isoformat()
    row = (1, "nowhere", BEGAN.isoformat(), ended, n * SECONDS_EACH, "time")
    connection.execute(
        "INSERT INTO session (pid, host, started, heartbeat, seconds, stopped_by) VALUES (?, ?, ?, ?, ?, ?)", row
    )


def main() -> None:
    """Make a run and say how long it took and how large it is."""
    parser = argparse.ArgumentParser(description="make the log of a long run")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--candidates", type=int, default=1_000_000)
    parser.add_argument("--side", type=int, default=100, help="cells of each of the two axes")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    started = time.monotonic()
    make_run(asked.folder, asked.candidates, asked.side, asked.seed)
    size = (asked.folder / "run.db").stat().st_size
    print(f"{asked.candidates:,} candidates in {time.monotonic() - started:.0f} s, run.db has {size / 2**20:,.0f} MiB")


if __name__ == "__main__":
    main()
