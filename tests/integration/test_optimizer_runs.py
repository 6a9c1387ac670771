"""Runs over update rules: the number of workers does not matter, a resume is exact, no language model is needed.

Each trains for a minute and more, so they run with EVOLVE_ALL_TESTS only.
"""

import shutil
from pathlib import Path

import pytest

from evolve.config.problem import load_problem
from evolve.loop import Event, RunOptions, RunSummary, resume_run, start_run
from evolve.store import RunReader
from tests.extent import ALL_TESTS

pytest.importorskip("torch")
pytestmark = [
    pytest.mark.skipif(not ALL_TESTS, reason="trains for minutes: with EVOLVE_ALL_TESTS only"),
    pytest.mark.xdist_group("optimizer-runs"),
]

SHIPPED = Path(__file__).parents[2] / "problems" / "optimizers"
N_EVALUATIONS = 10
OPTIONS = """
[evaluator.options]
tasks = ["lin_ae", "quad_rot"]
tuning_seeds = 1
confirmation_seeds = 2
"""


def silent(event: Event) -> None:
    del event


def crashing_after(n: int) -> object:
    def listen(event: Event) -> None:
        if event.kind == "progress" and event.data["evaluations"] >= n:
            raise RuntimeError("the controller crashes here")

    return listen


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copytree(SHIPPED, tmp_path_factory.mktemp("rules") / "optimizers"))
    toml = path / "problem.toml"
    text = toml.read_text(encoding="utf-8").replace("burst_work = 8.0", "burst_work = 1.5")
    toml.write_text(text.replace("[archive]\n", OPTIONS + "\n[archive]\n", 1), encoding="utf-8")
    return path


def run(folder: Path, run_dir: Path, *, workers: int, listener: object = silent) -> RunSummary:
    options = RunOptions(rng_seed=3, workers=workers, window=4, evaluations=N_EVALUATIONS, durability="fast")
    return start_run(load_problem(folder), run_dir, options, listener)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RunSummary:
    return run(folder, tmp_path_factory.mktemp("undisturbed") / "run", workers=1)


def test_a_run_finds_rules_and_tells_what_bursts_did(undisturbed: RunSummary) -> None:
    reader = RunReader(Path(undisturbed.run))
    records = [reader.candidate(number) for number in range(1, undisturbed.evaluations + 1)]
    reader.close()

    assert undisturbed.evaluations >= N_EVALUATIONS
    assert all(record.candidate.files["seed.py"].startswith("def update(") for record in records)
    assert {record.evaluation.descriptor["family"] for record in records if record.evaluation.score is not None}


def test_eight_workers_make_the_same_archive_as_one(folder: Path, undisturbed: RunSummary, tmp_path: Path) -> None:
    assert run(folder, tmp_path / "run", workers=8).archive_hash == undisturbed.archive_hash


def test_a_run_that_crashed_goes_on_to_the_same_end(folder: Path, undisturbed: RunSummary, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="crashes here"):
        run(folder, tmp_path / "run", workers=2, listener=crashing_after(4))

    assert resume_run(tmp_path / "run", silent, workers=1).archive_hash == undisturbed.archive_hash
