"""Nothing that an evaluator, its sandbox or its candidates started outlives them, whoever is killed."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from evaluators.contract import Failure
from evaluators.guard import is_server
from evaluators.process import JudgeProcess
from evaluators.spec import JudgeSpec, LimitsSpec, ProcessSpec
from sandbox.orphans import TOKEN_VARIABLE
from tests.marked_processes import kill_all, leftovers, marked, wait_for

# Starts a child, a child in its own session, and a daemon that nobody is the parent of, then does what the test says.
EVALUATE = """
import os, subprocess, sys, time

SLEEP = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"]


def start_helpers():
    subprocess.Popen(SLEEP)
    subprocess.Popen(SLEEP, start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, SLEEP)
        os._exit(0)


def evaluate(candidate):
    start_helpers()
    candidate.call("answer")
    with open({ready!r}, "w") as file:
        file.write("ready")
    {body}
    return {{"score": 1.0, "descriptor": {{}}}}
"""
CANDIDATE = {"seed.py": "import time\ndef answer(): return 1.0\ndef sleep(): time.sleep(600)\n"}
CONTROLLER = """
import json, sys
from evaluators.process import JudgeProcess
from evaluators.spec import JudgeSpec
with JudgeProcess(JudgeSpec.from_mapping(json.loads(sys.argv[1]))) as judge:
    judge.evaluate(json.loads(sys.argv[2]))
"""
WORKER = """
import asyncio, json, sys
from evolve import tasks
from evolve.executors import LocalExecutor
async def main():
    executor = LocalExecutor(n_workers=1, handler=tasks.HANDLER)
    await executor.start()
    print(executor.worker_pids[0], flush=True)
    child = {"files": json.loads(sys.argv[2]), "rng_seed": 0}
    await executor.submit(tasks.EVALUATE, {"judge": json.loads(sys.argv[1]), "children": [child]})
asyncio.run(main())
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of all processes that this test starts: it marks them."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def spec_of(folder: Path, body: str, *, wall_seconds: float = 600.0) -> JudgeSpec:
    (folder / "evaluate.py").write_text(EVALUATE.format(ready=str(folder / "ready"), body=body), encoding="utf-8")
    return JudgeSpec(
        language="python",
        folder=str(folder),
        file="evaluate.py",
        limits=LimitsSpec(wall_seconds=600.0),
        process=ProcessSpec(wall_seconds=wall_seconds),
    )


HELPERS = 3


def test_a_closed_judge_takes_all_that_was_started_with_it(tmp_path: Path, temporary: Path) -> None:
    with JudgeProcess(spec_of(tmp_path, "pass")) as judge:
        assert judge.evaluate(CANDIDATE).score == 1.0
        assert wait_for(lambda: len(marked(temporary)) >= HELPERS + 3)  # guard, judging process, server

    assert leftovers(temporary) == []


@pytest.mark.parametrize(
    "body", ["os._exit(1)", "os.kill(os.getpid(), 11)", "time.sleep(600)", "os.kill(os.getppid(), 9)"]
)
def test_an_evaluator_that_crashes_or_hangs_leaves_nothing(tmp_path: Path, temporary: Path, body: str) -> None:
    judge = JudgeProcess(spec_of(tmp_path, body, wall_seconds=1.0))

    evaluation = judge.evaluate(CANDIDATE)

    assert evaluation.failure is Failure.EVALUATOR
    if "getppid" not in body:  # whoever kills the guard gets rid of it: then only what dies with its parent is gone
        assert marked(temporary) == []
    kill_all(marked(temporary))
    judge.close()


@pytest.mark.parametrize("body", ["time.sleep(600)", "candidate.call('sleep')", "while True: pass"])
def test_nothing_outlives_a_controller_that_was_killed(tmp_path: Path, temporary: Path, body: str) -> None:
    spec = json.dumps(spec_of(tmp_path, body).to_mapping())
    with subprocess.Popen([sys.executable, "-c", CONTROLLER, spec, json.dumps(CANDIDATE)]) as controller:
        assert wait_for((tmp_path / "ready").exists)
        assert wait_for(lambda: len(marked(temporary)) >= HELPERS + 4)
        controller.kill()

    assert leftovers(temporary) == []


@pytest.mark.parametrize("victim", ["controller", "worker"])
def test_nothing_outlives_a_worker_that_was_killed_or_its_controller(
    tmp_path: Path, temporary: Path, victim: str
) -> None:
    spec = json.dumps(spec_of(tmp_path, "time.sleep(600)").to_mapping())
    command = [sys.executable, "-c", WORKER, spec, json.dumps(CANDIDATE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        worker = int(controller.stdout.readline())
        assert wait_for((tmp_path / "ready").exists)
        old = set(marked(temporary)) - {controller.pid}
        os.kill(worker if victim == "worker" else controller.pid, signal.SIGKILL)
        assert wait_for(lambda: not old & set(marked(temporary)))
        controller.kill()

    assert leftovers(temporary) == []


def test_a_judge_that_is_killed_from_outside_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    judge = JudgeProcess(spec_of(tmp_path, "pass"))
    judge.evaluate(CANDIDATE)
    (judging,) = children_of(judge.guard_pid)
    os.kill(judging, signal.SIGKILL)

    assert leftovers(temporary) == []
    assert judge.evaluate(CANDIDATE).score == 1.0
    judge.close()
    assert leftovers(temporary) == []


def children_of(pid: int | None) -> list[int]:
    """The judging process alone: what fell to the guard is left out."""
    words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = []
    for word in words:
        with suppress(OSError):  # it fell to the guard, and has just been buried
            if b"guard" in Path(f"/proc/{word}/cmdline").read_bytes():
                found.append(int(word))
    return found


@pytest.mark.parametrize(("environment", "is_one"), [({TOKEN_VARIABLE: "f" * 32}, True), ({"PATH": "/bin"}, False)])
def test_the_guard_knows_a_sandboxs_server_that_lives_from_a_helper_and_from_a_dead_one(
    environment: dict[str, str], is_one: bool
) -> None:
    command = ["/bin/sh", "-c", "echo 1; read line"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        lives = is_server(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert (lives, is_server(process.pid)) == (is_one, False)


def test_no_descriptor_of_the_controller_is_left_open(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, "pass")
    (tmp_path / "evaluate.py").write_text("import os\ndef evaluate(candidate): os._exit(1)\n", encoding="utf-8")
    with JudgeProcess(spec) as judge:
        judge.evaluate(CANDIDATE)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(2):
            judge.evaluate(CANDIDATE)

        assert len(os.listdir("/proc/self/fd")) == before
