"""Offers that do not fit, in every way they can be wrong, one by one and in batches."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from archive import ArchiveError, CategoryAxis, CVTArchive, GridArchive, LinearAxis
from archive.axes import MAX_CELLS, OutOfRange
from archive.candidate import Candidate
from archive.space import GridSpace, n_clipped
from evolve.testing.archive_conformance import candidate

X, Y = LinearAxis("x", 0.0, 1.0, 4), LinearAxis("y", 0.0, 1.0, 4)
KIND = CategoryAxis("kind", ["ring", "grid"], out_of_range=OutOfRange.OVERFLOW)


def two_axes() -> GridArchive:
    return GridArchive([X, Y])


WRONG_DESCRIPTORS: list[tuple[Any, str]] = [
    ([], r"has 0 values, the archive has 2 axes \(x, y\)"),
    ([0.5], "has 1 values"),
    ((0.5, 0.5, 0.5), "has 3 values"),
    ("ab", "has 2 values, the archive has 2 axes"),
    ({}, "lacks x, y; it has nothing"),
    ({"x": 0.5}, "lacks y; it has x"),
    ({"x": 0.5, "Y": 0.5}, "lacks y; it has x, Y"),
    ({"x": 0.5, "y": 0.5, "z": 0.5}, "unknown axis 'z'"),
    ({"x": 0.5, "y": 0.5, "yy": 0.5}, "did you mean 'y'"),
    ([0.5, "0.5"], "axis 'y': expected a finite number, got '0.5'"),
    ([None, 0.5], "axis 'x': expected a finite number, got None"),
    ([0.5, math.nan], "axis 'y': expected a finite number, got nan"),
    ([-math.inf, 0.5], "axis 'x': expected a finite number, got -inf"),
    ([0.5, 10**400], "axis 'y': expected a finite number"),
]


@pytest.mark.parametrize(("descriptor", "message"), WRONG_DESCRIPTORS)
def test_a_wrong_descriptor_is_refused_alone_and_in_a_batch_and_changes_nothing(descriptor: Any, message: str) -> None:
    archive = two_axes()
    archive.add(candidate(1), score=1.0, descriptor=(0.5, 0.5))
    before, stats = archive.hash(), archive.stats()

    with pytest.raises(ArchiveError, match=message):
        archive.add(candidate(2), score=2.0, descriptor=descriptor)
    with pytest.raises(ArchiveError, match=message):
        archive.add_many([candidate(3), candidate(4)], [9.0, 9.0], [(0.1, 0.1), descriptor])
    with pytest.raises(ArchiveError, match=message):
        archive.cell_of(descriptor)

    assert (archive.hash(), archive.stats()) == (before, stats)


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, 10**400])
def test_a_score_that_is_no_finite_number_is_refused_alone_and_in_a_batch(score: float) -> None:
    archive = two_axes()

    with pytest.raises(ArchiveError, match="must be finite"):
        archive.add(candidate(7), score=score, descriptor=(0.5, 0.5))
    with pytest.raises(ArchiveError, match="must be finite"):
        archive.add_many([candidate(1), candidate(2)], [1.0, score], [(0.5, 0.5)] * 2)

    assert archive.elites() == []
    assert archive.best is None


BATCHES: list[tuple[Sequence[Candidate], Any, Any, str]] = [
    ([candidate(1)], [], [(0.5, 0.5)], "expected one score and one descriptor a candidate"),
    ([candidate(1)], [1.0, 2.0], [(0.5, 0.5)], "expected one score and one descriptor a candidate"),
    ([candidate(1)], [1.0], [], "expected one score and one descriptor a candidate"),
    ([], [1.0], [(0.5, 0.5)], "expected one score and one descriptor a candidate"),
    ([candidate(1)], [[1.0]], [(0.5, 0.5)], "expected one score and one descriptor a candidate"),
    ([candidate(1)], [1.0], np.zeros((1, 3)), r"shape \(1, 3\), expected rows of 2 numbers \(x, y\)"),
    ([candidate(1)], [1.0], np.zeros(1), r"shape \(1,\), expected rows of 2"),
    ([candidate(1)], [1.0], np.array([[0.5, math.nan]]), "descriptor of row 0 is not finite"),
    ([candidate(1), candidate(2)], [1.0, 1.0], np.array([[0, 0], [0, np.inf]]), "descriptor of row 1 is not finite"),
]


@pytest.mark.parametrize(("candidates", "scores", "descriptors", "message"), BATCHES)
def test_a_batch_that_does_not_fit_is_refused_whole(
    candidates: Sequence[Candidate], scores: Any, descriptors: Any, message: str
) -> None:
    archive = two_axes()

    with pytest.raises(ArchiveError, match=message):
        archive.add_many(candidates, scores, descriptors)

    assert archive.stats().n_elites == 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.bool_, object])
def test_an_array_of_any_numbers_lands_where_its_rows_land(dtype: Any) -> None:
    rows = np.array([[0, 1], [1, 1], [1, 0], [0, 0]]).astype(dtype)
    archive = two_axes()

    result = archive.add_many([candidate(number) for number in range(4)], [1.0] * 4, rows)

    assert result.cells.tolist() == [archive.cell_of([float(x), float(y)]) for x, y in rows.tolist()]


def test_names_and_order_are_two_ways_to_say_one_descriptor() -> None:
    archive = GridArchive([X, KIND, Y])

    by_order = archive.cell_of([0.3, "grid", 0.9])
    by_name = archive.cell_of({"y": 0.9, "kind": "grid", "x": 0.3})

    assert by_order == by_name


def test_an_array_cannot_hold_categories() -> None:
    archive = GridArchive([X, KIND])

    with pytest.raises(ArchiveError, match="categories go by name, as a list of rows"):
        archive.add_many([candidate(1)], [1.0], np.array([[0.5, 0.0]]))


def test_unknown_categories_keep_their_names_through_batches_and_better_ones() -> None:
    archive = GridArchive([KIND])
    names = ["hexagon", "ring", "spiral", "hexagon"]

    archive.add_many([candidate(number) for number in range(4)], [3.0, 1.0, 2.0, 4.0], [[name] for name in names])

    assert [(elite.descriptor, elite.score) for elite in archive.elites()] == [(("ring",), 1.0), (("hexagon",), 4.0)]


def test_the_hash_does_not_depend_on_which_unknown_names_came_by_before() -> None:
    plain, travelled = GridArchive([KIND]), GridArchive([KIND])
    for name in ("comet", "star", "moon"):
        travelled.cell_of([name])

    for archive in (plain, travelled):
        archive.add(candidate(1), score=1.0, descriptor=["moon"])

    assert plain.hash() == travelled.hash()


def test_a_grid_may_be_as_large_as_the_limit_and_no_larger() -> None:
    side = 1 << 11
    assert side * side == MAX_CELLS

    assert GridSpace([LinearAxis("x", 0, 1, side), LinearAxis("y", 0, 1, side)]).n_cells == MAX_CELLS
    with pytest.raises(ArchiveError, match='use fewer cells an axis, or kind = "cvt"'):
        GridSpace([LinearAxis("x", 0, 1, side), LinearAxis("y", 0, 1, side + 1)])


def test_a_row_outside_several_axes_is_clipped_once() -> None:
    codes = np.array([[0.5, 0.5], [2.0, 0.5], [-1.0, 7.0], [1.0, 0.0]])

    assert n_clipped([X, Y], codes) == 2
    assert n_clipped([LinearAxis("x", 0.0, 1.0, out_of_range=OutOfRange.OVERFLOW), Y], codes) == 1


@pytest.mark.parametrize("n", [-1, 0])
def test_the_top_none_are_none(n: int) -> None:
    archive = two_axes()
    archive.add(candidate(1), score=1.0, descriptor=(0.5, 0.5))

    assert archive.top(n) == []


def test_a_view_of_the_best_scores_follows_the_archive() -> None:
    archive = two_axes()
    view = archive.best_scores()

    archive.add(candidate(1), score=2.0, descriptor=(0.0, 0.0))

    assert view[0] == 2.0
    assert archive.occupied().tolist() == [0]
    with pytest.raises(ValueError, match="read-only"):
        archive.occupied()[0] = 1


def test_a_result_names_its_status_row_by_row() -> None:
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 2, out_of_range=OutOfRange.REJECT)])
    archive.add(candidate(1), score=1.0, descriptor=[0.1])

    result = archive.add_many([candidate(n) for n in range(2, 6)], [2.0, 0.0, 1.0, 1.0], [[0.1], [0.1], [0.9], [9.0]])

    assert [result.status(row).value for row in range(len(result))] == ["improved", "rejected", "new", "out_of_range"]
    assert result.deltas.tolist() == [1.0, -1.0, 1.0, 0.0]
    assert result.cells.tolist() == [0, 0, 1, -1]


@pytest.mark.parametrize("count", [0, -1, MAX_CELLS + 1])
def test_centroids_are_counted_before_they_are_made(count: int) -> None:
    with pytest.raises(ArchiveError, match="expected 1 to 4,194,304"):
        CVTArchive([X, Y], centroids=count)


def test_cells_that_do_not_exist_hold_nobody() -> None:
    archive = two_axes()
    archive.add(candidate(1), score=1.0, descriptor=(0.5, 0.5))

    assert archive.elites_in(999) == []
    assert archive.elites_in(-1) == []
