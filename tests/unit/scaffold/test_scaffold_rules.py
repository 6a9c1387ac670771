"""When a check says ok, warning or error, without a judge."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from archive.axes import Axis, CategoryAxis, LinearAxis, OutOfRange
from evaluators.contract import Evaluation
from evolve.config.problem import Problem
from evolve.scaffold.cheat_checks import Tried, check_cheats
from evolve.scaffold.cheats import CLAIM, FORGERIES
from evolve.scaffold.direction_check import _order
from evolve.scaffold.findings import State
from evolve.scaffold.instrument import Watch
from evolve.scaffold.place_checks import _check_axis, _excused
from evolve.scaffold.seed_checks import SeedRuns, check_noise
from evolve.scaffold.suite_check import check_suites
from evolve.scaffold.trials import Trials


def scored(score: float) -> Evaluation:
    return Evaluation(score=score)


def seed_of(*scores: float, twins: tuple[float, float] = (1.0, 1.0)) -> SeedRuns:
    return SeedRuns(
        plain=scored(scores[0]),
        runs=tuple(map(scored, scores)),
        twins=(scored(twins[0]), scored(twins[1])),
        watches=tuple(Watch() for _ in scores),
        twin_watches=(Watch(), Watch()),
    )


def trials_of(*, repeats: int = 1, notices: tuple[str, ...] = (), combine: str = "median") -> Trials:
    tables = SimpleNamespace(evaluator=SimpleNamespace(repeats=repeats, file=None))
    return cast(Trials, SimpleNamespace(problem=SimpleNamespace(tables=tables, notices=notices, combine=combine)))


def tried(name: str, score: float) -> Tried:
    return Tried(cheat=next(each for each in FORGERIES if each.name == name), evaluation=scored(score))


def problem_with(family: str | None, **options: Any) -> Problem:
    tables = SimpleNamespace(evaluator=SimpleNamespace(family=family, options=options))
    return cast(Problem, SimpleNamespace(tables=tables))


def test_tasks_that_are_kept_for_validation_are_warned_of_by_name() -> None:
    [found] = check_suites(problem_with("optimizer", tasks=["lin_ae", "zipf_linear", "completion"]))

    assert found.state is State.WARNING
    assert "zipf_linear (test), completion (validation)" in found.seen
    assert found.data["kept"] == ["zipf_linear", "completion"]


def test_other_tasks_and_other_judges_are_not() -> None:
    assert [each.state for each in check_suites(problem_with("optimizer", tasks=["heavy_quad"]))] == [State.OK]
    assert check_suites(problem_with("optimizer")) == check_suites(problem_with(None, tasks=["picture"])) == []


@pytest.mark.parametrize("tasks", [[], ["none such"], 3, [["picture"]], "picture"])
def test_tasks_that_are_wrong_are_left_to_the_judge(tasks: object) -> None:
    assert check_suites(problem_with("optimizer", tasks=tasks)) == []


def test_a_score_that_never_varies_needs_no_repeats() -> None:
    assert check_noise(trials_of(), seed_of(2.0, 2.0, 2.0), [1.0, 5.0]).state is State.OK


def test_noise_is_told_with_the_repeats_that_it_takes() -> None:
    seed = seed_of(0.98, 1.0, 1.02)

    found = check_noise(trials_of(), seed, [])

    assert found.state is State.WARNING
    assert found.data["share"] == pytest.approx(0.02)
    assert found.data["needed"] == 7
    assert "repeats = 7 halves it, 7 bring it to 1%" in found.advice
    assert check_noise(trials_of(repeats=7), seed, []).state is State.OK


def test_noise_is_as_it_should_be_where_the_best_score_counts() -> None:
    found = check_noise(trials_of(combine="best"), seed_of(0.5, 1.0, 1.5), [])

    assert found.state is State.OK
    assert "the best construction of a run counts" in found.seen


def test_noise_beside_large_differences_is_small() -> None:
    assert check_noise(trials_of(), seed_of(-0.01, 0.0, 0.01), [-50.0, 0.0, 50.0]).state is State.OK


@pytest.mark.parametrize(
    ("own", "values", "state"),
    [
        (5.0, [1.0, 9.0], State.OK),
        (15.0, [1.0, 9.0], State.WARNING),
        (5.0, [11.0, 12.0, 5.0], State.WARNING),
        (5.0, [5.1, 5.2, 5.3, 5.4], State.WARNING),
        (5.0, [5.1], State.OK),
        (10.0, [0.0], State.OK),
    ],
)
def test_an_axis_should_hold_and_part_what_small_edits_make(own: float, values: list[float], state: State) -> None:
    axis = LinearAxis("size", 0.0, 10.0, 10)

    assert _check_axis(axis, own, values).state is state


@pytest.mark.parametrize(
    ("axis", "own"),
    [
        (LinearAxis("size", 0.0, 10.0, 10, out_of_range=OutOfRange.REJECT), 11.0),
        (CategoryAxis("kind", ("greedy", "exact")), "other"),
    ],
)
def test_a_seed_program_that_its_own_axis_rejects_is_an_error(axis: Axis, own: float | str) -> None:
    assert _check_axis(axis, own, []).state is State.ERROR


def test_categories_are_shown_by_name() -> None:
    found = _check_axis(CategoryAxis("kind", ("greedy", "exact")), "greedy", ["exact", "greedy"])

    assert found.state is State.OK
    assert "'greedy'" in found.seen


def test_one_cell_for_all_small_edits_is_excused_but_one_value_is_not() -> None:
    axis = LinearAxis("size", 0.0, 10.0, 2)

    assert _excused(_check_axis(axis, 1.0, [1.1, 1.2, 1.3, 1.4])).state is State.OK
    assert _excused(_check_axis(axis, 1.0, [1.0, 1.0, 1.0, 1.0])).state is State.WARNING


@pytest.mark.parametrize(
    ("name", "score", "state"),
    [
        ("claim_added_to_the_answer", 1.1, State.ERROR),
        ("claimed_numbers", CLAIM, State.ERROR),
        ("claimed_numbers", CLAIM / 2.6, State.ERROR),
        ("claimed_numbers", 1.1, State.WARNING),
        ("claimed_numbers", 0.9, State.OK),
        ("exit_after_printing_a_score", 1.1, State.ERROR),
        ("exit_after_printing_a_score", 0.9, State.WARNING),
        ("none", 1.1, State.ERROR),
        ("one_more", 1.1, State.WARNING),
        ("patched_clock", 1.1, State.ERROR),
        ("patched_clock", 1.0, State.OK),
        ("echo_0", 1.1, State.WARNING),
    ],
)
def test_how_bad_a_cheat_is_follows_from_what_it_shows(name: str, score: float, state: State) -> None:
    findings = check_cheats(trials_of(), seed_of(1.0, 1.0), [tried(name, score)])

    assert findings[0].state is state


def test_what_a_contract_cannot_prevent_is_no_error() -> None:
    findings = check_cheats(trials_of(notices=("shared",)), seed_of(1.0), [tried("claimed_numbers", CLAIM)])

    assert findings[0].state is State.WARNING


@pytest.mark.parametrize(
    ("pairs", "order"),
    [
        ([(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0), (5.0, 5.0)], 1.0),
        ([(1.0, 5.0), (2.0, 4.0), (3.0, 3.0), (4.0, 2.0), (5.0, 1.0)], -1.0),
        ([(1.0, 1.0), (2.0, 2.0)], None),
        ([(1.0, 1.0)] * 9, None),
    ],
)
def test_metrics_and_scores_are_compared_by_their_order(pairs: Any, order: float | None) -> None:
    assert _order(pairs) == order
