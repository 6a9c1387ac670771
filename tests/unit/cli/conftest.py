from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.cli.app import cli
from evolve.store import CandidateRecord, RunWriter
from tests.told import told_alone

Invoke = Callable[..., Any]
HOSTILE = "\x1b]0;owned\x07\x1b[31mred\x9b2J\rover\u202eevil"


def judged(
    number: int,
    *,
    parents: tuple[int, ...] = (),
    score: float | None = None,
    operations: int = 0,
    detail: str = "",
    source: str | None = None,
    level: str = "STRONG",
) -> CandidateRecord:
    """A candidate of iteration `number - 1` with a score, or failed when there is none."""
    metrics: dict[str, float] = {}
    if score is None:
        evaluation = Evaluation(failure=Failure.EXCEPTION, detail=detail, stage="full", level=level)
    else:
        metrics = {"operations": float(operations), "max_relative_error": 10.0**-score}
        evaluation = Evaluation(
            score=score, metrics=metrics, descriptor={"operations": float(operations)}, seconds=0.01, level=level
        )
    text = source if source is not None else f"def f(x):\n    return x * {number}.0\n"
    return CandidateRecord(
        candidate=Candidate(
            id=number,
            files={"seed.py": text},
            fingerprint=f"f{number}",
            parent_ids=parents,
            operator="seed" if number == 1 else "mutate",
            generation=len(parents) and number - 1,
            iteration=number - 1,
            metrics=metrics,
        ),
        evaluation=evaluation,
        island=0,
        status="new" if score is not None else "failed",
        cell=operations if score is not None else None,
    )


def write_run(
    run_dir: Path,
    records: Sequence[CandidateRecord],
    *,
    baselines: Mapping[str, Any] | None = None,
    stopped_by: str | None = "time",
) -> Path:
    """Write a run of these candidates, one an iteration, each scored one an elite of its own cell."""
    meta = {
        "problem": {"tables": {"problem": {"name": "toy"}}, "baselines": baselines or {}},
        "options": {"rng_seed": 0},
    }
    writer = RunWriter.create(run_dir, meta, durability="fast", network_fs_allowed=True)
    writer.start_session()
    for record in records:
        scored = record.evaluation.score is not None
        iteration = told_alone(record, n_duplicates=1)
        cells = [(0, record.candidate.id, [record.candidate.id])] if scored else []
        writer.append([iteration], elites=cells, seconds=1.0)
    if stopped_by is not None:
        writer.end_session(3.0, stopped_by)
    writer.close()
    return run_dir


@pytest.fixture
def toy_run(tmp_path: Path) -> Path:
    """A run of four candidates: the seed program, a failure with hostile text, and two improvements."""
    records = [
        judged(1, score=0.5, operations=1),
        judged(
            2,
            parents=(1,),
            detail=f"Traceback\nValueError: {HOSTILE}",
            source=f"# {HOSTILE}\ndef f(x):\n    return x\n",
        ),
        judged(3, parents=(1,), score=2.0, operations=2),
        judged(4, parents=(3, 1), score=4.0, operations=4),
    ]
    baselines = {
        "operations": {
            "2": {"polynomial": {"error": 0.03}, "rational": {"error": 0.02}},
            "3": {"polynomial": {"error": 0.03}, "rational": {"error": 0.001}},
            "4": {"polynomial": {"error": 1e-5}, "rational": {"error": 1e-5}},
        }
    }
    return write_run(tmp_path / "runs" / "toy" / "20260102T030405Z-0", records, baselines=baselines)


@pytest.fixture
def long_run(tmp_path: Path) -> Path:
    """A run whose best candidate has a number of four digits."""
    return write_run(tmp_path / "runs" / "long", [judged(number, score=float(number)) for number in range(1, 1002)])


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Call the command in an empty working folder; settings of this machine's user do not count."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-settings"))
    monkeypatch.delenv("EVOLVE_RUNS_DIR", raising=False)
    runner = CliRunner()

    def call(*arguments: str) -> Any:
        return runner.invoke(cli, arguments)

    return call
