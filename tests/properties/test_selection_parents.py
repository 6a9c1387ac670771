from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import Archive, CategoryAxis, GridArchive, LinearAxis, TopCell
from evolve.selection.parents import choose_inspirations, choose_island, choose_parents
from evolve.testing.archive_conformance import candidate, feed, stream
from tests.extent import examples

AXES = [LinearAxis("x", 0.0, 1.0, 6), LinearAxis("y", 0.0, 1.0, 6)]


def filled(n_offers: int, rng_seed: int = 1) -> GridArchive:
    archive = GridArchive(AXES, cell=TopCell(keep=3))
    feed(archive, stream(rng_seed, n_offers))
    return archive


def rng(number: int) -> np.random.Generator:
    return np.random.default_rng([5, number])


def cells_of(archive: Archive, ids: set[int]) -> set[int]:
    return {elite.cell for elite in archive.elites() if elite.candidate.id in ids}


def test_islands_take_turns() -> None:
    assert [choose_island(iteration, 3) for iteration in range(7)] == [0, 1, 2, 0, 1, 2, 0]
    with pytest.raises(ValueError, match="at least one"):
        choose_island(1, 0)


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(1, 80), st.integers(0, 5), st.integers(0, 10**6))
def test_parents_are_elites_and_different_while_there_are_enough(n_offers: int, n: int, number: int) -> None:
    archive = filled(n_offers)
    ids = {elite.candidate.id for elite in archive.elites()}

    parents = choose_parents(archive, n, rng(number))

    assert len(parents) == n
    assert {parent.id for parent in parents} <= ids
    assert len({parent.id for parent in parents}) == min(n, len(ids))
    assert parents == choose_parents(archive, n, rng(number))


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(1, 80), st.integers(0, 6), st.integers(0, 10**6))
def test_inspirations_come_from_other_cells_than_the_parents(n_offers: int, n: int, number: int) -> None:
    archive = filled(n_offers)
    parents = choose_parents(archive, 2, rng(number))
    parent_cells = cells_of(archive, {parent.id for parent in parents})

    inspirations = choose_inspirations(archive, parents, n, rng(number + 1))

    others = {elite.candidate.id for elite in archive.elites() if elite.cell not in parent_cells}
    chosen = {inspiration.id for inspiration in inspirations}
    assert len(chosen) == len(inspirations) <= n
    assert not chosen & {parent.id for parent in parents}
    assert inspirations == choose_inspirations(archive, parents, n, rng(number + 1))
    if others:
        assert chosen <= others
        assert len(chosen) == min(n, len(set(archive.occupied().tolist()) - parent_cells))


def test_choosing_depends_on_what_is_held_not_on_how_it_came() -> None:
    archive = filled(200)
    again = archive.fresh()
    for elite in reversed(archive.elites()):
        again.add(elite.candidate, score=elite.score, descriptor=elite.descriptor)

    for number in range(30):
        parents = choose_parents(archive, 3, rng(number))
        assert choose_parents(again, 3, rng(number)) == parents
        assert choose_inspirations(again, parents, 3, rng(number)) == choose_inspirations(
            archive, parents, 3, rng(number)
        )


def test_without_exploitation_every_occupied_cell_breeds_alike_and_the_better_more_often() -> None:
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 2)], cell=TopCell(keep=3))
    for number, (place, score) in enumerate([(0.2, 9.0), (0.8, 1.0), (0.8, 2.0), (0.8, 3.0)]):
        archive.add(candidate(number), score=score, descriptor=[place])
    source = rng(1)

    counts = Counter(choose_parents(archive, 1, source, exploitation=0.0)[0].id for _ in range(4000))

    assert counts[0] == pytest.approx(2000, abs=200)
    assert counts[3] > 1.5 * counts[2] > 1.5 * counts[1] > 0


def test_exploitation_goes_to_the_best_by_score() -> None:
    archive = filled(300)
    best = {elite.candidate.id for elite in archive.top(8)}
    source = rng(2)

    drawn = {choose_parents(archive, 1, source, exploitation=1.0)[0].id for _ in range(300)}

    assert drawn == best


def test_inspirations_are_spread_out() -> None:
    archive = GridArchive([CategoryAxis("kind", ["a", "b"]), LinearAxis("x", 0.0, 1.0, 10)])
    for number in range(10):
        archive.add(candidate(number), score=0.0, descriptor=["a", number / 10 + 0.05])
    archive.add(candidate(10), score=0.0, descriptor=["b", 0.5])
    parent = archive.elites()[0].candidate

    for number in range(20):
        chosen = choose_inspirations(archive, [parent], 3, rng(number))
        assert 10 in {each.id for each in chosen}
        assert max(each.id for each in chosen if each.id < 10) - min(each.id for each in chosen if each.id < 10) >= 4


def test_in_a_single_cell_its_other_elites_inspire() -> None:
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 1)], cell=TopCell(keep=3))
    for number in range(3):
        archive.add(candidate(number), score=float(number), descriptor=[0.5])
    parent = archive.elites()[0].candidate

    assert [each.id for each in choose_inspirations(archive, [parent], 5, rng(1))] == [1, 0]


def test_an_empty_archive_has_no_parents_and_no_inspirations() -> None:
    archive = GridArchive(AXES)

    assert choose_inspirations(archive, [], 3, rng(1)) == []
    assert choose_parents(archive, 0, rng(1)) == []
    with pytest.raises(ValueError, match="seed program first"):
        choose_parents(archive, 1, rng(1))
