"""Timed evaluations take turns: one at a time on a machine, or on a card."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from evaluators.exclusive import PROCESSORS, Turn, alone, private_folder
from evaluators.judge import Judge
from evaluators.spec import TURN_SECONDS, JudgeSpec, StageSpec
from sandbox.errors import SandboxError
from tests.unit.evaluators.test_evaluator_stages import FILES, ScriptedSandbox

HOLDER = """
import sys, time
from pathlib import Path
from evaluators.exclusive import alone
with alone(folder=Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(600)
"""
STAGES = """
def measured(candidate):
    return {"score": candidate.call("answer"), "artifacts": {"seen": candidate.gpus}}
stages = {"right": measured, "fast": measured}
"""


def test_no_two_measure_at_a_time(tmp_path: Path) -> None:
    inside, most = [0], [0]

    def measure() -> None:
        for _ in range(3):
            with alone(folder=tmp_path):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.001)
                inside[0] -= 1

    threads = [threading.Thread(target=measure) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1]


def test_a_holder_that_is_killed_gives_its_turn_back(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"mine\n"
            held = rf"{PROCESSORS}\.lock is held by process {holder.pid}; is it stuck"
            with pytest.raises(SandboxError, match=held), alone(folder=tmp_path, seconds=0.0):
                pass
        finally:
            os.kill(holder.pid, signal.SIGKILL)

    with alone(folder=tmp_path) as turn:
        assert turn.waited_seconds >= 0


def test_cards_are_waited_for_one_by_one(tmp_path: Path) -> None:
    with alone(("GPU-a",), folder=tmp_path, seconds=0.0), alone(("GPU-b", "MIG-c"), folder=tmp_path, seconds=0.0):
        with alone(folder=tmp_path, seconds=0.0):  # who measures processors waits for no card
            pass
        with pytest.raises(SandboxError, match=r"GPU-b\.lock is held"), alone(("GPU-b",), folder=tmp_path, seconds=0.0):
            pass
        both = alone(("GPU-d", "MIG-c"), folder=tmp_path, seconds=0.0)
        with pytest.raises(SandboxError, match=r"MIG-c\.lock is held"), both:
            pass
        with alone(("GPU-d",), folder=tmp_path, seconds=0.0):  # who did not get all of its cards holds none
            pass


def test_the_evaluators_clock_stands_still_while_it_waits_and_no_longer(tmp_path: Path) -> None:
    said: list[str] = []

    @contextmanager
    def pause() -> Iterator[None]:
        said.append("pause")
        yield
        said.append("go on")

    with alone(folder=tmp_path, pause=pause):
        said.append("measure")

    assert said == ["pause", "go on", "measure"]


def test_a_turn_tells_how_busy_the_machine_was(tmp_path: Path) -> None:
    with alone(folder=tmp_path) as turn:
        told = turn.told()

    assert re.match(r"measured alone for \d+\.\d", told)
    assert " busy (" in told
    assert "load average" in told
    assert "card" not in told


def test_a_card_nobody_can_ask_about_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with alone(("GPU-a",), folder=tmp_path) as turn:
        assert "nvidia-smi did not answer" in turn.told()


def test_a_turn_tells_what_else_the_card_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\ncase $1 in *apps*) echo GPU-a, 7; echo GPU-b, 8;; *) echo GPU-a, 42;; esac\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with alone(("GPU-a",), folder=tmp_path) as turn:
        assert turn.told().endswith("before, 1 other processes on the card, 42 % busy")


def test_names_of_cards_cannot_leave_the_folder(tmp_path: Path) -> None:
    with alone(("../../GPU/a",), folder=tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["______GPU_a.lock"]


def test_the_folder_of_locks_is_private(tmp_path: Path) -> None:
    folder = private_folder([str(tmp_path)])

    assert folder == private_folder([str(tmp_path)])
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(SandboxError, match="is open to others"):
        private_folder([str(tmp_path)])
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(SandboxError, match="is open to others"):
        private_folder([str(tmp_path)])
    with pytest.raises(SandboxError, match=r"none of .* can be written"):
        private_folder([str(tmp_path / "missing")])


def stages_of(folder: Path, *, exclusive: bool = False, only: str = "") -> JudgeSpec:
    (folder / "evaluate.py").write_text(STAGES, encoding="utf-8")
    stages = tuple(StageSpec(name=name, exclusive=name == only) for name in ("right", "fast"))
    return JudgeSpec(
        language="python", folder=str(folder), file="evaluate.py", stages=stages, exclusive=exclusive, repeats=2
    )


def judged(spec: JudgeSpec, folder: Path) -> tuple[list[tuple[str, ...]], dict[str, str]]:
    """For which cards turns were asked, and what the evaluation tells."""
    asked: list[tuple[str, ...]] = []

    @contextmanager
    def turns(cards: object) -> Iterator[Turn]:
        assert isinstance(cards, tuple)
        asked.append(cards)
        with alone(folder=folder) as turn:
            yield turn

    evaluation = Judge(spec, ScriptedSandbox([1.0] * 4), turns=turns).evaluate(FILES)
    assert evaluation.score == 1.0
    return asked, dict(evaluation.artifacts)


def test_an_exclusive_stage_has_one_turn_for_all_its_repeats(tmp_path: Path) -> None:
    asked, told = judged(stages_of(tmp_path, only="fast"), tmp_path)

    assert asked == [()]
    assert "measured alone" in told["machine"]


def test_an_exclusive_evaluator_has_a_turn_for_each_stage(tmp_path: Path) -> None:
    asked, _ = judged(stages_of(tmp_path, exclusive=True), tmp_path)

    assert asked == [(), ()]


def test_other_evaluations_wait_for_nobody(tmp_path: Path) -> None:
    asked, told = judged(stages_of(tmp_path), tmp_path)

    assert asked == []
    assert "machine" not in told


def test_the_turn_is_of_the_cards_and_the_evaluator_sees_them(tmp_path: Path) -> None:
    asked, told = judged(
        JudgeSpec.from_mapping({**stages_of(tmp_path, only="fast").to_mapping(), "gpus": ["GPU-a"]}), tmp_path
    )

    assert asked == [("GPU-a",)]
    assert told["seen"] == "('GPU-a',)"


def test_the_time_that_turns_may_take_is_allowed(tmp_path: Path) -> None:
    plain = stages_of(tmp_path).longest_seconds

    assert stages_of(tmp_path, only="fast").longest_seconds == plain + TURN_SECONDS
    assert stages_of(tmp_path, exclusive=True).longest_seconds == plain + 2 * TURN_SECONDS


def test_partial_turns_are_what_the_judge_takes(tmp_path: Path) -> None:
    judge = Judge(stages_of(tmp_path, only="right"), ScriptedSandbox([1.0] * 4), turns=partial(alone, folder=tmp_path))

    assert judge.evaluate(FILES).score == 1.0
    assert (tmp_path / f"{PROCESSORS}.lock").read_text() == f"process {os.getpid()}\n"
