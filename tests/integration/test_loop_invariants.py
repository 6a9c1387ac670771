"""The invariants of the design that other files leave open: each of these tests fails when one of them is broken."""

import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from evolve.config.problem import load_problem
from evolve.errors import ProblemError, SeedError
from evolve.loop import Event, RunOptions, RunSummary, replay_run, resume_run, start_run, verify_candidate
from evolve.store import RunReader
from evolve.store.schema import DATABASE_NAME, connect_reader
from tests.extent import ALL_TESTS


def silent(event: Event) -> None:
    del event


def run(folder: Path, run_dir: Path, listener: Any = silent, **options: Any) -> RunSummary:
    settings: dict[str, Any] = {"rng_seed": 3, "workers": 1, "window": 4, "evaluations": 30, "durability": "fast"}
    return start_run(load_problem(folder), run_dir, RunOptions(**settings | options), listener)


def rewrite(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def stages_and_repeats(folder: Path) -> None:
    """Three islands that migrate often, Pareto cells, two stages, a score with noise drawn from the given seed."""
    rewrite(folder, "problem.toml", "count = 2\nmigrate_every = 5", "count = 3\nmigrate_every = 3")
    rewrite(folder, "problem.toml", 'cell = "best"', 'cell = "pareto"\nkeep = 3\nmetrics = ["min:first"]')
    stages = '[[evaluator.stages]]\nname = "cheap"\nthreshold = -20.0\n[[evaluator.stages]]\nname = "full"\n'
    rewrite(folder, "problem.toml", "[limits]", f"{stages}\n[limits]")
    rewrite(folder, "problem.toml", 'file = "evaluate.py"', 'file = "evaluate.py"\nrepeats = 2')
    with (folder / "evaluate.py").open("a", encoding="utf-8") as handle:
        handle.write(
            "\nfrom random import Random\n\ndef full(candidate):\n    answer = evaluate(candidate)\n"
            "    answer['score'] += Random(2 * candidate.rng_seed + candidate.repeat).gauss(0, 1)\n    return answer\n"
            "\nstages = {'cheap': evaluate, 'full': full}\n"
        )


def judged_in(run_dir: Path) -> list[str]:
    reader = RunReader(run_dir)
    prints = [row.candidate.fingerprint for record in reader.iterations() for row in record.candidates]
    reader.close()
    return prints


def test_islands_stages_repeats_and_smaller_budgets_on_the_way_change_nothing(
    python_problem: Path, tmp_path: Path
) -> None:
    stages_and_repeats(python_problem)
    whole = run(python_problem, tmp_path / "whole", workers=1, window=6, evaluations=36)

    run(python_problem, tmp_path / "steps", workers=2, window=6, evaluations=7)
    resume_run(tmp_path / "steps", silent, evaluations=19)
    steps = resume_run(tmp_path / "steps", silent, evaluations=36)

    assert steps.archive_hash == whole.archive_hash
    assert replay_run(tmp_path / "steps").equal


def test_work_beyond_the_budget_that_a_signal_drains_is_not_lost_for_a_larger_budget(
    python_problem: Path, tmp_path: Path
) -> None:
    run(python_problem, tmp_path / "whole", window=6, evaluations=12)
    signals = [signal.SIGINT]

    def interrupt(event: Event) -> None:
        if event.kind == "progress" and signals:
            os.kill(os.getpid(), signals.pop())

    stopped = run(python_problem, tmp_path / "run", interrupt, workers=1, window=6, evaluations=4)
    assert (stopped.stopped_by, stopped.evaluations) == ("signal", 4)
    resume_run(tmp_path / "run", silent, evaluations=12)
    assert judged_in(tmp_path / "run") == judged_in(tmp_path / "whole")


def test_what_is_announced_is_on_disk(python_problem: Path, tmp_path: Path) -> None:
    announced = []

    def listen(event: Event) -> None:
        if event.kind in ("seed", "improved"):
            reader = RunReader(tmp_path / "run")
            announced.append(reader.candidate(event.data["id"]).evaluation.score == event.data["score"])
            reader.close()

    run(python_problem, tmp_path / "run", listen)
    assert len(announced) > 2
    assert all(announced)


def test_a_program_is_judged_once_however_often_it_is_proposed(python_problem: Path, tmp_path: Path) -> None:
    rewrite(python_problem, "seed.py", "first = 1.0\nsecond = 2.0", "first = 1.0  # choices: [1.0, 2.0]\nsecond = 2.0")
    rewrite(python_problem, "problem.toml", "[search]", '[search]\noperators = ["literal_edit"]')
    ledger = tmp_path / "judged"
    with (python_problem / "evaluate.py").open("a", encoding="utf-8") as handle:
        handle.write(
            f"\njudge = evaluate\n\ndef evaluate(candidate):\n    with open({str(ledger)!r}, 'a') as ledger:\n"
            "        print(repr(sorted(candidate.files.items())), file=ledger)\n    return judge(candidate)\n"
        )
    run(python_problem, tmp_path / "run", workers=1, window=1, evaluations=40)
    judged = ledger.read_text(encoding="utf-8").splitlines()
    reader = RunReader(tmp_path / "run")
    assert reader.counts()["duplicates"] > 0
    reader.close()
    assert len(judged) == len(set(judged)) == 40


def test_replay_notices_a_log_that_was_changed(python_problem: Path, tmp_path: Path) -> None:
    run(python_problem, tmp_path / "run")
    assert replay_run(tmp_path / "run").equal
    connection = sqlite3.connect(tmp_path / "run" / DATABASE_NAME)
    with connection:
        connection.execute("UPDATE candidate SET score = score + 1 WHERE id = (SELECT max(candidate) FROM elite)")
    connection.close()
    assert not replay_run(tmp_path / "run").equal


def test_readers_cannot_write(python_problem: Path, tmp_path: Path) -> None:
    run(python_problem, tmp_path / "run", evaluations=3)
    connection = connect_reader(tmp_path / "run" / DATABASE_NAME)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM elite")
    connection.close()


def test_the_evaluator_never_runs_in_the_controller(symbolic_problem: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "pids"
    with (symbolic_problem / "evaluate.py").open("a", encoding="utf-8") as handle:
        handle.write(
            f"\nimport os\nwith open({str(ledger)!r}, 'a') as ledger:\n    print(os.getpid(), file=ledger)\n\n"
            "def verify(candidate):\n    return {'verdict': 'certified', 'certificate': {'why': 'so'}}\n"
        )
    run(symbolic_problem, tmp_path / "run", workers=1, evaluations=5)
    assert replay_run(tmp_path / "run").equal
    assert verify_candidate(tmp_path / "run", 1).verdict == "certified"
    own = Path("/proc/self").resolve().name
    assert own not in ledger.read_text(encoding="utf-8").split()


BROKEN_PROOFS = [
    ("raise SystemExit(0)", "SystemExit"),
    ("import os; os._exit(0)", "died"),
    ("while True: pass", "raise .evaluator..verify_seconds"),
    ("return {'verdict': 'certified', 'certificate': {'x': float('nan')}}", "JSON"),
]
"""Every other one by default: the judge's own tests have them all."""


@pytest.mark.parametrize(("body", "word"), BROKEN_PROOFS[:: 1 if ALL_TESTS else 2])
def test_a_proof_that_ends_its_process_is_an_error(python_problem: Path, tmp_path: Path, body: str, word: str) -> None:
    seconds = 2.0 if "while True" in body else 60.0
    rewrite(python_problem, "problem.toml", "[evaluator]", f"[evaluator]\nverify_seconds = {seconds}")
    rewrite(python_problem, "evaluate.py", "def verify(candidate):", f"def verify(candidate):\n    {body}")
    run(python_problem, tmp_path / "run", evaluations=2)
    with pytest.raises(SeedError, match=word):
        verify_candidate(tmp_path / "run", 1)


@pytest.mark.parametrize(
    "body", ["raise KeyError('x')", "return [1.0, 2.0], [1.0], True", "return [float('nan')], [1.0], True"]
)
def test_a_fit_target_that_fails_is_told_and_leaves_no_run(symbolic_problem: Path, tmp_path: Path, body: str) -> None:
    with (symbolic_problem / "evaluate.py").open("a", encoding="utf-8") as handle:
        handle.write(f"\ndef fit_target():\n    {body}\n")
    with pytest.raises(SeedError, match="fit_target"):
        run(symbolic_problem, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_evaluator_that_exits_at_its_import_is_told(symbolic_problem: Path, tmp_path: Path) -> None:
    (symbolic_problem / "evaluate.py").write_text("raise SystemExit('\\ud800\\x1b[2J')\n", encoding="utf-8")
    with pytest.raises(SeedError, match="cannot be loaded: SystemExit") as caught:
        run(symbolic_problem, tmp_path / "run")
    assert str(caught.value).isprintable() or "\x1b" not in str(caught.value)
    str(caught.value).encode()


def test_a_module_that_cannot_be_preloaded_is_told_and_leaves_no_run(python_problem: Path, tmp_path: Path) -> None:
    rewrite(python_problem, "problem.toml", "[limits]", '[sandbox]\npreload = ["no_such_module"]\n\n[limits]')
    with pytest.raises(ProblemError, match="no_such_module"):
        run(python_problem, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_seed_outside_a_rejecting_axis_is_told_and_leaves_no_run(python_problem: Path, tmp_path: Path) -> None:
    rewrite(
        python_problem,
        "problem.toml",
        'name = "first"\nlow = -10.0',
        'name = "first"\nout_of_range = "reject"\nlow = 5.0',
    )
    with pytest.raises(SeedError, match="does not fit the archive"):
        run(python_problem, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_fit_target_that_breaks_in_mid_run_does_not_cost_the_run(symbolic_problem: Path, tmp_path: Path) -> None:
    marker = tmp_path / "broken"
    with (symbolic_problem / "evaluate.py").open("a", encoding="utf-8") as handle:
        handle.write(
            f"\nimport os\n\ndef fit_target():\n    if os.path.exists({str(marker)!r}):\n        raise KeyError('x')\n"
            "    points = [n / 40 for n in range(41)]\n    return points, [2 * p + 1 for p in points], False\n"
        )

    def listen(event: Event) -> None:
        if event.kind == "seed":
            marker.touch()

    with pytest.raises(SeedError, match="fit_target"):
        run(symbolic_problem, tmp_path / "run", listen, workers=2, evaluations=100_000)  # the second asks too late
    reader = RunReader(tmp_path / "run")
    assert reader.counts()["evaluations"] >= 1
    reader.close()
