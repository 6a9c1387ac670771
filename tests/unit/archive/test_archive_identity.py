"""What an archive's hash sees, and what islands keep: hashes, migration, merged statistics."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import (
    ArchiveError,
    Candidate,
    CategoryAxis,
    CVTArchive,
    Elite,
    GridArchive,
    Islands,
    LinearAxis,
    TopCell,
)
from archive.digest import digest_of
from evolve.testing.archive_conformance import candidate, feed, stream
from tests.extent import examples

SHAPE: Mapping[str, Any] = {"kind": "grid", "axes": [{"name": "x"}]}
PROGRAM = Candidate(id=1, files={"a.py": "x = 1\n", "b.py": ""}, fingerprint="abc")
ELITE = Elite(PROGRAM, 0.1, (0.5, "ring"), 3, 0)
AXES = [LinearAxis("x", 0.0, 1.0, 4), LinearAxis("y", 0.0, 1.0, 4)]


def test_the_hash_is_sha256_over_compact_json_with_hexadecimal_floats() -> None:
    files = sha256(b'{"a.py":"x = 1\\n","b.py":""}').hexdigest()
    expected = sha256()
    expected.update(b'{"axes":[{"name":"x"}],"kind":"grid"}')
    row = [3, 0, "abc", files, (0.1).hex(), [[(0.5).hex()], "ring"]]
    expected.update(json.dumps(row, separators=(",", ":")).encode())

    assert digest_of(SHAPE, [ELITE]) == expected.hexdigest()


CHANGES: dict[str, Callable[[Elite], Elite]] = {
    "score by one bit": lambda elite: elite._replace(score=0.1 + 2**-56),
    "score sign": lambda elite: elite._replace(score=-0.1),
    "place by one bit": lambda elite: elite._replace(descriptor=(0.5 + 2**-53, "ring")),
    "category": lambda elite: elite._replace(descriptor=(0.5, "Ring")),
    "number for a name": lambda elite: elite._replace(descriptor=(0.5, 1.0)),
    "name that looks like a number": lambda elite: elite._replace(descriptor=((0.5).hex(), "ring")),
    "order of the values": lambda elite: elite._replace(descriptor=("ring", 0.5)),
    "cell": lambda elite: elite._replace(cell=4),
    "rank": lambda elite: elite._replace(rank=1),
    "fingerprint": lambda elite: elite._replace(candidate=replace(PROGRAM, fingerprint="abd")),
    "text": lambda elite: elite._replace(candidate=replace(PROGRAM, files={"a.py": "x = 2\n", "b.py": ""})),
    "file name": lambda elite: elite._replace(candidate=replace(PROGRAM, files={"c.py": "x = 1\n", "b.py": ""})),
    "one file less": lambda elite: elite._replace(candidate=replace(PROGRAM, files={"a.py": "x = 1\n"})),
    "files swapped": lambda elite: elite._replace(candidate=replace(PROGRAM, files={"a.py": "", "b.py": "x = 1\n"})),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_of_what_is_held_changes_the_hash(change: Callable[[Elite], Elite]) -> None:
    assert digest_of(SHAPE, [change(ELITE)]) != digest_of(SHAPE, [ELITE])


@pytest.mark.parametrize(
    "program",
    [
        replace(PROGRAM, files={"b.py": "", "a.py": "x = 1\n"}),
        replace(PROGRAM, id=99),
        replace(PROGRAM, parent_ids=(4, 5), operator="mutate", generation=3, iteration=8),
        replace(PROGRAM, metrics={"cost": 3.0}),
    ],
    ids=["order of files", "number", "lineage", "metrics"],
)
def test_where_a_program_came_from_is_not_part_of_the_hash(program: Candidate) -> None:
    assert digest_of(SHAPE, [ELITE._replace(candidate=program)]) == digest_of(SHAPE, [ELITE])


def test_the_hash_sees_how_many_are_held_and_the_shape() -> None:
    other_shape = {**SHAPE, "kind": "cvt"}
    hashes = {
        digest_of(SHAPE, []),
        digest_of(SHAPE, [ELITE]),
        digest_of(SHAPE, [ELITE, ELITE]),
        digest_of(other_shape, []),
        digest_of(other_shape, [ELITE]),
    }

    assert len(hashes) == 5


def test_a_surrogate_in_a_program_does_not_stop_the_hash() -> None:
    broken = ELITE._replace(candidate=replace(PROGRAM, files={"a.py": "\ud800"}))

    assert len(digest_of(SHAPE, [broken])) == 64


SHAPES: list[GridArchive | CVTArchive] = [
    GridArchive(AXES),
    GridArchive(AXES[::-1]),
    GridArchive([AXES[0], LinearAxis("y", 0.0, 1.0, 5)]),
    GridArchive([AXES[0], LinearAxis("z", 0.0, 1.0, 4)]),
    GridArchive([AXES[0], LinearAxis("y", 0.0, 1.0 + 2**-52, 4)]),
    GridArchive([AXES[0], LinearAxis("y", 0.0, 1.0, 4, out_of_range="reject")]),  # type: ignore[arg-type] # as in files
    GridArchive([AXES[0], CategoryAxis("y", ["a", "b", "c", "d"])]),
    GridArchive(AXES, qd_offset=-1.0),
    GridArchive(AXES, cell=TopCell(keep=4)),
    GridArchive(AXES, cell=TopCell(keep=5)),
    GridArchive(AXES, cell=TopCell(keep=4, apart=0.1)),
    CVTArchive(AXES, centroids=16),
    CVTArchive(AXES, centroids=16, rng_seed=1),
    CVTArchive(AXES, centroids=17),
]


def test_archives_of_different_shapes_have_different_hashes_even_empty() -> None:
    assert len({archive.hash() for archive in SHAPES}) == len(SHAPES)


@pytest.mark.parametrize("n_axes", [1, 2, 3, 4, 6])
def test_spread_centroids_are_a_function_of_their_arguments(n_axes: int) -> None:
    axes = [LinearAxis(f"x{number}", 0.0, 1.0) for number in range(n_axes)]

    first, second = (CVTArchive(axes, centroids=24, rng_seed=7) for _ in range(2))

    assert first.hash() == second.hash()
    assert first.centroids.shape == (24, n_axes)
    assert ((first.centroids >= 0.0) & (first.centroids <= 1.0)).all()


def test_every_centroid_lies_in_its_own_cell() -> None:
    axes = [LinearAxis("x", -5.0, 5.0), LinearAxis("y", 2.0, 4.0)]
    archive = CVTArchive(axes, centroids=40, rng_seed=2)

    cells = [archive.cell_of((-5.0 + 10.0 * x, 2.0 + 2.0 * y)) for x, y in archive.centroids.tolist()]

    assert cells == list(range(40))


def populated(n_islands: int, rng_seed: int, n_offers: int = 80) -> Islands:
    islands = Islands.alike(GridArchive(AXES, cell=TopCell(keep=2)), n_islands)
    for number, offer in enumerate(stream(rng_seed, n_offers)):
        islands.add(number % n_islands, offer.candidate, score=offer.score, descriptor=offer.descriptor)
    return islands


@settings(max_examples=examples(25), deadline=None)
@given(st.integers(0, 500), st.integers(2, 5), st.integers(0, 12))
def test_migration_offers_the_best_of_each_island_to_the_next_and_nothing_else(
    rng_seed: int, n_islands: int, n_migrants: int
) -> None:
    islands = populated(n_islands, rng_seed)
    expected = [((home + 1) % n_islands, elite) for home in range(n_islands) for elite in islands[home].top(n_migrants)]

    arrivals = islands.migrate(n_migrants)

    assert [(island, elite) for island, elite, _ in arrivals] == expected
    for island, elite, result in arrivals:
        if result.kept:
            assert result.cell == elite.cell
            assert 0 <= island < n_islands


@settings(max_examples=examples(25), deadline=None)
@given(st.integers(0, 500), st.integers(1, 5), st.integers(0, 12))
def test_migration_never_lowers_a_cell_an_island_or_the_whole(rng_seed: int, n_islands: int, n_migrants: int) -> None:
    islands = populated(n_islands, rng_seed)
    before = [archive.best_scores().copy() for archive in islands.archives]
    merged = islands.stats()

    islands.migrate(n_migrants)

    for archive, scores in zip(islands.archives, before, strict=True):
        assert (archive.best_scores() >= scores).all()
    after = islands.stats()
    # copies bring nothing new to the islands laid over each other
    assert (after.n_occupied, after.qd_score, after.best_score) == (
        merged.n_occupied,
        merged.qd_score,
        merged.best_score,
    )


def test_enough_rounds_of_migration_bring_the_best_everywhere() -> None:
    islands = populated(4, 3)
    best = islands.best
    assert best is not None

    for _ in range(3):
        islands.migrate(1)

    assert [archive.best.score for archive in islands.archives if archive.best] == [best.score] * 4


def test_nobody_travels_two_islands_in_one_migration() -> None:
    islands = Islands.alike(GridArchive(AXES), 3)
    islands.add(0, candidate(1), score=5.0, descriptor=(0.1, 0.1))

    islands.migrate(10)

    assert [archive.stats().n_elites for archive in islands.archives] == [1, 1, 0]


@settings(max_examples=examples(25), deadline=None)
@given(st.integers(0, 500), st.integers(1, 4), st.integers(0, 30))
def test_the_top_of_islands_is_the_top_of_everyone_they_hold(rng_seed: int, n_islands: int, n: int) -> None:
    islands = populated(n_islands, rng_seed)
    everyone = {
        elite.candidate.id: (-elite.score, elite.candidate.id)
        for archive in islands.archives
        for elite in archive.elites()
    }

    top = islands.top(n)

    assert [(-elite.score, elite.candidate.id) for elite in top] == sorted(everyone.values())[:n]


def test_one_island_has_the_statistics_of_its_archive() -> None:
    archive = GridArchive(AXES, qd_offset=-3.0)
    islands = Islands([archive])

    feed(archive, stream(4, 120))

    assert islands.stats() == archive.stats()
    assert islands.best == archive.best
    assert len(islands) == 1


def test_empty_islands_have_no_best_and_no_coverage() -> None:
    islands = Islands.alike(GridArchive(AXES), 2)

    stats = islands.stats()

    assert (stats.n_elites, stats.coverage, stats.qd_score, stats.best_score) == (0, 0.0, 0.0, None)
    assert islands.top(5) == []
    assert islands.migrate(3) == []


@pytest.mark.parametrize("island", [-1, 2, 99])
def test_an_island_that_does_not_exist_is_named_with_those_that_do(island: int) -> None:
    islands = Islands.alike(GridArchive(AXES), 2)

    with pytest.raises(ArchiveError, match=f"no island {island}, expected 0 to 1"):
        islands[island]


def test_alike_islands_are_empty_and_apart_from_the_archive_they_are_like() -> None:
    archive = GridArchive(AXES)
    feed(archive, stream(5, 30))

    islands = Islands.alike(archive, 2)
    islands.add(0, candidate(1), score=1e9, descriptor=(0.1, 0.1))

    assert islands[1].stats().n_elites == 0
    assert archive.best is not None
    assert archive.best.score < 1e9
    with pytest.raises(ArchiveError, match="at least one"):
        Islands.alike(archive, 0)
