"""The check against problems whose evaluator has one mistake each, and against one that has none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evolve.config.problem import load_problem
from evolve.scaffold.cheat_checks import check_cheats, try_cheats
from evolve.scaffold.cheats import CLAIMS, FORGERIES
from evolve.scaffold.check import check_problem
from evolve.scaffold.containment_checks import check_grading, check_inputs, check_sight
from evolve.scaffold.direction_check import check_direction
from evolve.scaffold.findings import State
from evolve.scaffold.place_checks import Edits, check_axes
from evolve.scaffold.seed_checks import SeedRuns, check_determinism, run_seed
from evolve.scaffold.tolerance_check import check_tolerance, tolerances_in
from evolve.scaffold.trials import Trials
from tests.extent import ALL_TESTS
from tests.unit.scaffold.planted import PLANTED, plant

NO_EDITS = Edits(scored=(), failed=(), n_made=0)
CAUGHT = {
    "in_process": "grading",
    "claimed_score": "claimed scores",
    "tolerance": "tolerance",
    "nondeterminism": "determinism",
    "unseeded_inputs": "determinism",
    "wrong_direction": "direction",
    "swallowed_errors": "early ends",
    "part_in_process": "grading",
    "own_process": "grading",
}
BESIDE = {"in_process": {"sight"}, "swallowed_errors": {"odd answers", "meddling"}}


@contextmanager
def judged(folder: Path, name: str) -> Iterator[tuple[Trials, SeedRuns]]:
    with Trials.of(load_problem(plant(folder, name)), seconds=60.0) as trials:
        seed, findings = run_seed(trials, 2)
        assert seed is not None, findings
        yield trials, seed


def test_text_that_the_judge_executes_itself_is_an_error(tmp_path: Path) -> None:
    with judged(tmp_path, "in_process") as (trials, _):
        grading, sight = check_grading(trials), check_sight(trials)

    assert grading.state is State.ERROR
    assert "outside of the sandbox" in grading.seen
    assert "candidate.call" in grading.advice
    assert sight.state is State.ERROR
    assert "the judge's variables" in sight.seen


def test_a_claimed_score_that_is_believed_is_an_error(tmp_path: Path) -> None:
    with judged(tmp_path, "claimed_score") as (trials, seed):
        claimed = check_cheats(trials, seed, try_cheats(trials, cheats=CLAIMS))[0]

    assert claimed.check == "claimed scores"
    assert claimed.state is State.ERROR
    assert "the very number that it claimed" in claimed.seen


def test_a_tolerance_that_pays_is_an_error_that_names_its_line(tmp_path: Path) -> None:
    with judged(tmp_path, "tolerance") as (trials, seed):
        found = check_tolerance(trials, seed)

    assert found.state is State.ERROR
    assert found.data["size"] == pytest.approx(1e-6)
    assert "evaluate.py:12: 1e-06" in found.seen


def test_an_unseeded_judge_is_an_error_that_says_where_it_draws(tmp_path: Path) -> None:
    with judged(tmp_path, "unseeded_inputs") as (trials, seed):
        found = check_determinism(trials, seed)

    assert found.state is State.ERROR
    assert "already the first question differs" in found.seen
    assert "candidate.rng_seed" in found.advice


def test_a_score_the_wrong_way_round_is_told_as_a_suspicion(tmp_path: Path) -> None:
    with judged(tmp_path, "wrong_direction") as (trials, seed):
        found = check_direction(trials, seed, NO_EDITS)

    assert found.state is State.ERROR
    assert found.seen.startswith("a suspicion")
    assert "the more an answer is spoilt by noise, the higher its score" in found.seen
    assert 'the metric "largest_error" rises' in found.seen


def test_edits_that_nobody_had_the_time_to_judge_are_no_fault_of_the_program_s(tmp_path: Path) -> None:
    with judged(tmp_path, "sound") as (trials, seed):
        *_, unjudged = check_axes(trials, seed.plain, Edits(scored=(), failed=(), n_made=20))
        *_, none = check_axes(trials, seed.plain, NO_EDITS)

    assert "the time was up" in unjudged.seen
    assert "--seconds" in unjudged.advice
    assert "hardly anything that can be changed" in none.advice


def test_a_sound_judge_is_blamed_for_nothing(tmp_path: Path) -> None:
    with judged(tmp_path, "sound") as (trials, seed):
        findings = [
            check_grading(trials),
            check_determinism(trials, seed),
            *check_cheats(trials, seed, try_cheats(trials, cheats=FORGERIES if ALL_TESTS else FORGERIES[::4])),
            check_inputs(trials, seed, has_verify=True),
            check_tolerance(trials, seed),
            check_direction(trials, seed, NO_EDITS),
        ]

    assert {finding.check: finding.seen for finding in findings if finding.state is not State.OK} == {}


def test_only_small_numbers_that_are_compared_with_look_like_tolerances(tmp_path: Path) -> None:
    problem = load_problem(plant(tmp_path, "sound"))
    (tmp_path / "evaluate.py").write_text(
        "TOL = 1e-7\n"
        "step = x * 1e-6\n"
        "ok = a > 1 + 1e-9  # not 1e-5\n"
        "floor = a if log(max(a, 1e-12)) < 3 else b\n"
        "near = total <= 1 + TOL\n"
        "close = math.isclose(a, b)\n"
    )

    assert tolerances_in(problem) == ["evaluate.py:3: 1e-09", "evaluate.py:5: 1e-07", "evaluate.py:6: isclose"]


@pytest.mark.skipif(not ALL_TESTS, reason="checks whole problems: EVOLVE_ALL_TESTS=1")
@pytest.mark.parametrize("name", PLANTED)
def test_the_whole_check_finds_the_planted_mistake_no_other_and_leaves_nothing_behind(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    report = check_problem(load_problem(plant(tmp_path / "problem", name)), repeats=3)

    assert list(elsewhere.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "problem"}
    errors = {finding.check for finding in report.findings if finding.state is State.ERROR}
    assert errors - BESIDE.get(name, set()) == ({CAUGHT[name]} if name in CAUGHT else set())
    assert report.exit_code == (3 if errors else 0)
