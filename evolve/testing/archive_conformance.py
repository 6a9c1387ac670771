"""What every archive must hold, as checks to run against your own.

    @pytest.mark.parametrize("check", ARCHIVE_CHECKS, ids=lambda check: check.__name__)
    def test_my_archive(check):
        check(lambda: MyArchive(...))

`make` returns a new, empty archive with exactly two number axes, "x" and "y", from 0 to 1, that clip, and at least
four cells; (0.1, 0.1) and (0.9, 0.9) lie in different ones. Every call of `make` gives the same shape. Candidates
carry the metric "cost".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, nan

import numpy as np

from archive.candidate import Candidate
from archive.contract import STATUS_OF_CODE, AddResult, AddStatus, Archive, Descriptor
from archive.errors import ArchiveError

Make = Callable[[], Archive]


@dataclass(frozen=True, slots=True)
class Offer:
    """One step of a stream."""

    candidate: Candidate
    score: float
    descriptor: tuple[float, ...]


def candidate(number: int, *, fingerprint: str | None = None, cost: float = 0.0) -> Candidate:
    """A candidate that differs from others by its number."""
    return Candidate(
        id=number,
        files={"program.py": f"value = {number}\n"},
        fingerprint=fingerprint if fingerprint is not None else f"print-{number}",
        metrics={"cost": cost},
    )


def stream(rng_seed: int, n_offers: int = 300) -> list[Offer]:
    """Random offers with few different scores (so that ties happen), some of them outside the axes."""
    rng = np.random.default_rng([20261121, rng_seed])
    scores = rng.integers(-6, 7, n_offers) / 2.0
    points = rng.uniform(-0.1, 1.1, (n_offers, 2))
    prints = rng.integers(0, n_offers, n_offers)
    costs = rng.integers(0, 5, n_offers)
    return [
        Offer(
            candidate(number + 1, fingerprint=f"print-{prints[number]}", cost=float(costs[number])),
            float(scores[number]),
            tuple(points[number].tolist()),
        )
        for number in range(n_offers)
    ]


def feed(archive: Archive, offers: Sequence[Offer]) -> list[AddResult]:
    """Make offers one after another."""
    return [archive.add(offer.candidate, score=offer.score, descriptor=offer.descriptor) for offer in offers]


def _raises(archive: Archive, score: float, descriptor: Descriptor) -> bool:
    try:
        archive.add(candidate(999), score=score, descriptor=descriptor)
    except ArchiveError:
        return True
    return False


def a_new_archive_is_empty(make: Make) -> None:
    """Nothing is held, covered or best."""
    archive = make()
    stats = archive.stats()
    assert (stats.n_elites, stats.n_occupied, stats.coverage, stats.qd_score) == (0, 0, 0.0, 0.0)
    assert stats.best_score is None
    assert archive.best is None
    assert archive.elites() == []
    assert archive.top(5) == []
    assert stats.n_cells == archive.n_cells >= 4


def the_first_in_a_cell_is_new_and_held(make: Make) -> None:
    """An empty cell takes anyone; delta is measured from the offset."""
    archive, first = make(), candidate(1)
    result = archive.add(first, score=2.5, descriptor=(0.1, 0.1))
    (elite,) = archive.elites()
    assert (result.status, result.delta, result.displaced_id) == (AddStatus.NEW, 2.5 - archive.qd_offset, None)
    assert (elite.candidate, elite.score, elite.descriptor, elite.rank) == (first, 2.5, (0.1, 0.1), 0)
    assert elite.cell == result.cell
    assert archive.occupied().tolist() == [result.cell]
    assert archive.elites_in(result.cell) == [elite]
    assert archive.elites_in((result.cell + 1) % archive.n_cells) == []


def a_better_one_becomes_the_first_of_its_cell(make: Make) -> None:
    """Delta is measured from the best the cell held."""
    archive = make()
    archive.add(candidate(1), score=1.0, descriptor=(0.1, 0.1))
    result = archive.add(candidate(2), score=4.0, descriptor=(0.1, 0.1))
    assert (result.status, result.delta) == (AddStatus.IMPROVED, 3.0)
    assert archive.elites_in(result.cell)[0].candidate.id == 2


def a_tie_keeps_the_older_first(make: Make) -> None:
    """An equal score does not take the place of the best."""
    archive = make()
    archive.add(candidate(1), score=1.0, descriptor=(0.1, 0.1))
    result = archive.add(candidate(2), score=1.0, descriptor=(0.1, 0.1))
    assert result.delta == 0.0
    assert archive.elites_in(result.cell)[0].candidate.id == 1
    assert archive.best is not None
    assert archive.best.candidate.id == 1


def a_descriptor_by_name_lands_where_one_by_order_does(make: Make) -> None:
    """The order of a mapping does not matter."""
    by_name, by_order = make(), make()
    left = by_name.add(candidate(1), score=1.0, descriptor={"y": 0.9, "x": 0.1})
    right = by_order.add(candidate(1), score=1.0, descriptor=(0.1, 0.9))
    assert left == right
    assert by_name.hash() == by_order.hash()


def what_is_not_finite_or_does_not_fit_is_refused_and_changes_nothing(make: Make) -> None:
    """Wrong scores, wrong values, wrong names and wrong lengths raise."""
    archive = make()
    archive.add(candidate(1), score=1.0, descriptor=(0.1, 0.1))
    before, stats = archive.hash(), archive.stats()
    for score in (nan, inf, -inf):
        assert _raises(archive, score, (0.1, 0.1))
    wrong: list[Descriptor] = [
        (nan, 0.1),
        (0.1, inf),
        (0.1,),
        (0.1, 0.1, 0.1),
        ("0.1", 0.1),
        {"x": 0.1},
        {"x": 0.1, "y": 0.1, "z": 0.1},
        {"x": 0.1, "why": 0.1},
    ]
    for descriptor in wrong:
        assert _raises(archive, 5.0, descriptor), descriptor
    assert archive.hash() == before
    assert archive.stats() == stats


def a_wrong_row_refuses_its_whole_batch(make: Make) -> None:
    """A batch is taken whole or not at all."""
    archive = make()
    before = archive.hash()
    points = np.array([[0.1, 0.1], [0.9, 0.9]])
    batches: list[tuple[list[float], np.ndarray[tuple[int, ...], np.dtype[np.float64]]]] = [
        ([1.0, nan], points),
        ([1.0], points),
        ([1.0, 2.0], np.array([[0.1, 0.1], [0.9, nan]])),
        ([1.0, 2.0], points[:, :1]),
    ]
    for scores, descriptors in batches:
        try:
            archive.add_many([candidate(1), candidate(2)], scores, descriptors)
        except ArchiveError:
            continue
        raise AssertionError(f"a wrong batch was taken: {scores}, {descriptors}")
    assert archive.hash() == before


def what_lies_outside_is_counted(make: Make) -> None:
    """Axes that clip take anything finite, and say how often they did."""
    archive = make()
    archive.add(candidate(1), score=1.0, descriptor=(0.1, 0.1))
    archive.add(candidate(2), score=1.0, descriptor=(1e300, -1e300))
    archive.add_many([candidate(3), candidate(4)], [1.0, 1.0], np.array([[-0.5, 0.5], [1.0, 0.0]]))
    assert archive.stats().n_clipped == 2
    assert archive.stats().n_rejected_range == 0


def coverage_and_best_score_never_fall(make: Make) -> None:
    """Whatever comes, what was reached stays reached."""
    for rng_seed in range(3):
        archive = make()
        coverage, best = 0.0, -inf
        for offer in stream(rng_seed, 120):
            archive.add(offer.candidate, score=offer.score, descriptor=offer.descriptor)
            stats = archive.stats()
            assert stats.best_score is not None
            assert stats.coverage >= coverage
            assert stats.best_score >= best
            coverage, best = stats.coverage, stats.best_score


def statistics_say_what_the_elites_say(make: Make) -> None:
    """Counts, coverage, QD score and the best can be worked out from the elites."""
    archive = make()
    feed(archive, stream(7))
    elites, stats = archive.elites(), archive.stats()
    firsts = [elite for elite in elites if elite.rank == 0]
    assert stats.n_elites == len(elites)
    assert stats.n_occupied == len(firsts) == len(archive.occupied())
    assert stats.coverage == len(firsts) / archive.n_cells
    assert abs(stats.qd_score - sum(elite.score - archive.qd_offset for elite in firsts)) < 1e-9
    assert stats.best_score == max(elite.score for elite in elites)


def elites_come_by_cell_and_rank_and_the_top_by_score(make: Make) -> None:
    """Both orders are complete and do not depend on chance."""
    archive = make()
    feed(archive, stream(8))
    elites = archive.elites()
    assert [(elite.cell, elite.rank) for elite in elites] == sorted((elite.cell, elite.rank) for elite in elites)
    ranked = sorted(elites, key=lambda elite: (-elite.score, elite.candidate.id, elite.cell))
    for n in (0, 1, 3, len(elites), len(elites) + 5):
        assert archive.top(n) == ranked[:n]
    assert archive.best == ranked[0]


def results_say_who_is_held(make: Make) -> None:
    """Kept minus displaced is what the archive holds; the displaced were held before."""
    archive, held = make(), set[int]()
    for offer in stream(9):
        result = archive.add(offer.candidate, score=offer.score, descriptor=offer.descriptor)
        assert set(result.displaced_ids) <= held
        held -= set(result.displaced_ids)
        if result.kept:
            held.add(offer.candidate.id)
        assert (result.cell == -1) == (result.status is AddStatus.OUT_OF_RANGE)
        assert held == {elite.candidate.id for elite in archive.elites()}


def the_same_stream_gives_the_same_archive(make: Make) -> None:
    """Replaying is exact: results, elites, statistics and hash."""
    first, second = make(), make()
    assert feed(first, stream(10)) == feed(second, stream(10))
    assert first.elites() == second.elites()
    assert first.stats() == second.stats()
    assert first.hash() == second.hash()
    feed(second, [Offer(candidate(1000), 100.0, (0.5, 0.5))])
    assert first.hash() != second.hash()


def the_hash_does_not_see_the_order_of_arrival(make: Make) -> None:
    """Offered in another order, the same elites hash to the same."""
    first, second = make(), make()
    feed(first, stream(11))
    elites = first.elites()
    for elite in [*elites[1::2], *elites[::2][::-1]]:
        second.add(elite.candidate, score=elite.score, descriptor=[float(value) for value in elite.descriptor])
    assert second.hash() == first.hash()


def the_hash_sees_scores_descriptors_and_programs(make: Make) -> None:
    """Any of them alone changes it."""
    offers = [
        Offer(candidate(1), 1.0, (0.1, 0.1)),
        Offer(candidate(1), 1.0 + 2**-52, (0.1, 0.1)),
        Offer(candidate(1), 1.0, (0.1, 0.1 + 2**-52)),
        Offer(candidate(1, fingerprint="other"), 1.0, (0.1, 0.1)),
        Offer(candidate(2, fingerprint="print-1"), 1.0, (0.1, 0.1)),
    ]
    hashes = {make().hash()}
    for offer in offers:
        archive = make()
        feed(archive, [offer])
        hashes.add(archive.hash())
    assert len(hashes) == len(offers) + 1


def a_batch_leaves_what_its_rows_leave_one_by_one(make: Make) -> None:
    """Whatever the size of the batches, as arrays or as rows."""
    for size in (1, 7, 300):
        single, batched, listed = make(), make(), make()
        offers = stream(12)
        feed(single, offers)
        for start in range(0, len(offers), size):
            part = offers[start : start + size]
            candidates, scores = [offer.candidate for offer in part], [offer.score for offer in part]
            batched.add_many(candidates, np.array(scores), np.array([offer.descriptor for offer in part]))
            listed.add_many(candidates, scores, [offer.descriptor for offer in part])
        assert batched.elites() == listed.elites() == single.elites()
        assert batched.stats() == listed.stats() == single.stats()
        assert batched.hash() == single.hash()


def a_batch_is_judged_against_the_archive_before_it(make: Make) -> None:
    """Row by row, status, cell and delta are those of an offer made alone."""
    offers = stream(13, 130)
    archive = make()
    feed(archive, offers[:50])
    part = offers[50:]
    alone: list[AddResult] = []
    for offer in part:
        copy = make()
        feed(copy, offers[:50])
        alone += feed(copy, [offer])
    result = archive.add_many(
        [offer.candidate for offer in part],
        [offer.score for offer in part],
        [offer.descriptor for offer in part],
    )
    assert [STATUS_OF_CODE[code] for code in result.statuses] == [expected.status for expected in alone]
    assert result.cells.tolist() == [expected.cell for expected in alone]
    assert result.deltas.tolist() == [expected.delta for expected in alone]
    assert result.status(0) is alone[0].status
    assert len(result) == len(part)


def an_empty_batch_changes_nothing(make: Make) -> None:
    """No rows, no change."""
    archive = make()
    feed(archive, stream(14, 20))
    before = archive.hash()
    assert len(archive.add_many([], [], [])) == 0
    assert len(archive.add_many([], np.zeros(0), np.zeros((0, 2)))) == 0
    assert archive.hash() == before


def a_fresh_archive_has_the_shape_and_nothing_else(make: Make) -> None:
    """The old one keeps what it holds, and the fresh one fills as it did."""
    archive = make()
    feed(archive, stream(15))
    before = archive.hash()
    fresh = archive.fresh()
    assert fresh.shape() == archive.shape()
    assert fresh.elites() == []
    assert fresh.hash() == make().hash()
    feed(fresh, stream(15))
    assert fresh.hash() == archive.hash() == before


ARCHIVE_CHECKS: tuple[Callable[[Make], None], ...] = (
    a_new_archive_is_empty,
    the_first_in_a_cell_is_new_and_held,
    a_better_one_becomes_the_first_of_its_cell,
    a_tie_keeps_the_older_first,
    a_descriptor_by_name_lands_where_one_by_order_does,
    what_is_not_finite_or_does_not_fit_is_refused_and_changes_nothing,
    a_wrong_row_refuses_its_whole_batch,
    what_lies_outside_is_counted,
    coverage_and_best_score_never_fall,
    statistics_say_what_the_elites_say,
    elites_come_by_cell_and_rank_and_the_top_by_score,
    results_say_who_is_held,
    the_same_stream_gives_the_same_archive,
    the_hash_does_not_see_the_order_of_arrival,
    the_hash_sees_scores_descriptors_and_programs,
    a_batch_leaves_what_its_rows_leave_one_by_one,
    a_batch_is_judged_against_the_archive_before_it,
    an_empty_batch_changes_nothing,
    a_fresh_archive_has_the_shape_and_nothing_else,
)
