import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from evolve.cli.conduct import Conductor, choose_display, conduct, exit_code_of, fall_silent, report, resume_command_of
from evolve.cli.live import LiveDisplay
from evolve.cli.output import Output
from evolve.cli.plain import PlainDisplay
from evolve.cli.progress import Progress
from evolve.cli.run_commands import budget_of
from evolve.config.settings import resolve_settings
from evolve.errors import EXIT_TARGET_NOT_REACHED
from evolve.loop.events import Event, RunSummary

PROGRESS = {"evaluations": 3, "seconds": 1.0, "session_seconds": 1.0, "best_score": 2.0, "best_id": 2, "target": 5.0}


def summary(*, stopped_by: str = "time", signal: int | None = None, best_score: float | None = 2.0) -> RunSummary:
    return RunSummary(
        run="runs/a toy/1",
        evaluations=3,
        elites=2,
        best_score=best_score,
        best_id=2,
        archive_hash="abc",
        stopped_by=stopped_by,
        signal=signal,
        seconds=1.5,
    )


def scripted(ending: RunSummary) -> Callable[[Callable[[Event], None]], RunSummary]:
    def run(listener: Callable[[Event], None]) -> RunSummary:
        started = {"run": "runs/a toy/1", "problem": "toy", "workers": 2, "window": 8, "rng_seed": 0, "evaluations": 0}
        listener(Event(kind="started", data=started))
        listener(Event(kind="seed", data={"id": 1, "score": 0.5, "metrics": {"bad": float("nan")}}))
        listener(Event(kind="progress", data=PROGRESS))
        listener(Event(kind="stopped", data=ending.to_mapping()))
        return ending

    return run


class Watcher:
    def __init__(self) -> None:
        self.kinds: list[str] = []

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def show(self, kind: str, progress: Progress) -> None:
        self.kinds.append(kind)


def test_a_run_for_people_ends_with_how_to_resume(capsys: pytest.CaptureFixture[str]) -> None:
    code = conduct(scripted(summary()), Output(as_json=False))

    captured = capsys.readouterr()
    assert code == 0
    assert captured.err == ""
    assert "seed      score 0.5" in captured.out
    assert "stopped: the time is up" in captured.out
    assert "best 2, candidate 2; 3 evaluations, 2 elites, 1.5s" in captured.out
    assert captured.out.endswith("resume with: evolve resume 'runs/a toy/1' --time 3s\n")


def test_a_run_for_scripts_writes_json_lines_and_the_summary_last(capsys: pytest.CaptureFixture[str]) -> None:
    conduct(scripted(summary()), Output(as_json=True))

    captured = capsys.readouterr()
    documents = [json.loads(line) for line in captured.out.splitlines()]
    assert [document.get("kind") for document in documents] == ["started", "seed", "progress", None]
    assert documents[1]["metrics"] == {"bad": None}
    assert documents[-1] == {
        "schema": "evolve.run/1",
        "run": "runs/a toy/1",
        "evaluations": 3,
        "elites": 2,
        "best_score": 2.0,
        "best_id": 2,
        "archive_hash": "abc",
        "stopped_by": "time",
        "signal": None,
        "seconds": 1.5,
        "evaluator_failures": 0,
        "models": None,
        "replay_equal": None,
        "exit_code": 0,
        "resume": "evolve resume 'runs/a toy/1' --time 3s",
    }
    assert "resume with: evolve resume" in captured.err


@pytest.mark.parametrize(
    ("stopped_by", "more"),
    [("evaluations", " --evaluations 6"), ("time", " --time 3s"), ("signal", ""), ("exhausted", "")],
)
def test_the_command_that_resumes_raises_the_amount_that_is_spent(stopped_by: str, more: str) -> None:
    assert resume_command_of(summary(stopped_by=stopped_by)) == f"evolve resume 'runs/a toy/1'{more}"


def test_after_an_unsafe_run_the_command_that_resumes_allows_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    conduct(scripted(summary()), Output(as_json=False), unsafe_sandbox=True)

    assert capsys.readouterr().out.endswith("resume with: evolve resume 'runs/a toy/1' --time 3s --unsafe-sandbox\n")


def test_failures_of_the_evaluator_are_told_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    report(replace(summary(), evaluator_failures=2), Output(as_json=False), 0)

    assert "2 of 3 evaluations failed in the evaluator (see evolve status 'runs/a toy/1')" in capsys.readouterr().out


def test_a_run_without_a_best_does_not_offer_to_show_it(capsys: pytest.CaptureFixture[str]) -> None:
    report(replace(summary(stopped_by="signal", best_score=None), best_id=None), Output(as_json=False), 130)

    text = capsys.readouterr().out
    assert "best -; 3 evaluations" in text
    assert "evolve best" not in text


def test_the_number_of_a_candidate_is_written_as_commands_take_it(capsys: pytest.CaptureFixture[str]) -> None:
    report(replace(summary(), best_id=1246), Output(as_json=False), 0)

    assert "candidate 1246;" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ending", "target", "required", "code"),
    [
        (summary(), None, False, 0),
        (summary(), 5.0, False, 0),
        (summary(), 5.0, True, EXIT_TARGET_NOT_REACHED),
        (summary(), 2.0, True, 0),
        (summary(best_score=None), 5.0, True, EXIT_TARGET_NOT_REACHED),
        (summary(stopped_by="target"), None, True, 0),
        (summary(stopped_by="signal", signal=2), 5.0, True, 130),
        (summary(stopped_by="signal", signal=15), None, False, 143),
    ],
)
def test_the_exit_code_says_how_it_ended(ending: RunSummary, target: float | None, required: bool, code: int) -> None:
    assert exit_code_of(ending, target=target, target_required=required) == code


def test_a_required_target_is_the_one_that_the_loop_tells(capsys: pytest.CaptureFixture[str]) -> None:
    assert conduct(scripted(summary()), Output(as_json=False), target_required=True) == EXIT_TARGET_NOT_REACHED
    assert "the required target was not reached" in capsys.readouterr().out


def test_reports_of_progress_are_thinned_out_but_all_counted() -> None:
    seconds = iter([0.0, 0.1, 0.2, 0.3])
    watcher = Watcher()
    conductor = Conductor(Output(as_json=False), watcher, clock=lambda: next(seconds))

    for evaluations in range(4):
        conductor.hear(Event(kind="progress", data={"evaluations": evaluations}))

    assert watcher.kinds == ["progress", "progress"]
    assert conductor.progress.latest["evaluations"] == 3


def test_without_a_terminal_lines_are_plain() -> None:
    assert isinstance(choose_display(Output(as_json=False), plain=False), PlainDisplay)


def test_on_a_terminal_the_display_is_live_unless_plain_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    leader, follower = os.openpty()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(follower, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        live = choose_display(Output(as_json=False), plain=False)
        plain = choose_display(Output(as_json=False), plain=True)
        for_scripts = choose_display(Output(as_json=True), plain=False)
    os.close(leader)

    assert isinstance(live, LiveDisplay)
    assert isinstance(plain, PlainDisplay)
    assert isinstance(for_scripts, PlainDisplay)


def budget(command_line: Mapping[str, Any], problem: Mapping[str, Any], **environment: str) -> dict[str, Any]:
    variables = {"XDG_CONFIG_HOME": "/nowhere", **environment}
    budget = budget_of(resolve_settings(command_line=command_line, environment=variables, problem=problem))
    return {name: budget[name] for name in ("evaluations", "seconds", "target")}


def test_an_amount_given_replaces_the_problems_amounts() -> None:
    problem = {"evaluations": 100, "seconds": 60.0, "target": 9.0}

    assert budget({}, problem) == {"evaluations": 100, "seconds": 60.0, "target": 9.0}
    assert budget({"seconds": 5.0}, problem) == {"evaluations": None, "seconds": 5.0, "target": 9.0}
    assert budget({"target": 1.0}, problem) == {"evaluations": 100, "seconds": 60.0, "target": 1.0}
    assert budget({}, problem, EVOLVE_EVALUATIONS="7") == {"evaluations": 7, "seconds": None, "target": 9.0}


def test_falling_silent_leaves_working_streams_alone(capsys: pytest.CaptureFixture[str]) -> None:
    fall_silent()
    Output(as_json=False).say("still here")

    assert capsys.readouterr().out == "still here\n"
