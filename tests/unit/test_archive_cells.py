import pytest

from archive import (
    AddStatus,
    ArchiveError,
    Candidate,
    Direction,
    GridArchive,
    LinearAxis,
    Objective,
    ParetoCell,
    TopCell,
)
from evolve.testing.archive_conformance import candidate

AXES = [LinearAxis("x", 0.0, 1.0, 1)]


def scores(archive: GridArchive) -> list[float]:
    return [elite.score for elite in archive.elites()]


def test_a_top_cell_keeps_the_best_in_order() -> None:
    archive = GridArchive(AXES, cell=TopCell(keep=3))

    for number, score in enumerate([1.0, 3.0, 2.0, 5.0, 0.0]):
        archive.add(candidate(number), score=score, descriptor=[0.5])

    assert scores(archive) == [5.0, 3.0, 2.0]


def test_a_top_cell_with_scores_apart_keeps_one_of_those_that_are_close() -> None:
    archive = GridArchive(AXES, cell=TopCell(keep=3, apart=0.1))

    for number, score in enumerate([1.0, 1.05, 1.02, 2.0, 1.12, 2.01]):
        archive.add(candidate(number), score=score, descriptor=[0.5])

    assert scores(archive) == [2.01, 1.12]


def test_scores_cannot_be_a_negative_distance_apart() -> None:
    with pytest.raises(ArchiveError, match="apart=-1"):
        TopCell(apart=-1)


def test_a_full_top_cell_says_whom_it_displaced() -> None:
    archive = GridArchive(AXES, cell=TopCell(keep=2))
    archive.add(candidate(1), score=1.0, descriptor=[0.5])

    second = archive.add(candidate(2), score=2.0, descriptor=[0.5])
    third = archive.add(candidate(3), score=1.5, descriptor=[0.5])

    assert (second.status, second.displaced_id, second.delta) == (AddStatus.IMPROVED, None, 1.0)
    assert (third.status, third.displaced_id, third.delta) == (AddStatus.IMPROVED, 1, -0.5)


def test_a_top_cell_rejects_a_tie_with_its_last() -> None:
    archive = GridArchive(AXES, cell=TopCell(keep=2))
    archive.add(candidate(1), score=1.0, descriptor=[0.5])
    archive.add(candidate(2), score=2.0, descriptor=[0.5])

    assert archive.add(candidate(3), score=1.0, descriptor=[0.5]).status is AddStatus.REJECTED


def test_a_top_cell_keeps_the_better_of_equal_programs() -> None:
    archive = GridArchive(AXES, cell=TopCell(keep=3))
    archive.add(candidate(1, fingerprint="same"), score=1.0, descriptor=[0.5])
    archive.add(candidate(2), score=5.0, descriptor=[0.5])

    worse = archive.add(candidate(3, fingerprint="same"), score=1.0, descriptor=[0.5])
    better = archive.add(candidate(4, fingerprint="same"), score=2.0, descriptor=[0.5])

    assert worse.status is AddStatus.REJECTED
    assert (better.status, better.displaced_ids) == (AddStatus.IMPROVED, (1,))
    assert [elite.candidate.id for elite in archive.elites()] == [2, 4]


def pareto(keep: int = 8) -> GridArchive:
    return GridArchive(AXES, cell=ParetoCell(objectives=[Objective("cost", Direction.MIN)], keep=keep))


def test_a_pareto_cell_keeps_whom_no_other_beats() -> None:
    archive = pareto()

    archive.add(candidate(1, cost=5.0), score=5.0, descriptor=[0.5])
    cheaper = archive.add(candidate(2, cost=1.0), score=1.0, descriptor=[0.5])
    beaten = archive.add(candidate(3, cost=6.0), score=4.0, descriptor=[0.5])
    equal = archive.add(candidate(4, cost=5.0), score=5.0, descriptor=[0.5])
    beats_all = archive.add(candidate(5, cost=0.5), score=5.5, descriptor=[0.5])

    assert cheaper.status is AddStatus.IMPROVED
    assert beaten.status is AddStatus.REJECTED
    assert equal.status is AddStatus.REJECTED
    assert beats_all.displaced_ids == (1, 2)
    assert scores(archive) == [5.5]


def test_a_full_pareto_cell_drops_its_most_crowded_never_its_best() -> None:
    archive = pareto(keep=3)

    results = [
        archive.add(candidate(number, cost=value), score=value, descriptor=[0.5])
        for number, value in enumerate([0.0, 10.0, 5.0, 9.5])
    ]

    assert results[-1].status is AddStatus.REJECTED
    assert scores(archive) == [10.0, 5.0, 0.0]
    assert scores_of_a_front_of_one() == [10.0]


def scores_of_a_front_of_one() -> list[float]:
    archive = pareto(keep=1)
    for number, value in enumerate([0.0, 10.0, 5.0, 9.5]):
        archive.add(candidate(number, cost=value), score=value, descriptor=[0.5])
    return scores(archive)


def test_a_higher_is_better_objective_counts_the_other_way() -> None:
    archive = GridArchive(AXES, cell=ParetoCell(objectives=[Objective.parse("max:cost")]))

    archive.add(candidate(1, cost=5.0), score=5.0, descriptor=[0.5])
    result = archive.add(candidate(2, cost=1.0), score=1.0, descriptor=[0.5])

    assert result.status is AddStatus.REJECTED


def test_a_pareto_cell_refuses_a_candidate_without_its_metric() -> None:
    archive = pareto()
    bare = Candidate(id=1, files={}, fingerprint="a")

    with pytest.raises(ArchiveError, match="finite metric 'cost'"):
        archive.add(bare, score=1.0, descriptor=[0.5])
    with pytest.raises(ArchiveError, match="finite metric 'cost'"):
        archive.add_many([candidate(2), bare], [1.0, 1.0], [[0.5], [0.5]])

    assert archive.elites() == []
    assert archive.stats().n_clipped == 0


def test_rules_that_could_keep_nobody_are_refused() -> None:
    with pytest.raises(ArchiveError):
        TopCell(keep=0)
    with pytest.raises(ArchiveError):
        ParetoCell(objectives=[], keep=3)
    with pytest.raises(ArchiveError, match="min:NAME"):
        Objective.parse("operations")


def test_a_delta_is_measured_from_the_offset_in_an_empty_cell() -> None:
    archive = GridArchive(AXES, qd_offset=-10.0)

    result = archive.add(candidate(1), score=-4.0, descriptor=[0.5])

    assert result.delta == 6.0
    assert archive.stats().qd_score == 6.0
