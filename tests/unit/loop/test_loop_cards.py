"""Which cards a run gets, on machines that are made up, and what is said and stored where there are none."""

import asyncio
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.candidate import Candidate
from evaluators.contract import Evaluation
from evaluators.exclusive import private_folder
from evolve.config.problem import Problem, load_problem
from evolve.errors import EvolveEnvironmentError
from evolve.executors import LocalExecutor
from evolve.executors.card_executor import CardExecutor
from evolve.loop import RunOptions, resume_run, start_run
from evolve.loop.cards import CARDS, PROCESSORS, CardPlan, change_of_device, doubts_about, plan_cards
from evolve.loop.events import Event
from evolve.loop.memory import judged
from evolve.loop.session import executor_for
from evolve.store import CandidateRecord, RunReader
from sandbox.gpu_watch import counts_as_the_machine
from tests.unit.sandbox.made_up_cards import CUT, CUT_LIST, CUT_REPORT, H200, TWO, MadeUpCards


def problem_with(folder: Path, gpus: str, more: str = "") -> Problem:
    with (folder / "problem.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[sandbox]\ngpus = {gpus}\n{more}")
    return load_problem(folder)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a driver."""
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


@pytest.fixture
def with_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make this machine one with those cards."""

    def made(cards: str, **more: str) -> MadeUpCards:
        made_up = MadeUpCards(tmp_path, cards, **more)
        monkeypatch.setenv("PATH", f"{made_up.folder}:/usr/bin:/bin")
        return made_up

    return made


def planned(problem: Problem, *, visible: str | None = None, **options: Any) -> CardPlan:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    plan = plan_cards(problem, RunOptions(**options), environment=environment)
    assert plan is not None
    return plan


def test_a_problem_without_cards_has_no_plan(python_problem: Path, symbolic_problem: Path) -> None:
    assert plan_cards(load_problem(symbolic_problem), RunOptions()) is None
    assert plan_cards(problem_with(python_problem, '"none"'), RunOptions()) is None


def test_an_evaluation_has_a_whole_card_unless_told_otherwise(python_problem: Path, with_cards: Any) -> None:
    with_cards(TWO)
    problem = problem_with(python_problem, '"auto"')

    whole, quarter = planned(problem), planned(problem, gpus=0.25)

    assert (whole.uuids, whole.share) == (("GPU-aaaa", "GPU-bbbb"), 1.0)
    assert quarter.judge_changes == {"gpus": ("GPU-aaaa",), "gpu_share": 0.25}
    assert whole.record(3, "") == {
        "session": 3,
        "kind": CARDS,
        "cards": ["NVIDIA H100 80GB HBM3"] * 2,
        "share": 1.0,
        "notice": "",
    }


def test_the_problem_says_what_share_it_needs_and_the_command_line_says_better(
    python_problem: Path, with_cards: Any
) -> None:
    with_cards(H200)
    problem = problem_with(python_problem, '"needed"', "gpu_share = 0.5\n")

    assert planned(problem).share == 0.5
    assert planned(problem, gpus=0.2).share == 0.2
    assert problem.settings_mapping()["gpus"] == 0.5


def test_a_list_of_cards_is_had_as_a_whole(python_problem: Path, with_cards: Any) -> None:
    with_cards(TWO)
    problem = problem_with(python_problem, "[1, 0]")

    assert planned(problem).share == 2.0
    assert planned(problem, gpus=0.5).uuids == ("GPU-aaaa", "GPU-bbbb")


def test_who_measures_time_has_a_card_alone(python_problem: Path, with_cards: Any) -> None:
    with_cards(H200)
    problem = problem_with(python_problem, '"auto"')
    tables = problem.tables
    timed = replace(
        problem, tables=tables.model_copy(update={"evaluator": tables.evaluator.model_copy(update={"exclusive": True})})
    )

    assert planned(timed, gpus=0.25).share == 1.0


def test_the_parts_of_a_card_that_is_cut_are_cards(python_problem: Path, with_cards: Any) -> None:
    with_cards(CUT, listed=CUT_LIST, report=CUT_REPORT)

    assert planned(problem_with(python_problem, '"auto"')).uuids == ("MIG-1111", "MIG-2222", "GPU-bbbb")


@pytest.mark.parametrize(
    ("visible", "left"),
    [("1", ("GPU-bbbb",)), ("GPU-aa", ("GPU-aaaa",)), ("0, 1", ("GPU-aaaa", "GPU-bbbb")), ("7", ()), ("", ())],
)
def test_cards_that_a_batch_system_gave_to_others_are_left_alone(
    python_problem: Path, with_cards: Any, visible: str, left: tuple[str, ...]
) -> None:
    with_cards(TWO)
    plan = planned(problem_with(python_problem, '"auto"'), visible=visible)

    assert plan.uuids == left
    assert bool(plan.notice) == (not left)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("gpus", ['"needed"', "[0]"])
def test_a_needed_card_that_is_not_there_ends_it_before_it_begins(python_problem: Path, gpus: str) -> None:
    problem = problem_with(python_problem, gpus)

    with pytest.raises(EvolveEnvironmentError, match="there is no 'nvidia-smi', so no NVIDIA driver") as caught:
        start_run(problem, python_problem / "run", RunOptions(workers=1), print)

    assert caught.value.exit_code == 5
    assert f"[sandbox] gpus = {gpus}" in caught.value.message
    assert not (python_problem / "run").exists()


@pytest.mark.parametrize(
    ("cards", "gpus", "share", "why"),
    [
        (H200, "[0, 3]", None, "there is no card 3, nvidia-smi shows 0"),
        (H200, '"needed"', 2.0, "one evaluation is to have 2 cards, and there are 1"),
        (H200, '"auto"', 2.0, "one evaluation is to have 2 cards, and there are 1"),
        (H200.replace("Default", "Exclusive_Process"), '"auto"', 0.5, "lets in one process at a time"),
        (
            H200.replace("143771", "2048"),
            '"auto"',
            0.25,
            r"0.25 of card 0 \(2048 MiB\) is less than CUDA itself may take",
        ),
        (H200.replace("Disabled", "Enabled"), '"needed"', None, r"card 0 is set to be cut \(MIG\) and has no parts"),
        (H200.replace("Default", "Prohibited"), '"needed"', None, "nvidia-smi shows none that programs can use"),
        ("", '"needed"', None, "nvidia-smi shows none"),
        ("rubbish", '"needed"', None, "says what nobody understands"),
    ],
)
def test_cards_that_cannot_be_given_like_this_are_refused_with_the_reason(
    python_problem: Path, with_cards: Any, cards: str, gpus: str, share: float | None, why: str
) -> None:
    with_cards(cards, listed="GPU 0: NVIDIA H200 (UUID: GPU-8f6a)\n")

    with pytest.raises(EvolveEnvironmentError, match=why):
        planned(problem_with(python_problem, gpus), gpus=share)


def test_a_cluster_looks_for_its_cards_itself(python_problem: Path) -> None:
    plan = planned(problem_with(python_problem, '"needed"'), executor="ray", gpus=0.25)

    assert (plan.is_remote, plan.is_needed, plan.units) == (True, True, ())
    assert plan.judge_changes == {"gpu_share": 0.25}


@pytest.mark.usefixtures("bare")
def test_that_processors_judge_is_said_and_stored_and_so_is_a_change(python_problem: Path) -> None:
    said: list[Event] = []
    run_dir = python_problem / "run"

    start_run(problem_with(python_problem, '"auto"'), run_dir, RunOptions(workers=1, evaluations=1), said.append)

    (warning,) = [event.data for event in said if event.kind == "warning"]
    assert warning["loud"] is True
    assert warning["text"].startswith("NO GRAPHICS CARD: candidates are judged on processors")
    with closing(RunReader(run_dir)) as reader:
        (device,) = reader.meta()["devices"]
    assert (device["session"], device["kind"], device["notice"]) == (1, PROCESSORS, warning["text"])

    on_cards = json.dumps([{**device, "kind": CARDS, "cards": ["NVIDIA H200"], "notice": ""}])
    with closing(sqlite3.connect(run_dir / "run.db")) as connection, connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'devices'", (on_cards,))
    said.clear()
    resume_run(run_dir, said.append, evaluations=2)

    again, change = [event.data["text"] for event in said if event.kind == "warning"]
    assert again == warning["text"]
    assert change.startswith(
        "candidates of earlier sessions were judged on NVIDIA H200, those of this one on processors"
    )
    with closing(RunReader(run_dir)) as reader:
        assert [each["session"] for each in reader.meta()["devices"]] == [1, 2]


def test_shares_that_nobody_holds_are_told(python_problem: Path, with_cards: Any) -> None:
    with_cards(H200.replace("143771", "[N/A]"))
    problem = problem_with(python_problem, '"auto"')

    told = doubts_about(planned(problem, gpus=0.25))

    assert told[0] == "nobody knows how large card 0 is: candidates there share it without a limit"
    assert len(told) == (1 if counts_as_the_machine() else 2)
    assert doubts_about(planned(problem)) == []


def test_sessions_alike_are_no_news() -> None:
    record = {"session": 2, "kind": CARDS, "cards": ["NVIDIA H200"], "share": 0.5, "notice": ""}

    assert change_of_device([], record) == ""
    assert change_of_device([{**record, "session": 1, "share": 1.0}], record) == ""
    assert "judged on NVIDIA A100" in change_of_device([{**record, "cards": ["NVIDIA A100"]}], record)


def test_workers_belong_to_cards_where_there_are_some(python_problem: Path, with_cards: Any) -> None:
    with_cards(TWO.replace("GPU-", f"GPU-{os.getpid()}-"))  # others run this test too, and claim their cards
    problem = problem_with(python_problem, '"auto"')
    options = RunOptions(workers=16, gpus=0.25)

    shared = executor_for(problem, options, plan_cards(problem, options, environment={}))

    assert isinstance(shared, CardExecutor)
    assert shared.capacity == 8
    asyncio.run(shared.close())
    for path in private_folder().glob(f"shares-of-GPU-{os.getpid()}-*"):
        path.unlink()
    assert isinstance(executor_for(problem, options, None), LocalExecutor)


def test_how_busy_the_machine_was_is_no_feedback_for_operators() -> None:
    evaluation = Evaluation(score=1.0, artifacts={"machine": "measured alone", "why": "too slow"})
    candidate = Candidate(id=1, files={"seed.py": "pass"}, fingerprint="f")

    seen = judged(CandidateRecord(candidate=candidate, evaluation=evaluation, island=0, status="new", cell=0))

    assert dict(seen.artifacts) == {"why": "too slow"}
