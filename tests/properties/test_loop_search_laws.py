"""Laws of the search as a fold: whatever is told, in whatever mixture, these hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import GridArchive, LinearAxis, TopCell
from archive.candidate import Candidate
from archive.islands import Islands
from evaluators.contract import Evaluation, Failure
from evolve.loop.search import Search
from evolve.loop.told import Told, ToldChild
from evolve.operators.contract import EVERYONE, Operator, Proposing
from evolve.store import CandidateRecord, IterationRecord
from tests.extent import examples

N_MIGRANTS = 2


@dataclass(frozen=True, slots=True)
class Idle:
    """An operator for searches that are told their outcomes: it never proposes anything itself."""

    name: str
    n_parents: int = 1

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        yield from ()
        return []


@dataclass(frozen=True, slots=True)
class Birth:
    """A child in a story. `score` None is a candidate that timed out; parents are told by how far back they lie."""

    program: int
    score: float | None
    place: float
    parents: tuple[int, ...]


OPERATORS: tuple[Operator, ...] = (Idle("edit"), Idle("cross", 2), Idle("everyone", EVERYONE))
Story = list[list[Birth]]

births = st.builds(
    Birth,
    program=st.integers(0, 25),
    score=st.one_of(st.none(), st.integers(-8, 8).map(lambda quarter: quarter / 4)),
    place=st.floats(0.0, 1.0),
    parents=st.lists(st.integers(0, 30), max_size=3).map(tuple),
)
stories = st.lists(st.lists(births, max_size=5), max_size=14)


def a_search(*, islands: int = 2, migrate_every: int = 3, rng_seed: int = 7) -> Search:
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 4)], cell=TopCell(keep=2))
    return Search(
        Islands.alike(archive, islands),
        OPERATORS,
        rng_seed=rng_seed,
        migrate_every=migrate_every,
        n_migrants=N_MIGRANTS,
    )


def judged(score: float | None, place: float) -> Evaluation:
    if score is None:
        return Evaluation.failed(Failure.TIMEOUT, detail="too slow")
    return Evaluation(score=score, descriptor={"x": place}, metrics={"place": place})


def seed_outcome() -> Told:
    child = ToldChild(files={"p.py": "seed"}, fingerprint="seed", parent_ids=(), evaluation=judged(0.0, 0.5))
    return an_outcome(0, [child], operator="seed", island=0)


def an_outcome(number: int, children: Sequence[ToldChild], *, operator: str = "edit", island: int = 0) -> Told:
    return Told(
        number=number,
        operator=operator,
        island=island,
        cost=0.25 * (1 + number % 3),
        seconds=0.5,
        n_duplicates=number % 2,
        children=tuple(children),
    )


def a_child(birth: Birth, n_known: int) -> ToldChild:
    """The child of a story; its parents are some of the `n_known` candidates that there are."""
    return ToldChild(
        files={"p.py": f"program {birth.program}"},
        fingerprint=f"print-{birth.program}",
        parent_ids=tuple(1 + back % n_known for back in birth.parents),
        evaluation=judged(birth.score, birth.place),
    )


def live(search: Search, story: Story) -> list[IterationRecord]:
    """Play a story with a window of one: plan an iteration, tell it, plan the next."""
    records = [search.tell(seed_outcome())]
    for number, children in enumerate(story, start=1):
        plan = search.plan(number)
        told = [a_child(birth, search.n_evaluations) for birth in children]
        records.append(search.tell(an_outcome(number, told, operator=plan.operator.name, island=plan.island)))
    return records


def rows_of(records: Sequence[IterationRecord]) -> list[CandidateRecord]:
    return [row for record in records for row in record.candidates]


def replayed(search: Search, records: Sequence[IterationRecord]) -> list[IterationRecord]:
    """Fold the rows of a log into a fresh search, as resume does."""
    again = [search.tell(Told.from_record(records[0]))]
    for record in records[1:]:
        search.note_recorded_plan(record.operator)
        again.append(search.tell(Told.from_record(record)))
    return again


@settings(max_examples=examples(20), deadline=None)
@given(stories)
def test_folding_the_log_again_gives_the_same_rows_archive_statistics_and_next_plan(story: Story) -> None:
    search, again = a_search(), a_search()

    records = live(search, story)

    assert replayed(again, records) == records
    assert again.islands.hash() == search.islands.hash()
    assert again.bandit.to_mapping() == search.bandit.to_mapping()
    assert (again.best, again.n_failures, again.n_duplicates) == (search.best, search.n_failures, search.n_duplicates)
    assert again.plan(len(records)) == search.plan(len(records))


@settings(max_examples=examples(20), deadline=None)
@given(stories)
def test_every_told_child_is_either_a_row_or_a_duplicate_and_no_program_is_a_row_twice(story: Story) -> None:
    search = a_search()

    rows = rows_of(live(search, story))

    told_as_duplicates = sum(number % 2 for number in range(1, len(story) + 1))
    assert search.n_evaluations + search.n_duplicates == 1 + sum(map(len, story)) + told_as_duplicates
    assert len({row.candidate.fingerprint for row in rows}) == len(rows) == search.n_evaluations
    assert {row.candidate.fingerprint for row in rows} == {"seed"} | {
        f"print-{birth.program}" for children in story for birth in children
    }


@settings(max_examples=examples(20), deadline=None)
@given(stories)
def test_ids_count_from_one_and_parents_are_always_older(story: Story) -> None:
    rows = rows_of(live(a_search(), story))

    assert [row.candidate.id for row in rows] == list(range(1, len(rows) + 1))
    assert all(parent < row.candidate.id for row in rows for parent in row.candidate.parent_ids)


@settings(max_examples=examples(20), deadline=None)
@given(stories)
def test_a_generation_is_the_length_of_the_longest_line_of_ancestors(story: Story) -> None:
    rows = rows_of(live(a_search(), story))

    parents = {row.candidate.id: row.candidate.parent_ids for row in rows}
    for row in rows:
        wave, length = set(row.candidate.parent_ids), 0
        while wave:
            wave, length = {older for each in wave for older in parents[each]}, length + 1
        assert row.candidate.generation == length


@settings(max_examples=examples(20), deadline=None)
@given(stories)
def test_the_best_is_the_first_of_the_highest_score_and_never_falls(story: Story) -> None:
    search = a_search()

    scored = [row for row in rows_of(live(search, story)) if row.evaluation.score is not None]

    highest = max(row.evaluation.score or 0.0 for row in scored)
    assert search.best_score == highest
    assert search.best == next(row for row in scored if row.evaluation.score == highest)


@settings(max_examples=examples(20), deadline=None)
@given(stories)
def test_what_failed_has_no_cell_and_what_has_a_score_has_one(story: Story) -> None:
    search = a_search()

    rows = rows_of(live(search, story))

    failed = [row for row in rows if row.evaluation.failure is not None]
    assert search.n_failures == len(failed)
    assert all((row.status, row.cell) == ("failed", None) for row in failed)
    assert all(row.cell is not None and row.status != "failed" for row in rows if row not in failed)


@settings(max_examples=examples(20), deadline=None)
@given(stories, st.integers(1, 3), st.integers(1, 4))
def test_the_islands_are_those_of_plain_offers_with_a_migration_when_it_is_time(
    story: Story, n_islands: int, migrate_every: int
) -> None:
    search = a_search(islands=n_islands, migrate_every=migrate_every)
    plain = Islands.alike(search.islands[0], n_islands)

    for record in live(search, story):
        for row in record.candidates:
            homes = range(n_islands) if record.number == 0 else [record.number % n_islands]
            if row.evaluation.score is not None:
                for home in homes:
                    plain.add(
                        home, row.candidate, score=row.evaluation.score, descriptor=dict(row.evaluation.descriptor)
                    )
        if record.number > 0 and record.number % migrate_every == 0:
            plain.migrate(N_MIGRANTS)

    assert search.islands.hash() == plain.hash()


@settings(max_examples=examples(20), deadline=None)
@given(stories)
def test_a_reward_says_how_many_children_were_kept_and_stays_below_one(story: Story) -> None:
    records = live(a_search(), story)

    for record in records:
        kept = [row for row in record.candidates if row.status in ("new", "improved")]
        assert 0.0 <= record.reward < 1.0
        assert (record.reward == 0.0) == (not kept)
        assert record.reward == 1.0 - 2.0 ** -len(kept)


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(births, max_size=8), st.integers(0, 8))
def test_a_limit_keeps_the_first_evaluations_and_drops_the_rest(children: list[Birth], limit: int) -> None:
    free, limited = a_search(), a_search()
    free.tell(seed_outcome())
    limited.tell(seed_outcome())
    told = an_outcome(1, [a_child(birth, 1) for birth in children])

    whole, part = free.tell(told), limited.tell(told, limit=limit)

    assert part.candidates == whole.candidates[:limit]
    assert limited.n_evaluations == 1 + min(limit, len(whole.candidates))


@settings(max_examples=examples(15), deadline=None)
@given(stories, st.integers(0, 25))
def test_a_program_is_known_from_the_iteration_on_in_which_it_was_told(story: Story, program: int) -> None:
    search = a_search()
    records = live(search, story)

    told_in = [row.candidate.iteration for row in rows_of(records) if row.candidate.fingerprint == f"print-{program}"]
    for horizon in range(-1, len(records) + 1):
        expected = bool(told_in) and told_in[0] <= horizon
        assert search.known.had(f"print-{program}", horizon) == expected


@settings(max_examples=examples(15), deadline=None)
@given(stories, st.integers(0, 100))
def test_a_plan_takes_parents_from_its_own_island_and_says_what_it_knew(story: Story, ahead: int) -> None:
    search = a_search(islands=3)
    records = live(search, story)
    number = len(records) + ahead

    plan = search.plan(number)

    held = {elite.candidate.id for elite in search.islands[plan.island].elites()}
    assert plan.island == number % 3
    assert plan.horizon == len(records) - 1
    assert {parent.id for parent in plan.parents} <= held
    assert {each.id for each in plan.inspirations} <= held - {parent.id for parent in plan.parents}
    if plan.operator.n_parents == EVERYONE:
        assert {parent.id for parent in plan.parents} == held
        assert plan.inspirations == ()
    else:
        assert len(plan.parents) == plan.operator.n_parents


@pytest.mark.parametrize("number", [0, 2, 5, -1])
def test_an_outcome_out_of_turn_is_refused_and_changes_nothing(number: int) -> None:
    search = a_search()
    search.tell(seed_outcome())
    before = (search.islands.hash(), search.n_evaluations, search.last_told, search.bandit.to_mapping())

    with pytest.raises(ValueError, match=f"iteration {number} was told after 0"):
        search.tell(an_outcome(number, [a_child(Birth(1, 5.0, 0.1, ()), 1)]))

    assert (search.islands.hash(), search.n_evaluations, search.last_told, search.bandit.to_mapping()) == before


@pytest.mark.parametrize(
    ("score", "place"), [(nan, 0.5), (inf, 0.5), (-inf, 0.5), (1.0, nan)], ids=["nan", "inf", "-inf", "nan axis"]
)
def test_what_the_archive_cannot_hold_is_the_evaluators_failure_and_no_best(score: float, place: float) -> None:
    search = a_search()
    search.tell(seed_outcome())
    before = search.islands.hash()

    record = search.tell(an_outcome(1, [a_child(Birth(1, score, place, ()), 1)]))

    evaluation = record.candidates[0].evaluation
    assert (evaluation.failure, evaluation.stage, evaluation.score) == (Failure.EVALUATOR, "archive", None)
    assert evaluation.detail
    assert search.best_score == 0.0
    assert search.islands.hash() == before


def test_a_missing_axis_names_the_axis() -> None:
    search = a_search()
    search.tell(seed_outcome())
    lost = ToldChild(files={}, fingerprint="lost", parent_ids=(), evaluation=Evaluation(score=1.0, descriptor={"y": 0}))

    record = search.tell(an_outcome(1, [lost]))

    assert "x" in record.candidates[0].evaluation.detail
    assert record.reward == 0.0


def test_the_seed_reaches_every_island_and_a_child_only_its_own() -> None:
    search = a_search(islands=3, migrate_every=100)
    search.tell(seed_outcome())

    search.tell(an_outcome(1, [a_child(Birth(1, 2.0, 0.1, ()), 1)], island=1))

    held = [{elite.candidate.id for elite in archive.elites()} for archive in search.islands.archives]
    assert held == [{1}, {1, 2}, {1}]


def test_the_seed_is_no_merit_of_an_operator() -> None:
    search = a_search()

    search.tell(seed_outcome())

    assert all(each["iterations"] == 0 for each in search.bandit.to_mapping().values())


def test_the_streams_of_operators_do_not_depend_on_what_happened() -> None:
    fresh, lived = a_search(), a_search()
    live(lived, [[Birth(1, 1.0, 0.2, (0,))], []])

    drawn = [search.operator_stream(5).random(4).tolist() for search in (fresh, lived, a_search(rng_seed=8))]

    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert fresh.operator_stream(6).random(4).tolist() != drawn[0]
