"""Random streams through our archives and through pyribs 0.12, one by one and in batches.

pyribs computes a grid cell as `int((dims * (value - low) + 1e-6) / (high - low))`, so that a value less than about
1e-6 / dims below an edge falls into the cell above. Ours compares with the edges themselves. Streams therefore keep
away from inner edges (`away_from_edges`); the difference itself has a test.
"""

import math
from collections.abc import Sequence
from functools import cache
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from archive import Archive, CVTArchive, GridArchive, LinearAxis
from archive.contract import STATUS_OF_CODE, AddStatus
from evolve.testing.archive_conformance import candidate
from tests.extent import examples

pytestmark = pytest.mark.xdist_group("pyribs")  # one of the processes alone imports it and all that it brings

RANGES = ((0.0, 1.0), (-3.0, 5.0))
DIMS = (4, 7)
OFFSET = -2.5
EDGE_MARGIN = 1e-5
CENTROIDS = np.random.default_rng(4).random((40, 2))
RIBS_STATUS = {0: AddStatus.REJECTED, 1: AddStatus.IMPROVED, 2: AddStatus.NEW}

Row = tuple[float, tuple[float, float]]

scores = st.one_of(
    st.integers(-4, 4).map(float),
    st.floats(-1e6, 1e6, allow_nan=False),
)


def away_from_edges(value: float, axis: int) -> float:
    """Move a value off an inner edge, farther than pyribs' epsilon reaches."""
    (low, high), n_cells = RANGES[axis], DIMS[axis]
    place = (value - low) / (high - low) * n_cells
    return value + 3 * EDGE_MARGIN if abs(place - round(place)) < EDGE_MARGIN * n_cells else value


def coordinate(axis: int) -> st.SearchStrategy[float]:
    low, high = RANGES[axis]
    inside = st.floats(low, high, allow_nan=False).map(lambda value: away_from_edges(value, axis))
    return st.one_of(inside, inside, st.floats(low - 1e3, low - 1.0), st.floats(high + 1.0, high + 1e3))


def streams() -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(scores, st.tuples(coordinate(0), coordinate(1))), max_size=60)


@cache
def ribs_archives() -> ModuleType:
    """Imported when it is needed: it brings more modules than all that is ours."""
    module: ModuleType = pytest.importorskip("ribs.archives")
    return module


def our_grid() -> Archive:
    axes = [LinearAxis(f"a{place}", *RANGES[place], DIMS[place]) for place in range(2)]
    return GridArchive(axes, qd_offset=OFFSET)


def their_grid() -> object:
    return ribs_archives().GridArchive(
        solution_dim=(), solution_dtype=object, dims=DIMS, ranges=RANGES, qd_score_offset=OFFSET
    )


def our_centroids() -> Archive:
    axes = [LinearAxis("x", 0.0, 1.0), LinearAxis("y", 0.0, 1.0)]
    return CVTArchive(axes, centroids=CENTROIDS, qd_offset=OFFSET)


def their_centroids() -> object:
    return ribs_archives().CVTArchive(
        solution_dim=(), solution_dtype=object, centroids=CENTROIDS, ranges=[(0.0, 1.0)] * 2, qd_score_offset=OFFSET
    )


def assert_equal(ours: Archive, theirs: object) -> None:
    """Compare who is held where, and the statistics. Their QD score is summed up on the way, ours from scratch."""
    data = theirs.data(return_type="dict")  # type: ignore[attr-defined] # pyribs has no useful types here
    held = {int(cell): (score, number) for cell, score, number in zip(*map(data.get, WHAT), strict=True)}
    assert {elite.cell: (elite.score, elite.candidate.id) for elite in ours.elites()} == held
    stats, their_stats = ours.stats(), theirs.stats  # type: ignore[attr-defined] # as above
    assert stats.n_elites == their_stats.num_elites
    assert stats.coverage == pytest.approx(their_stats.coverage)
    assert stats.qd_score == pytest.approx(their_stats.qd_score, rel=1e-9, abs=1e-6)
    assert stats.best_score == (None if their_stats.obj_max is None else pytest.approx(their_stats.obj_max))


WHAT = ("index", "objective", "solution")


def check_single(ours: Archive, theirs: object, rows: Sequence[Row]) -> None:
    for number, (score, point) in enumerate(rows):
        result = ours.add(candidate(number), score=score, descriptor=point)
        expected = theirs.add_single(number, score, point)  # type: ignore[attr-defined] # as above
        assert result.status is RIBS_STATUS[int(expected["status"])]
        assert their_delta(result.status, result.delta) == pytest.approx(float(expected["value"]))
    assert_equal(ours, theirs)


def their_delta(status: AddStatus, delta: float) -> float:
    """They measure a new elite from zero, we from the offset."""
    return delta + OFFSET if status is AddStatus.NEW else delta


def check_batches(ours: Archive, theirs: object, rows: Sequence[Row], size: int) -> None:
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        numbers = np.array(range(start, start + len(part)), dtype=object)
        values = np.array([score for score, _ in part])
        points: NDArray[np.float64] = np.array([point for _, point in part])
        result = ours.add_many([candidate(number) for number in numbers], values, points)
        expected = theirs.add(numbers, values, points)  # type: ignore[attr-defined] # as above
        statuses = [STATUS_OF_CODE[code] for code in result.statuses]
        assert statuses == [RIBS_STATUS[int(code)] for code in expected["status"]]
        deltas = [their_delta(status, float(delta)) for status, delta in zip(statuses, result.deltas, strict=True)]
        assert deltas == pytest.approx(expected["value"].tolist())
    assert_equal(ours, theirs)


@settings(max_examples=examples(60), deadline=None)
@given(streams())
def test_a_grid_does_what_pyribs_does_one_by_one(rows: list[Row]) -> None:
    check_single(our_grid(), their_grid(), rows)


@settings(max_examples=examples(60), deadline=None)
@given(streams(), st.integers(1, 60))
def test_a_grid_does_what_pyribs_does_in_batches(rows: list[Row], size: int) -> None:
    check_batches(our_grid(), their_grid(), rows, size)


@settings(max_examples=examples(6), deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3000))
def test_a_grid_does_what_pyribs_does_in_large_batches(rng_seed: int, size: int) -> None:
    rng = np.random.default_rng(rng_seed)
    points = rng.uniform([-0.2, -4.0], [1.2, 6.0], (3000, 2)).tolist()
    rows: list[Row] = [
        (float(score), (away_from_edges(x, 0), away_from_edges(y, 1)))
        for score, (x, y) in zip(rng.integers(-20, 20, 3000), points, strict=True)
    ]
    check_batches(our_grid(), their_grid(), rows, size)


unit_points = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)).filter(lambda point: has_one_nearest(point))


def has_one_nearest(point: tuple[float, float]) -> bool:
    """Whether rounding cannot make two centroids equally near."""
    least, second = np.sort(np.hypot(*(CENTROIDS - point).T))[:2]
    return bool(second - least > 1e-9)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.tuples(scores, unit_points), max_size=60), st.integers(1, 60))
def test_centroids_do_what_pyribs_does(rows: list[Row], size: int) -> None:
    check_single(our_centroids(), their_centroids(), rows)
    check_batches(our_centroids(), their_centroids(), rows, size)


def test_pyribs_lifts_a_value_just_below_an_edge_and_we_do_not() -> None:
    below = math.nextafter(0.25, 0.0)

    ours = our_grid().add(candidate(1), score=0.0, descriptor=(below, 0.0))
    theirs = their_grid().index_of_single((below, 0.0))  # type: ignore[attr-defined] # as above

    assert int(theirs) - ours.cell == DIMS[1]
