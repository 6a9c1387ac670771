"""kill -9 of the controller among paid requests: no reply on record is paid for again, and the end is the same.

One kill on one problem by default; every problem, killed again and again, with EVOLVE_ALL_TESTS in the environment.
"""

import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from evolve.errors import UsageError
from evolve.loop import replay_run, resume_run
from evolve.store import CallRecord
from evolve.testing.llm_server import LLMServer, say, threaded
from evolve.testing.llm_server_actions import Action, Request, Silence
from tests.extent import ALL_TESTS
from tests.integration.language_model_runs import as_the_fake_model, calls_of, run, silent
from tests.marked_processes import wait_for

SETTINGS = {"evaluations": 24 if ALL_TESTS else 10, "window": 3, "workers": 1, "rng_seed": 3}
KILLED_AFTER = (1, 2, 3, 5, 8, 13) if ALL_TESTS else (6,)
PROBLEMS = ("python_problem", "symbolic_problem") if ALL_TESTS else ("python_problem",)


class Reticent:
    """Answers some requests, and none after those: whoever asks then is still there when it is to be killed."""

    def __init__(self) -> None:
        self.last_answered = sys.maxsize

    def __call__(self, request: Request) -> Action:
        is_answered = request.number <= self.last_answered
        return say(as_the_fake_model, delay_seconds=0.005) if is_answered else Silence()


def await_all_that_was_sent(server: LLMServer) -> None:
    """Wait until a server has heard everything that processes which are gone have said to it."""
    with socket.create_connection(("127.0.0.1", int(server.root_url.rpartition(":")[2]))):
        assert wait_for(lambda: server.n_open == 1)  # connections come in order: with ours all others did


def command(folder: Path, run_dir: Path, server: LLMServer) -> list[str]:
    """The same search as a process of its own."""
    evolve = [sys.executable, "-m", "evolve"]
    if (run_dir / "run.db").exists():
        return [*evolve, "resume", str(run_dir), "--json"]
    names = {"evaluations": "--evaluations", "window": "--window", "workers": "--workers", "rng_seed": "--seed"}
    options = [word for name, value in SETTINGS.items() for word in (names[name], str(value))]
    where = ["--run-dir", str(run_dir), "--model", f"chat:m@{server.base_url}", "--no-symbolic", "--json"]
    return [*evolve, "run", str(folder), *where, *options]


def on_record(run_dir: Path) -> int:
    """How many questions have their reply."""
    try:
        return sum(call.is_final for call in calls_of(run_dir))
    except UsageError:
        return 0


def tokens_of(calls: list[CallRecord]) -> int:
    return sum(call.input_tokens + call.output_tokens for call in calls)


@pytest.mark.parametrize("language", PROBLEMS)
def test_a_killed_run_asks_only_what_has_no_reply_on_record(
    language: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-settings"))
    folder, killed = request.getfixturevalue(language), tmp_path / "killed"
    plan = Reticent()
    with threaded(plan) as server:
        model = (f"chat:m@{server.base_url}",)
        whole = run(folder, tmp_path / "whole", models=model, symbolic=False, durability="full", **SETTINGS)
        n_questions = len(server.requests)
        lost = []
        for n_more in KILLED_AFTER:
            before = len(server.requests), on_record(killed)
            plan.last_answered = before[0] + n_more - 1
            with subprocess.Popen(command(folder, killed, server), stdout=subprocess.DEVNULL) as process:
                assert wait_for(lambda: len(server.requests) >= before[0] + n_more)  # noqa: B023
                process.send_signal(signal.SIGKILL)
                assert process.wait() == -signal.SIGKILL
            await_all_that_was_sent(server)
            lost.append(len(server.requests) - before[0] - (on_record(killed) - before[1]))
        plan.last_answered = sys.maxsize
        resumed = resume_run(killed, silent)

    calls = calls_of(killed)
    assert resumed.archive_hash == whole.archive_hash
    assert all(0 <= n <= SETTINGS["window"] for n in lost)
    assert len(server.requests) == 2 * n_questions + sum(lost)
    assert set(Counter((call.iteration, call.ordinal) for call in calls).values()) == {1}
    assert tokens_of(calls) == tokens_of(calls_of(tmp_path / "whole")) > 0
    assert replay_run(killed).equal
