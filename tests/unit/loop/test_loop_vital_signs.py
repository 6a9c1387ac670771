"""Budgets, random streams and what watchers are shown."""

import json
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import CategoryAxis, CVTArchive, EdgesAxis, GridArchive, LinearAxis, TopCell
from archive.axes import OutOfRange
from archive.candidate import Candidate
from archive.contract import Archive
from archive.islands import Islands
from evaluators.contract import Evaluation
from evolve.loop.budget import Budget
from evolve.loop.events import RunSummary
from evolve.loop.progress import Vitals, map_line, progress_event
from evolve.loop.randomness import Purpose, evaluation_seed, stream
from evolve.loop.search import Search
from evolve.loop.told import Told, ToldChild
from evolve.operators.contract import Proposing
from tests.extent import examples

VITALS = Vitals(in_flight=2, workers=4, lost_workers=1, session_seconds=3.0, seconds=10.0)
Offer = tuple[float, tuple[float, float]]


class Edit:
    """The only operator of these searches."""

    name = "edit"
    n_parents = 1

    def propose(self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: object) -> Proposing:
        yield from ()
        return []


def searched(archive: Archive, offers: Sequence[Sequence[Any]], *, islands: int = 2) -> Search:
    """A search that was told one child after the other, on islands in turn; nobody migrates."""
    search = Search(Islands.alike(archive, islands), [Edit()], rng_seed=1, migrate_every=10**6, n_migrants=1)
    for number, (score, descriptor) in enumerate(offers):
        named = dict(zip(("x", "y"), descriptor, strict=True))
        evaluation = Evaluation(score=score, descriptor=named)
        child = ToldChild(files={}, fingerprint=str(number), parent_ids=(), evaluation=evaluation)
        search.tell(
            Told(
                number=number,
                operator="edit",
                island=number % islands,
                cost=1.0,
                seconds=0.0,
                n_duplicates=0,
                children=(child,),
            )
        )
    return search


@pytest.mark.parametrize(
    ("evaluations", "seconds", "best_score", "expected"),
    [
        (0, 0.0, None, None),
        (9, 59.999, 0.999, None),
        (10, 0.0, None, "evaluations"),
        (11, 0.0, None, "evaluations"),
        (0, 60.0, None, "time"),
        (0, 61.0, -1.0, "time"),
        (0, 0.0, 1.0, "target"),
        (10, 60.0, 1.0, "target"),
        (10, 60.0, 0.5, "evaluations"),
    ],
)
def test_a_limit_is_reached_when_it_is_touched_and_the_target_is_named_first(
    evaluations: int, seconds: float, best_score: float | None, expected: str | None
) -> None:
    budget = Budget(evaluations=10, seconds=60.0, target=1.0)

    assert budget.spent(evaluations=evaluations, seconds=seconds, best_score=best_score) == expected


@given(st.integers(0, 10**9), st.floats(0, 1e9), st.one_of(st.none(), st.floats(-1e9, 1e9)))
@settings(max_examples=examples(25), deadline=None)
def test_without_limits_nothing_is_ever_spent(evaluations: int, seconds: float, best: float | None) -> None:
    assert Budget().spent(evaluations=evaluations, seconds=seconds, best_score=best) is None


@pytest.mark.parametrize("budget", [Budget(evaluations=0), Budget(seconds=0.0)])
def test_a_budget_of_nothing_is_a_limit_and_not_its_absence(budget: Budget) -> None:
    assert budget.spent(evaluations=0, seconds=0.0, best_score=None) is not None


def test_a_target_of_zero_is_a_target() -> None:
    assert Budget(target=0.0).spent(evaluations=1, seconds=0.0, best_score=0.0) == "target"
    assert Budget(target=0.0).spent(evaluations=1, seconds=0.0, best_score=-1e-300) is None


def test_streams_of_other_seeds_purposes_or_numbers_never_meet() -> None:
    keys = list(product((0, 1, 2**40), Purpose, (0, 1, 2, 1000)))

    first = {key: tuple(stream(*key).integers(0, 2**63, 4).tolist()) for key in keys}

    assert len(set(first.values())) == len(keys)


def test_a_stream_can_be_made_again_whatever_was_drawn_in_between() -> None:
    once = stream(4, Purpose.PLAN, 7)
    drawn = once.random(5).tolist()
    stream(4, Purpose.PLAN, 8).random(100)

    assert stream(4, Purpose.PLAN, 7).random(5).tolist() == drawn
    assert once.random(5).tolist() != drawn


def test_neighbouring_streams_are_not_correlated() -> None:
    samples = np.array([stream(3, Purpose.OPERATOR, number).random(400) for number in range(24)])

    correlation = np.corrcoef(samples) - np.eye(24)

    assert np.abs(correlation).max() < 0.25  # 400 draws: standard deviation 0.05
    assert abs(samples.mean() - 0.5) < 0.02


def test_seeds_of_evaluations_differ_and_fit_in_31_bits() -> None:
    seeds = [evaluation_seed(run, number, place) for run, number, place in product((0, 1), range(40), range(8))]

    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert evaluation_seed(1, 3, 2) == evaluation_seed(1, 3, 2)


axes = st.sampled_from(
    [
        (LinearAxis("x", 0.0, 1.0, 4), LinearAxis("y", 0.0, 1.0, 3)),
        (EdgesAxis("x", [0.0, 0.1, 0.7, 1.0]), LinearAxis("y", 0.0, 1.0, 2)),
        (LinearAxis("x", 0.0, 1.0, 5, out_of_range=OutOfRange.OVERFLOW), LinearAxis("y", 0.0, 1.0, 2)),
    ]
)
offers = st.lists(
    st.tuples(st.integers(-9, 9).map(float), st.tuples(st.floats(-0.2, 1.2), st.floats(0.0, 1.0))),
    min_size=1,
    max_size=12,
)


@settings(max_examples=examples(25), deadline=None)
@given(axes, offers, st.integers(1, 3))
def test_the_map_line_holds_the_best_of_each_place_on_the_first_axis(
    given_axes: tuple[Any, Any], told: list[Offer], islands: int
) -> None:
    search = searched(GridArchive(given_axes, cell=TopCell(keep=2)), told, islands=islands)
    first = given_axes[0]
    expected: list[float | None] = [None] * first.n_positions
    for score, (x, _) in told:
        place = int(first.positions_of(np.array([x]))[0])
        held = expected[place]
        expected[place] = score if held is None else max(held, score)

    shown = map_line(search)

    assert shown == {"map_axis": "x", "map_line": expected}


def test_a_map_along_categories_has_a_place_for_each() -> None:
    archive = GridArchive([CategoryAxis("x", ["a", "b", "c"]), LinearAxis("y", 0.0, 1.0, 3)])

    shown = map_line(searched(archive, [(1.0, ("c", 0.1)), (4.0, ("c", 0.9)), (2.0, ("a", 0.5))]))

    assert shown["map_line"] == [2.0, None, 4.0]


def test_an_archive_without_a_grid_has_no_map() -> None:
    archive = CVTArchive([LinearAxis("x", 0.0, 1.0, 1), LinearAxis("y", 0.0, 1.0, 1)], centroids=4, rng_seed=1)
    search = searched(archive, [(1.0, (0.5, 0.5))])

    assert map_line(search) == {"map_axis": "", "map_line": []}
    assert progress_event(search, Budget(), VITALS).data["elites"] == 2


def test_progress_of_nothing_told_is_shown_without_a_best() -> None:
    search = searched(GridArchive([LinearAxis("x", 0.0, 1.0, 3)]), [])

    data = progress_event(search, Budget(), VITALS).data

    assert (data["best_score"], data["best_id"], data["coverage"], data["iterations"]) == (None, None, 0.0, -1)
    assert data["map_line"] == [None] * 3
    assert (data["evaluations_left"], data["seconds_left"], data["target"]) == (None, None, None)


def test_progress_is_json_data_without_special_numbers() -> None:
    search = searched(GridArchive([LinearAxis("x", 0.0, 1.0, 3), LinearAxis("y", 0.0, 1.0, 2)]), [(1.0, (0.5, 0.5))])

    event = progress_event(search, Budget(evaluations=5, seconds=20.0, target=2.0), VITALS)

    assert json.loads(json.dumps(event.data, allow_nan=False)) == event.data
    assert (event.data["evaluations_left"], event.data["seconds_left"]) == (4, 10.0)
    assert (event.data["workers"], event.data["lost_workers"], event.data["in_flight"]) == (4, 1, 2)


def test_what_is_left_is_never_less_than_nothing() -> None:
    search = searched(
        GridArchive([LinearAxis("x", 0.0, 1.0, 3), LinearAxis("y", 0.0, 1.0, 2)]), [(1.0, (0.5, 0.5))] * 3
    )

    data = progress_event(search, Budget(evaluations=2, seconds=1.0), VITALS).data

    assert (data["evaluations_left"], data["seconds_left"]) == (0, 0.0)


def test_coverage_and_quality_count_a_cell_once_over_all_islands() -> None:
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 4), LinearAxis("y", 0.0, 1.0, 1)])
    told = [(1.0, (0.1, 0.5)), (5.0, (0.1, 0.5)), (3.0, (0.1, 0.5)), (2.0, (0.9, 0.5))]

    data = progress_event(searched(archive, told), Budget(), VITALS).data

    assert data["coverage"] == float(Fraction(2, 4))
    assert data["qd_score"] == 5.0 + 2.0
    assert (data["best_score"], data["best_id"]) == (5.0, 2)


def test_a_summary_is_json_data() -> None:
    summary = RunSummary(
        run="runs/x",
        evaluations=3,
        elites=1,
        best_score=None,
        best_id=None,
        archive_hash="00",
        stopped_by="signal",
        signal=2,
        seconds=0.5,
    )

    assert RunSummary(**json.loads(json.dumps(summary.to_mapping()))) == summary
