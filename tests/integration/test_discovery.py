"""The main job on real input: from the empty program to better approximations than the classical ones."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from evolve.config.problem import load_problem
from evolve.loop import Event, RunOptions, RunSummary, replay_run, start_run, verify_candidate
from evolve.store import RunReader

N_EVALUATIONS = 100
pytestmark = pytest.mark.xdist_group("first-compiled-search")
"""The search that most of these look at is made once, and behind the tests that compile it on a fresh clone."""


def silent(event: Event) -> None:
    del event


def search(run_dir: Path, workers: int) -> RunSummary:
    options = RunOptions(rng_seed=1, workers=workers, window=4, evaluations=N_EVALUATIONS)
    return start_run(load_problem("exp2"), run_dir, options, silent)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunSummary]:
    run_dir = tmp_path_factory.mktemp("discovery") / "run"
    return run_dir, search(run_dir, workers=1)  # two would compile on a fresh clone what one can


def best_errors(run_dir: Path) -> Mapping[int, float]:
    """The least error with at most so many operations."""
    reader = RunReader(run_dir)
    errors: dict[int, float] = {}
    for row in reader.elites():
        metrics = row.evaluation.metrics
        for operations in range(int(metrics["operations"]), 13):
            errors[operations] = min(errors.get(operations, 1.0), metrics["max_relative_error"])
    reader.close()
    return errors


def test_short_programs_beat_the_classical_approximations_of_their_size(found: tuple[Path, RunSummary]) -> None:
    errors = best_errors(found[0])
    baselines = load_problem("exp2").baselines["operations"]
    beaten = []
    for operations in range(4, 11):
        polynomial = baselines[str(operations)]["polynomial"]["error"]
        rational = baselines[str(operations)]["rational"]["error"]
        assert errors[operations] <= polynomial
        if errors[operations] < min(polynomial, rational):
            beaten.append(operations)
    assert len(beaten) >= 3


def test_the_number_of_workers_does_not_change_what_is_found(found: tuple[Path, RunSummary], tmp_path: Path) -> None:
    assert search(tmp_path / "run", workers=2).archive_hash == found[1].archive_hash


def test_the_best_program_is_certified_and_the_proof_agrees_with_the_score(found: tuple[Path, RunSummary]) -> None:
    run_dir, summary = found
    assert summary.best_id is not None
    verification = verify_candidate(run_dir, summary.best_id)
    reader = RunReader(run_dir)
    sampled = reader.candidate(summary.best_id).evaluation.metrics["max_relative_error"]
    reader.close()
    assert verification.verdict == "certified"
    assert verification.value is not None
    assert sampled <= verification.value <= 1.02 * sampled


def test_every_program_descends_from_the_seed(found: tuple[Path, RunSummary]) -> None:
    run_dir, summary = found
    reader = RunReader(run_dir)
    assert reader.ancestors_of(summary.best_id or 0)[-1] == 1
    reader.close()


def test_the_log_replays_to_the_same_archive(found: tuple[Path, RunSummary]) -> None:
    replayed = replay_run(found[0])
    assert replayed.equal, replayed.first_difference
