import pytest

from archive import ArchiveError, GridArchive, Islands, LinearAxis
from evolve.testing.archive_conformance import candidate, stream

AXES = [LinearAxis("x", 0.0, 1.0, 4), LinearAxis("y", 0.0, 1.0, 4)]


def filled(n_islands: int) -> Islands:
    islands = Islands.alike(GridArchive(AXES), n_islands)
    for number, offer in enumerate(stream(1, 60)):
        islands.add(number % n_islands, offer.candidate, score=offer.score, descriptor=offer.descriptor)
    return islands


def test_an_offer_reaches_its_island_only() -> None:
    islands = Islands.alike(GridArchive(AXES), 3)

    islands.add(1, candidate(1), score=1.0, descriptor=(0.1, 0.1))

    assert [archive.stats().n_elites for archive in islands.archives] == [0, 1, 0]


def test_migrants_are_copied_to_the_next_island_of_the_ring() -> None:
    islands = Islands.alike(GridArchive(AXES), 3)
    for island in range(3):
        islands.add(island, candidate(island), score=float(island), descriptor=(0.1 + 0.3 * island, 0.1))

    arrivals = islands.migrate(1)

    assert [(island, elite.candidate.id) for island, elite, _ in arrivals] == [(1, 0), (2, 1), (0, 2)]
    held = [sorted(elite.candidate.id for elite in archive.elites()) for archive in islands.archives]
    assert held == [[0, 2], [0, 1], [1, 2]]


def test_migration_loses_no_cell_and_no_score() -> None:
    islands = filled(4)
    before = [{elite.cell: elite.score for elite in archive.elites()} for archive in islands.archives]
    best = islands.best

    islands.migrate(5)

    for archive, scores in zip(islands.archives, before, strict=True):
        after = {elite.cell: elite.score for elite in archive.elites()}
        assert all(after[cell] >= score for cell, score in scores.items())
    assert islands.best == best


def test_migration_is_the_same_every_time() -> None:
    first, second = filled(3), filled(3)

    assert first.migrate(3) == second.migrate(3)
    assert first.hash() == second.hash()


def test_one_island_has_nowhere_to_migrate() -> None:
    islands = filled(1)
    before = islands.hash()

    assert islands.migrate(5) == []
    assert islands.hash() == before


def test_merged_statistics_count_a_cell_once_with_its_best() -> None:
    islands = Islands.alike(GridArchive(AXES, qd_offset=-1.0), 2)
    islands.add(0, candidate(1), score=1.0, descriptor=(0.1, 0.1))
    islands.add(1, candidate(2), score=3.0, descriptor=(0.1, 0.1))
    islands.add(1, candidate(3), score=2.0, descriptor=(2.0, 0.9))

    stats = islands.stats()

    assert (stats.n_elites, stats.n_occupied, stats.qd_score, stats.best_score) == (3, 2, 7.0, 3.0)
    assert (stats.coverage, stats.n_clipped) == (2 / 16, 1)


def test_the_best_of_all_islands_names_each_candidate_once() -> None:
    islands = filled(3)
    islands.migrate(4)

    ids = [elite.candidate.id for elite in islands.top(10)]

    assert len(set(ids)) == len(ids) == 10
    assert islands.best == islands.top(1)[0]
    assert Islands.alike(GridArchive(AXES), 2).best is None


def test_the_hash_sees_on_which_island_an_elite_lives() -> None:
    left, right = (Islands.alike(GridArchive(AXES), 2) for _ in range(2))

    left.add(0, candidate(1), score=1.0, descriptor=(0.1, 0.1))
    right.add(1, candidate(1), score=1.0, descriptor=(0.1, 0.1))

    assert left.hash() != right.hash()


def test_islands_must_exist_and_have_one_shape() -> None:
    with pytest.raises(ArchiveError, match="at least one"):
        Islands([])
    with pytest.raises(ArchiveError, match="another shape"):
        Islands([GridArchive(AXES), GridArchive(AXES[:1])])
    with pytest.raises(ArchiveError, match="no island 2"):
        Islands.alike(GridArchive(AXES), 2).add(2, candidate(1), score=1.0, descriptor=(0.1, 0.1))
