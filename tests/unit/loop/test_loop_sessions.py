"""Sessions of a run on a toy problem: which options count, what a resume changes, how a certificate is written."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from evolve.config.problem import load_problem
from evolve.errors import EvolveEnvironmentError, ProblemError, SeedError, UsageError
from evolve.loop import Event, RunOptions, RunSummary, replay_run, resume_run, start_run, verify_candidate
from evolve.loop.setup import build_operators, build_search
from evolve.operators.symbolic import SymbolicBurst
from evolve.store import RunReader, RunWriter
from tests.conftest import PYTHON_EVALUATE, PYTHON_SEED, PYTHON_TOML, write_problem

pytestmark = pytest.mark.xdist_group("loop-sessions")  # what its tests share is made once


def silent(event: Event) -> None:
    del event


def started(folder: Path, run_dir: Path, **options: Any) -> tuple[RunSummary, list[Event]]:
    events: list[Event] = []
    settings: dict[str, Any] = {"rng_seed": 3, "workers": 1, "durability": "fast"}
    return start_run(load_problem(folder), run_dir, RunOptions(**settings | options), events.append), events


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run of three evaluations that has ended, and how."""

    run_dir: Path
    summary: RunSummary


@pytest.fixture(scope="module")
def ended_once(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The run that the tests below have copies of."""
    folder = tmp_path_factory.mktemp("ended")
    problem = write_problem(folder / "toy", toml=PYTHON_TOML, seed=PYTHON_SEED, evaluate=PYTHON_EVALUATE)
    summary, _ = started(problem, folder / "run", evaluations=3)
    return Ended(run_dir=folder / "run", summary=summary)


@pytest.fixture
def ended(ended_once: Ended, tmp_path: Path) -> Ended:
    """A copy of it, to be gone on with."""
    shutil.copytree(ended_once.run_dir, tmp_path / "run")
    return Ended(run_dir=tmp_path / "run", summary=ended_once.summary)


def recorded_options(run_dir: Path) -> dict[str, Any]:
    reader = RunReader(run_dir)
    options: dict[str, Any] = reader.meta()["options"]
    reader.close()
    return options


def rewritten(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_what_the_options_leave_open_comes_from_the_problem_and_is_recorded(
    python_problem: Path, tmp_path: Path
) -> None:
    rewritten(python_problem / "problem.toml", "evaluations = 40", "evaluations = 3\ntarget = 99.0")

    summary, events = started(python_problem, tmp_path / "run")

    assert (summary.evaluations, summary.stopped_by) == (3, "evaluations")
    options = recorded_options(tmp_path / "run")
    assert {name: options[name] for name in ("evaluations", "seconds", "target", "window")} == {
        "evaluations": 3,
        "seconds": None,
        "target": 99.0,
        "window": 4,
    }
    assert events[0].kind == "started"
    assert events[0].data["budget"] == {"evaluations": 3, "seconds": None, "target": 99.0}


def test_one_budget_given_replaces_all_of_the_problems_and_events_come_in_order(
    python_problem: Path, tmp_path: Path
) -> None:
    rewritten(python_problem / "problem.toml", "evaluations = 40", "evaluations = 2")

    summary, events = started(python_problem, tmp_path / "run", target=-12.999, window=2)

    kinds = [event.kind for event in events]
    assert summary.stopped_by == "target"
    assert recorded_options(tmp_path / "run")["evaluations"] is None
    assert recorded_options(tmp_path / "run")["window"] == 2
    assert kinds[:2] == ["started", "seed"]
    assert kinds[-1] == "stopped"
    assert events[-1].data == asdict(summary)


def test_a_resume_keeps_what_it_is_not_told_and_records_what_it_is(ended: Ended) -> None:
    before = recorded_options(ended.run_dir)

    again = resume_run(ended.run_dir, silent, target=1e9, evaluations=5)

    assert again.evaluations == 5
    assert recorded_options(ended.run_dir) == before | {"evaluations": 5, "target": 1e9}
    assert replay_run(ended.run_dir).equal


def test_a_resume_that_has_nothing_to_do_changes_the_log_in_nothing(ended: Ended) -> None:
    first = ended.summary

    again = resume_run(ended.run_dir, silent)

    assert (again.archive_hash, again.evaluations, again.best_id) == (first.archive_hash, 3, first.best_id)
    assert again.seconds >= first.seconds
    reader = RunReader(ended.run_dir)
    assert [each["stopped_by"] for each in reader.sessions()] == ["evaluations", "evaluations"]
    reader.close()


def test_a_run_that_is_being_worked_on_can_be_replayed_but_not_resumed(ended: Ended) -> None:
    writer = RunWriter.open(ended.run_dir)

    with pytest.raises(EvolveEnvironmentError, match="another controller"):
        resume_run(ended.run_dir, silent, evaluations=9)

    assert replay_run(ended.run_dir).equal
    assert recorded_options(ended.run_dir)["evaluations"] == 3
    writer.close()


@pytest.mark.parametrize("use", [lambda run: resume_run(run, silent), replay_run, lambda run: verify_candidate(run, 1)])
def test_a_folder_without_a_run_is_left_as_it_is(use: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run in"):
        use(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_seed_program_without_a_score_leaves_a_folder_as_it_was(symbolic_problem: Path, tmp_path: Path) -> None:
    problem = load_problem(symbolic_problem)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep", encoding="utf-8")
    rewritten(symbolic_problem / "evaluate.py", "return {", "return {'failure': 'no'} or {")

    with pytest.raises(SeedError, match="cannot be scored"):
        start_run(problem, tmp_path / "mine", RunOptions(workers=1, evaluations=2), silent)

    assert [each.name for each in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_seed_program_without_a_score_leaves_no_folder_above_the_runs_own_and_none_of_others_is_touched(
    symbolic_problem: Path, tmp_path: Path
) -> None:
    problem = load_problem(symbolic_problem)
    rewritten(symbolic_problem / "evaluate.py", "return {", "return {'failure': 'no'} or {")
    (tmp_path / "empty").mkdir()

    for run_dir in (tmp_path / "runs/line/first", tmp_path / "empty/line/first"):
        with pytest.raises(SeedError, match="cannot be scored"):
            start_run(problem, run_dir, RunOptions(workers=1, evaluations=2), silent)

    assert not (tmp_path / "runs").exists()
    assert list((tmp_path / "empty").iterdir()) == []


def test_the_summary_counts_what_the_evaluator_failed_on(python_problem: Path, tmp_path: Path) -> None:
    fragile = 'candidate.call("answer")\n    assert (first, second) == (1.0, 2.0)\n    return {\n        "score"'
    rewritten(python_problem / "evaluate.py", 'candidate.call("answer")\n    return {\n        "score"', fragile)

    summary, _ = started(python_problem, tmp_path / "run", evaluations=4)

    assert (summary.evaluations, summary.evaluator_failures) == (4, 3)


def test_a_seed_program_that_raises_is_told_without_an_empty_line(python_problem: Path, tmp_path: Path) -> None:
    rewritten(python_problem / "seed.py", "return", "raise KeyError")

    with pytest.raises(SeedError, match=r"KeyError[^\n]*\nnothing was written"):
        started(python_problem, tmp_path / "run")


def test_a_certificate_holds_all_that_a_checker_needs_and_leaves_no_torn_file(ended: Ended) -> None:
    folder = ended.run_dir / "certificates"

    verification = verify_candidate(ended.run_dir, 1)

    assert verification.certificate == folder / "1.json"
    document = json.loads((folder / "1.json").read_text(encoding="utf-8"))
    assert [each.name for each in folder.iterdir()] == ["1.json"]
    assert (document["candidate"], document["verdict"], document["value"]) == (1, "certified", 1.0)
    assert document["files"] == {"seed.py": PYTHON_SEED}
    assert document["certificate"] == {"first": 1.0}

    os.truncate(folder / "1.json", 3)
    verify_candidate(ended.run_dir, 1)
    assert json.loads((folder / "1.json").read_text(encoding="utf-8")) == document


def test_a_certificate_that_cannot_be_written_is_the_machines_fault(ended: Ended) -> None:
    (ended.run_dir / "certificates").write_text("in the way", encoding="utf-8")

    with pytest.raises(EvolveEnvironmentError, match="cannot write the certificate"):
        verify_candidate(ended.run_dir, 1)


def test_a_problem_without_a_proof_claims_nothing_and_writes_nothing(symbolic_problem: Path, tmp_path: Path) -> None:
    started(symbolic_problem, tmp_path / "run", evaluations=1)

    verification = verify_candidate(tmp_path / "run", 1)

    assert (verification.verdict, verification.certificate) == ("unverified", None)
    assert not (tmp_path / "run" / "certificates").exists()


def test_operators_come_in_the_order_that_is_asked_for(python_problem: Path) -> None:
    available = [operator.name for operator in build_operators(load_problem(python_problem))]
    wanted = [available[2], available[0]]
    rewritten(python_problem / "problem.toml", "window = 4", f"window = 4\noperators = {json.dumps(wanted)}")

    assert [operator.name for operator in build_operators(load_problem(python_problem))] == wanted


def test_an_operator_of_the_other_language_is_refused_with_those_there_are(symbolic_problem: Path) -> None:
    rewritten(symbolic_problem / "problem.toml", "window = 4", 'window = 4\noperators = ["mutate", "tree_edit"]')

    with pytest.raises(ProblemError, match=r"names tree_edit, but a symbolic problem has .*mutate"):
        build_operators(load_problem(symbolic_problem))


def test_the_search_of_a_problem_is_empty_and_has_its_islands(python_problem: Path) -> None:
    search = build_search(load_problem(python_problem), 5)

    assert (len(search.islands), search.last_told, search.n_evaluations, search.best) == (2, -1, 0, None)
    assert search.islands.stats().n_elites == 0


@pytest.mark.parametrize(
    ("text", "bursts"),
    [
        ("def fit_target():\n    return None\n", True),
        ("from math import pi as fit_target\n", True),
        ("fit_target = None\n", True),
        ("# def fit_target(): ...\nname = 'fit_target'\n", False),
        ("def other():\n    fit_target = 1\n    return fit_target\n", False),
        ("try:\n    fit_target\nexcept NameError:\n    pass\n", False),
    ],
)
def test_whether_there_is_a_fit_target_is_read_and_never_run(symbolic_problem: Path, text: str, bursts: bool) -> None:
    with (symbolic_problem / "evaluate.py").open("a", encoding="utf-8") as handle:
        handle.write(f"\nraise SystemExit('this file must not be run')\n{text}")

    names = {operator.name for operator in build_operators(load_problem(symbolic_problem))}

    assert ("refit" in names) == bursts


def test_bursts_follow_the_strategy_of_the_problem_and_the_judge_does_not_hear_of_it(symbolic_problem: Path) -> None:
    rewritten(symbolic_problem / "problem.toml", "[symbolic]", '[symbolic]\nstrategy = "tree_search"')
    with (symbolic_problem / "evaluate.py").open("a", encoding="utf-8") as handle:
        handle.write("\ndef fit_target():\n    return None\n")
    problem = load_problem(symbolic_problem)

    bursts = [operator for operator in build_operators(problem) if isinstance(operator, SymbolicBurst)]

    assert {operator.settings["strategy"] for operator in bursts} == {"tree_search"}
    assert "strategy" not in problem.judge_spec_mapping()["symbolic"]
