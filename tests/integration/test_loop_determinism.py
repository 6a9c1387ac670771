"""The laws of the loop: workers do not matter, resume is exact, replay is equal."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from evolve.config.problem import load_problem
from evolve.errors import ProblemError, SeedError, UsageError
from evolve.loop import Event, RunOptions, RunSummary, replay_run, resume_run, start_run, verify_candidate
from evolve.store import RunReader
from tests import conftest

pytestmark = pytest.mark.xdist_group("loop-determinism")  # what its tests share is made once


def silent(event: Event) -> None:
    del event


def run(
    folder: Path, run_dir: Path, *, workers: int = 1, window: int = 4, evaluations: int = 40, seed: int = 3
) -> RunSummary:
    options = RunOptions(rng_seed=seed, workers=workers, window=window, evaluations=evaluations, durability="fast")
    return start_run(load_problem(folder), run_dir, options, silent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """A run by one worker from beginning to end, and its problem."""

    folder: Path
    run_dir: Path
    summary: RunSummary


LANGUAGES = {
    "python": (conftest.PYTHON_TOML, conftest.PYTHON_SEED, conftest.PYTHON_EVALUATE),
    "symbolic": (conftest.SYMBOLIC_TOML, conftest.SYMBOLIC_SEED, conftest.SYMBOLIC_EVALUATE),
}


@pytest.fixture(scope="module", params=LANGUAGES)
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What the other runs of a language are compared with."""
    place, (toml, seed, evaluate) = tmp_path_factory.mktemp("undisturbed"), LANGUAGES[request.param]
    folder = conftest.write_problem(place / "problem", toml=toml, seed=seed, evaluate=evaluate)
    return Undisturbed(folder=folder, run_dir=place / "run", summary=run(folder, place / "run"))


def stop_after(n: int) -> Callable[[Event], None]:
    """A listener that breaks the controller once `n` evaluations are on disk, as a crash would."""

    def listen(event: Event) -> None:
        if event.kind == "progress" and event.data["evaluations"] >= n:
            raise RuntimeError("the controller crashes here")

    return listen


def test_one_worker_and_four_find_the_same_archive(undisturbed: Undisturbed, tmp_path: Path) -> None:
    one = undisturbed.summary
    four = run(undisturbed.folder, tmp_path / "four", workers=4)
    assert one.archive_hash == four.archive_hash
    assert one.evaluations == four.evaluations == 40
    assert one.stopped_by == "evaluations"


def test_another_seed_finds_another_archive(python_problem: Path, tmp_path: Path) -> None:
    assert (
        run(python_problem, tmp_path / "a", seed=1).archive_hash
        != run(python_problem, tmp_path / "b", seed=2).archive_hash
    )


def test_a_crashed_run_goes_on_to_the_archive_of_the_uninterrupted_one(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    whole = undisturbed.summary
    options = RunOptions(rng_seed=3, workers=2, window=4, evaluations=40, durability="fast")
    with pytest.raises(RuntimeError, match="crashes here"):
        start_run(load_problem(undisturbed.folder), tmp_path / "broken", options, stop_after(7))
    assert replay_run(tmp_path / "broken").equal
    with pytest.raises(RuntimeError, match="crashes here"):
        resume_run(tmp_path / "broken", stop_after(20))

    resumed = resume_run(tmp_path / "broken", silent)

    assert resumed.archive_hash == whole.archive_hash
    assert resumed.evaluations == whole.evaluations


def test_replay_of_a_finished_run_is_equal(undisturbed: Undisturbed) -> None:
    replayed = replay_run(undisturbed.run_dir)
    assert replayed.equal
    assert replayed.archive_hash == replayed.recorded_hash == undisturbed.summary.archive_hash


def test_the_best_score_never_falls_and_improves_on_the_seed(python_problem: Path, tmp_path: Path) -> None:
    run(python_problem, tmp_path / "run", evaluations=80)
    reader = RunReader(tmp_path / "run")
    scores = [row["score"] for row in reader.curve()]
    reader.close()
    assert scores == sorted(scores)
    assert scores[-1] > scores[0]


def test_a_larger_budget_goes_on_with_a_finished_run(python_problem: Path, tmp_path: Path) -> None:
    run(python_problem, tmp_path / "run", evaluations=10)
    assert resume_run(tmp_path / "run", silent).evaluations == 10
    assert resume_run(tmp_path / "run", silent, evaluations=25).evaluations == 25


def test_a_target_stops_the_run(python_problem: Path, tmp_path: Path) -> None:
    options = RunOptions(workers=1, target=-12.9, evaluations=500, durability="fast")
    summary = start_run(load_problem(python_problem), tmp_path / "run", options, silent)
    assert summary.stopped_by == "target"
    assert summary.best_score is not None
    assert summary.best_score >= -12.9


def test_time_stops_the_run(python_problem: Path, tmp_path: Path) -> None:
    options = RunOptions(workers=1, seconds=0.5, durability="fast")
    assert start_run(load_problem(python_problem), tmp_path / "run", options, silent).stopped_by == "time"


@pytest.mark.parametrize(
    ("evaluate", "word"),
    [
        ("def evaluate(candidate):\n    raise KeyError('oops')\n", "oops"),
        (
            "def evaluate(candidate):\n    return {'score': float('nan'), 'descriptor': {'first': 0, 'second': 0}}\n",
            "nan",
        ),
        ("def evaluate(candidate):\n    return {'score': 1.0}\n", "descriptor"),
    ],
    ids=["raises", "returns NaN", "no descriptor"],
)
def test_a_broken_evaluator_is_told_and_leaves_no_run(
    python_problem: Path, tmp_path: Path, evaluate: str, word: str
) -> None:
    (python_problem / "evaluate.py").write_text(evaluate, encoding="utf-8")
    with pytest.raises(SeedError, match=word) as caught:
        run(python_problem, tmp_path / "run")
    assert caught.value.exit_code == 3
    assert not (tmp_path / "run").exists()


def test_a_seed_that_fails_is_told_and_leaves_no_run(python_problem: Path, tmp_path: Path) -> None:
    seed = (python_problem / "seed.py").read_text(encoding="utf-8")
    (python_problem / "seed.py").write_text(seed.replace("[first, second]", "[1 / 0, second]"), encoding="utf-8")
    with pytest.raises(SeedError, match="ZeroDivisionError"):
        run(python_problem, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_changed_evaluator_is_noticed_on_resume(python_problem: Path, tmp_path: Path) -> None:
    run(python_problem, tmp_path / "run", evaluations=5)
    (python_problem / "evaluate.py").write_text("def evaluate(candidate):\n    return {}\n", encoding="utf-8")
    with pytest.raises(ProblemError, match=r"evaluate\.py"):
        resume_run(tmp_path / "run", silent, evaluations=10)


def test_a_second_start_in_the_same_folder_is_refused(python_problem: Path, tmp_path: Path) -> None:
    run(python_problem, tmp_path / "run", evaluations=5)
    with pytest.raises(UsageError, match="evolve resume"):
        run(python_problem, tmp_path / "run", evaluations=5)


def test_verification_writes_a_certificate(python_problem: Path, tmp_path: Path) -> None:
    run(python_problem, tmp_path / "run", evaluations=5)
    verification = verify_candidate(tmp_path / "run", 1)
    assert verification.verdict == "certified"
    assert verification.certificate is not None
    assert '"first": 1.0' in verification.certificate.read_text(encoding="utf-8")


def test_an_unknown_operator_in_the_problem_is_named(python_problem: Path, tmp_path: Path) -> None:
    text = (python_problem / "problem.toml").read_text(encoding="utf-8")
    (python_problem / "problem.toml").write_text(
        text.replace("window = 4", 'window = 4\noperators = ["telepathy"]'), encoding="utf-8"
    )
    with pytest.raises(ProblemError, match="telepathy"):
        run(python_problem, tmp_path / "run")
