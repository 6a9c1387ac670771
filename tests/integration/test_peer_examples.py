"""The example folders of other engines' formats, run as they are: from the first look to a resumed run."""

import shutil
from pathlib import Path

import pytest

from evaluators.contract import Certainty
from evolve.config.problem import load_problem
from evolve.loop import Event, RunOptions, replay_run, resume_run, start_run, verify_candidate
from evolve.store import RunReader
from tests.extent import ALL_TESTS

HOME = Path(__file__).resolve().parents[2] / "examples" / "peers"
FOLDERS = sorted(path.relative_to(HOME).as_posix() for path in HOME.glob("*/*") if path.is_dir())
FEW = ("alphaevolve/seating", "openevolve/circle_packing", "shinka/knapsack")
N_EVALUATIONS = 3


def silent(event: Event) -> None:
    del event


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def options_of(n_evaluations: int) -> RunOptions:
    return RunOptions(rng_seed=1, workers=1, window=2, evaluations=n_evaluations, durability="fast")


def test_there_are_enough_examples_of_each_engine() -> None:
    counts = {engine: sum(name.startswith(f"{engine}/") for name in FOLDERS) for engine in ("openevolve", "shinka")}

    assert counts["openevolve"] >= 8
    assert counts["shinka"] >= 3
    assert set(FEW) < set(FOLDERS)


@pytest.mark.parametrize("name", FOLDERS)
def test_an_example_becomes_a_problem(name: str) -> None:
    problem = load_problem(HOME / name)

    assert problem.tables.problem.tags == (name.partition("/")[0],)
    assert "forged" in problem.notices[0]


@pytest.mark.parametrize("name", FOLDERS if ALL_TESTS else FEW)
def test_an_example_runs_unchanged_and_its_run_replays(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "Kärtchen färben" / f"{Path(name).name} (zwei)"
    shutil.copytree(HOME / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = contents(folder)

    summary = start_run(load_problem(folder), tmp_path / "run", options_of(N_EVALUATIONS), silent)

    assert summary.evaluations == N_EVALUATIONS
    assert summary.best_score is not None
    assert replay_run(tmp_path / "run").equal
    assert contents(folder) == before
    reader = RunReader(tmp_path / "run")
    seed = reader.candidate(1)
    assert seed.evaluation.failure is None
    assert "forged" in reader.meta()["problem"]["tables"]["evaluator"]["options"]["notices"][0]
    reader.close()


def test_a_run_of_an_example_goes_on_and_proves_nothing(tmp_path: Path) -> None:
    folder = HOME / "openevolve" / "bin_packing"
    start_run(load_problem(folder), tmp_path / "run", options_of(2), silent)

    resumed = resume_run(tmp_path / "run", silent, evaluations=5)
    verdict = verify_candidate(tmp_path / "run", 1).verdict

    assert resumed.evaluations == 5
    assert replay_run(tmp_path / "run").archive_hash == resumed.archive_hash
    assert verdict is Certainty.UNVERIFIED
