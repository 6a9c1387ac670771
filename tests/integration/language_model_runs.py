"""Whole runs with language models: how tests start them and look into what they leave."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from evolve.config.problem import load_problem
from evolve.llm.contract import Prompt, Turn
from evolve.llm.fake import FakeModel
from evolve.llm.policy import RetryPolicy
from evolve.llm.service import Surroundings
from evolve.loop import Event, RunOptions, RunSummary, open_recording, repeat_run, start_run
from evolve.store import CallRecord, RunReader
from evolve.store.records import CandidateRecord
from evolve.testing.llm_server_actions import Request


async def at_once(seconds: float) -> None:
    """Sleeps not at all."""
    del seconds


IMPATIENT = Surroundings(policy=RetryPolicy(base_seconds=1e-3, open_seconds=1e-3, n_faults=30), sleep=at_once)


def silent(event: Event) -> None:
    del event


def run(folder: Path, run_dir: Path, listener: Any = silent, **options: Any) -> RunSummary:
    """A small run with the fake model unless the options say otherwise."""
    settings: dict[str, Any] = {"workers": 1, "window": 4, "evaluations": 12, "durability": "fast"}
    given = RunOptions(**{"rng_seed": 3, "models": ("fake:",), **settings, **options})
    return start_run(load_problem(folder), run_dir, given, listener, around=IMPATIENT)


def repeated(recorded: Path, run_dir: Path, *, workers: int) -> RunSummary:
    """A recorded run done again."""
    recording = open_recording(recorded, workers=workers, durability="fast")
    try:
        return repeat_run(recording, run_dir, silent)
    finally:
        recording.reader.close()


def calls_of(run_dir: Path) -> list[CallRecord]:
    with closing(RunReader(run_dir)) as reader:
        return [call for _, _, call in reader.calls()]


def rows_of(run_dir: Path) -> list[CandidateRecord]:
    with closing(RunReader(run_dir)) as reader:
        return [row for record in reader.iterations() for row in record.candidates]


def everything_in(run_dir: Path) -> Iterator[bytes]:
    """Every file of a run, and everything that is compressed in its database."""
    for path in run_dir.rglob("*"):
        if path.is_file():
            yield path.read_bytes()
    with closing(sqlite3.connect(run_dir / "run.db")) as connection:
        for table, column in (("source", "body"), ("call", "text"), ("prompt", "body")):
            for (blob,) in connection.execute(f"SELECT {column} FROM {table}"):
                yield zlib.decompress(blob)


def as_the_fake_model(request: Request) -> str:
    """What the fake model would answer to the words of a request."""
    prompt = Prompt(system=(), turns=(Turn(role="user", text=request.text),))
    try:
        FakeModel().complete(prompt, total_seconds=1.0, idle_seconds=1.0).send(None)
    except StopIteration as stop:
        return str(stop.value.text)
    raise AssertionError("the fake model waits for nothing")
