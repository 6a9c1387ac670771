import math

import pytest

from archive import (
    AddStatus,
    ArchiveError,
    ArchiveSpecError,
    CategoryAxis,
    CVTArchive,
    EdgesAxis,
    GridArchive,
    LinearAxis,
    LogAxis,
    axis_from_mapping,
)
from archive.axes import Axis
from evolve.testing.archive_conformance import candidate


def cells(axis: Axis, *values: float | str) -> list[int]:
    archive = GridArchive([axis])
    return [archive.cell_of([value]) for value in values]


def test_a_value_on_an_edge_belongs_to_the_cell_it_opens() -> None:
    axis = LinearAxis("x", 0.0, 1.0, 4)

    assert cells(axis, 0.0, 0.2499999, 0.25, 0.5, 0.75, math.nextafter(1.0, 0.0), 1.0) == [0, 0, 1, 2, 3, 3, 3]


def test_whole_numbers_land_in_cells_of_their_own() -> None:
    axis = LinearAxis("operations", 0, 15, 15)

    assert cells(axis, *range(16)) == [*range(15), 14]


def test_a_log_axis_has_cells_of_equal_ratio() -> None:
    axis = LogAxis("size", 1.0, 1000.0, 3)

    assert cells(axis, 1.0, 9.0, 11.0, 99.0, 101.0, 1000.0) == [0, 0, 1, 1, 2, 2]


def test_given_edges_make_uneven_cells() -> None:
    axis = EdgesAxis("error", [0.0, 1.0, 10.0, 100.0])

    assert cells(axis, 0.5, 1.0, 9.9, 50.0) == [0, 1, 1, 2]


def test_values_outside_are_clipped_or_refused_or_kept_apart() -> None:
    clip, reject, overflow = (
        LinearAxis("x", 0.0, 1.0, 2, out_of_range=policy)  # type: ignore[arg-type] # text as a file has it
        for policy in ("clip", "reject", "overflow")
    )

    assert cells(clip, -1.0, 2.0) == [0, 1]
    assert cells(reject, -1.0, 0.0, 1.0, 2.0) == [-1, 0, 1, -1]
    assert cells(overflow, -1.0, 0.0, 1.0, 2.0) == [3, 0, 1, 2]
    assert GridArchive([overflow]).n_cells == 4


def test_a_refused_offer_is_counted_and_nothing_else() -> None:
    axis = axis_from_mapping({"name": "x", "low": 0.0, "high": 1.0, "out_of_range": "reject"})
    archive = GridArchive([axis])
    before = archive.hash()

    result = archive.add(candidate(1), score=1.0, descriptor=[3.0])

    assert (result.status, result.cell, result.delta, result.kept) == (AddStatus.OUT_OF_RANGE, -1, 0.0, False)
    assert archive.stats().n_rejected_range == 1
    assert archive.hash() == before


def test_refused_rows_of_a_batch_are_passed_over() -> None:
    for archive in (
        GridArchive([LinearAxis("x", 0.0, 1.0, 4, out_of_range="reject")]),  # type: ignore[arg-type] # as a file has it
        CVTArchive([LinearAxis("x", 0.0, 1.0, out_of_range="reject")], centroids=4),  # type: ignore[arg-type] # same
    ):
        result = archive.add_many([candidate(1), candidate(2)], [5.0, 1.0], [[3.0], [0.1]])

        assert result.status(0) is AddStatus.OUT_OF_RANGE
        assert result.cells[0] == -1
        assert [elite.candidate.id for elite in archive.elites()] == [2]
        assert archive.stats().n_rejected_range == 1
        assert archive.stats().n_clipped == 0


def test_categories_go_by_name_and_keep_it() -> None:
    archive = GridArchive([CategoryAxis("shape", ["ring", "grid"]), LinearAxis("x", 0.0, 1.0, 2)])

    result = archive.add(candidate(1), score=1.0, descriptor={"shape": "grid", "x": 0.75})

    assert result.cell == 3
    assert archive.elites()[0].descriptor == ("grid", 0.75)
    assert archive.add(candidate(2), score=1.0, descriptor=["hexagon", 0.5]).status is AddStatus.OUT_OF_RANGE


def test_unknown_categories_can_share_a_cell_and_keep_their_names() -> None:
    axis = axis_from_mapping({"kind": "categories", "name": "s", "categories": ["a"], "out_of_range": "overflow"})
    archive = GridArchive([axis])

    archive.add(candidate(1), score=1.0, descriptor=["zebra"])
    archive.add_many([candidate(2)], [2.0], [["lion"]])
    archive.add(candidate(3), score=0.0, descriptor=["zebra"])

    assert [(elite.cell, elite.descriptor) for elite in archive.elites()] == [(1, ("lion",))]


@pytest.mark.parametrize(
    "make",
    [
        lambda: LinearAxis("x", 1.0, 1.0),
        lambda: LinearAxis("x", 2.0, 1.0),
        lambda: LinearAxis("x", 0.0, math.inf),
        lambda: LinearAxis("x", -1e308, 1e308),
        lambda: LinearAxis("x", 0.0, 1.0, 0),
        lambda: LinearAxis("x", 1.0, 1.0 + 2**-52, 10),
        lambda: LogAxis("x", 0.0, 1.0),
        lambda: EdgesAxis("x", [1.0]),
        lambda: EdgesAxis("x", [0.0, 2.0, 1.0]),
        lambda: CategoryAxis("x", []),
        lambda: CategoryAxis("x", ["a", "a"]),
        lambda: CategoryAxis("x", ["a"], out_of_range="clip"),  # type: ignore[arg-type] # as a file has it
        lambda: GridArchive([]),
        lambda: GridArchive([LinearAxis("x", 0, 1), LinearAxis("x", 0, 1)]),
        lambda: GridArchive([LinearAxis(str(number), 0, 1, 100) for number in range(9)]),
    ],
)
def test_an_axis_that_cannot_work_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ArchiveError):
        make()


def test_an_axis_comes_back_from_its_table() -> None:
    axes: list[Axis] = [
        LinearAxis("x", -1.5, 2.0, 7),
        LogAxis("y", 1e-9, 1.0, 9),
        EdgesAxis("z", [0.0, 1.0, 5.0]),
        CategoryAxis("s", ["a", "b"]),
    ]

    assert [axis_from_mapping(axis.to_mapping()) for axis in axes] == axes


def test_ends_given_as_whole_numbers_or_floats_make_one_shape() -> None:
    whole, floats = GridArchive([LinearAxis("x", 0, 3, 3)]), GridArchive([LinearAxis("x", 0.0, 3.0, 3)])

    assert whole.hash() == floats.hash()


def test_every_mistake_of_an_axis_is_told_with_its_key() -> None:
    with pytest.raises(ArchiveSpecError) as caught:
        axis_from_mapping({"kind": "linear", "name": "x", "low": "0", "hihg": 1, "cells": 2.5, "out_of_range": "clamp"})

    assert [mistake.split(":")[0] for mistake in caught.value.mistakes] == [
        "hihg",
        "high",
        "low",
        "cells",
        "out_of_range",
    ]
    assert "did you mean 'high'" in caught.value.mistakes[0]


def test_an_unknown_kind_of_axis_is_told_what_there_is() -> None:
    with pytest.raises(ArchiveSpecError, match="did you mean 'linear'"):
        axis_from_mapping({"kind": "liner", "name": "x", "low": 0, "high": 1})
