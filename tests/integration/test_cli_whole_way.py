"""The real command on a toy problem: run, look, verify, replay, resume, and what happens when things go wrong."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).resolve().parents[2]
Ended = subprocess.CompletedProcess[str]


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVOLVE_")}
    return {**kept, "PYTHONPATH": str(HOME), "XDG_CONFIG_HOME": "/nonexistent", **changes}


def evolve(*arguments: object, cwd: Path, **changes: str) -> Ended:
    return subprocess.run(
        [sys.executable, "-m", "evolve", *map(str, arguments)],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def last_document(ended: Ended) -> dict[str, Any]:
    assert ended.stdout, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return document


def start_run(problem: Path, cwd: Path, *options: object) -> Ended:
    return evolve("run", problem, "--workers", 1, "--run-dir", cwd / "run", *options, cwd=cwd)


@contextmanager
def running(problem: Path, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A run without end, once it has told its first progress."""
    command = ["run", problem, "--workers", 1, "--run-dir", cwd / "run", "--time", "10m", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "evolve", *map(str, command)],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if json.loads(line).get("kind") == "progress":
                    break
            yield process
        finally:
            process.kill()


def test_a_run_can_be_looked_at_verified_replayed_and_resumed(python_problem: Path, tmp_path: Path) -> None:
    summary = last_document(start_run(python_problem, tmp_path, "--evaluations", 20, "--json"))
    best = last_document(evolve("best", "run", "-n", 3, "--json", cwd=tmp_path))
    verdict = last_document(evolve("verify", "run", "best", "--json", cwd=tmp_path))
    replay = last_document(evolve("replay", "run", "--json", cwd=tmp_path))
    resumed = last_document(evolve("resume", "run", "--evaluations", 30, "--json", cwd=tmp_path))
    status = last_document(evolve("status", "run", "--json", cwd=tmp_path))

    assert summary["stopped_by"] == "evaluations"
    assert summary["evaluations"] == 20
    assert best["elites"][0]["score"] == summary["best_score"]
    assert "EVOLVE-BLOCK-START" in best["elites"][0]["source"]
    assert verdict["verdict"] == "certified"
    assert Path(tmp_path / verdict["certificate"]).exists()
    assert (replay["equal"], replay["archive_hash"]) == (True, summary["archive_hash"])
    assert resumed["evaluations"] == 30
    assert resumed["best_score"] >= summary["best_score"]
    assert (status["evaluations"], status["state"], len(status["sessions"])) == (30, "stopped (evaluations)", 2)


def test_a_run_for_people_tells_its_story_in_lines_and_lists_itself(python_problem: Path, tmp_path: Path) -> None:
    ended = evolve("run", python_problem, "--workers", 1, "--evaluations", 10, "--seed", 3, cwd=tmp_path)
    listed = last_document(evolve("ls", "--json", cwd=tmp_path))

    assert ended.returncode == 0, ended.stderr
    assert "started   toy on 1 worker, window 4, seed 3" in ended.stdout
    assert "stopped: the budget of evaluations is spent" in ended.stdout
    assert "resume with: evolve resume runs/toy/" in ended.stdout
    assert [run["problem"] for run in listed["runs"]] == ["toy"]
    assert listed["runs"][0]["run"].endswith("Z-3")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_in_order_and_it_can_be_resumed(
    number: int, code: int, python_problem: Path, tmp_path: Path
) -> None:
    with running(python_problem, tmp_path) as process:
        process.send_signal(number)
        rest, people = process.communicate(timeout=60)

    summary = json.loads(rest.splitlines()[-1])
    assert process.returncode == code
    assert (summary["stopped_by"], summary["signal"], summary["exit_code"]) == ("signal", number, code)
    assert people.rstrip().endswith(f"resume with: evolve resume {tmp_path / 'run'}")
    assert last_document(evolve("replay", "run", "--json", cwd=tmp_path))["equal"] is True


def test_a_second_controller_is_refused(python_problem: Path, tmp_path: Path) -> None:
    with running(python_problem, tmp_path):
        second = evolve("resume", "run", cwd=tmp_path)
        again = start_run(python_problem, tmp_path)
        status = last_document(evolve("status", "run", "--json", cwd=tmp_path))

    assert second.returncode == 5
    assert "another controller" in second.stderr
    assert again.returncode == 2
    assert "already holds a run" in again.stderr
    assert status["state"] == "running"


def test_a_killed_run_is_shown_as_crashed_and_its_program_can_be_read(python_problem: Path, tmp_path: Path) -> None:
    with running(python_problem, tmp_path) as process:
        process.kill()
        process.communicate(timeout=60)

    assert last_document(evolve("status", "run", "--json", cwd=tmp_path))["state"] == "crashed"
    assert last_document(evolve("best", "run", "--json", cwd=tmp_path))["elites"]


def test_a_required_target_decides_the_exit_code(python_problem: Path, tmp_path: Path) -> None:
    missed = start_run(python_problem, tmp_path, "--evaluations", 5, "--target", 1e9, "--require-target", "--json")
    reached = evolve("resume", "run", "--target", -1e9, "--require-target", cwd=tmp_path)

    assert (missed.returncode, last_document(missed)["exit_code"]) == (6, 6)
    assert reached.returncode == 0, reached.stderr


def test_a_malformed_problem_names_every_mistake_and_ends_with_2(python_problem: Path, tmp_path: Path) -> None:
    toml = python_problem / "problem.toml"
    toml.write_text(
        toml.read_text(encoding="utf-8").replace("titel", "title").replace("cells = 10", "cells = 0"), "utf-8"
    )

    ended = start_run(python_problem, tmp_path, "--json")

    assert ended.returncode == 2
    assert ended.stderr.count("cells") >= 2
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("evaluate", "words"),
    [
        ("def evaluate(candidate):\n    raise RuntimeError('\\x1b[31m broken judge')\n", "broken judge"),
        (
            "def evaluate(candidate):\n    return {'score': float('nan'), 'descriptor': {'first': 0, 'second': 0}}\n",
            "",
        ),
    ],
    ids=["raises", "nan"],
)
def test_an_evaluator_that_fails_on_the_seed_ends_with_3_and_leaves_nothing(
    evaluate: str, words: str, python_problem: Path, tmp_path: Path
) -> None:
    (python_problem / "evaluate.py").write_text(evaluate, encoding="utf-8")

    ended = start_run(python_problem, tmp_path)

    assert ended.returncode == 3, ended.stderr
    assert words in ended.stderr
    assert "\x1b" not in ended.stderr
    assert not (tmp_path / "run" / "run.db").exists()


def test_a_seed_program_that_does_not_parse_is_a_mistake_of_the_problem(symbolic_problem: Path, tmp_path: Path) -> None:
    (symbolic_problem / "seed.py").write_text("def f(x:\n", encoding="utf-8")

    ended = start_run(symbolic_problem, tmp_path)

    assert ended.returncode == 2
    assert "seed.py" in ended.stderr


def test_the_reader_of_a_run_may_leave(python_problem: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as gone:
        command = ["run", python_problem, "--workers", 1, "--run-dir", tmp_path / "run", "--evaluations", 10]
        ended = subprocess.run(
            [sys.executable, "-m", "evolve", *map(str, command)],
            cwd=tmp_path,
            env=environment(),
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert last_document(evolve("status", "run", "--json", cwd=tmp_path))["evaluations"] == 10


def test_a_live_display_on_a_terminal_gives_the_cursor_back(python_problem: Path, tmp_path: Path) -> None:
    leader, follower = os.openpty()
    command = ["run", python_problem, "--workers", 1, "--run-dir", tmp_path / "run", "--evaluations", 10]
    with os.fdopen(follower, "w", encoding="utf-8") as terminal:
        process = subprocess.Popen(
            [sys.executable, "-m", "evolve", *map(str, command)],
            cwd=tmp_path,
            env={name: value for name, value in environment(TERM="xterm").items() if name != "CI"},
            stdout=terminal,
            stderr=subprocess.PIPE,
            text=True,
        )
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the terminal's other side has closed
            break
        if not part:
            break
        shown += part
    os.close(leader)
    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    assert b"budget" in shown
    assert b"coverage" in shown
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")
    assert b"resume with: evolve resume" in shown
