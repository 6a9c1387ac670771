"""Who may stay in a cell, against oracles that look at all offers at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import ArchiveError, BestCell, GridArchive, LinearAxis, Objective, ParetoCell, TopCell
from archive.candidate import Candidate
from archive.cells import CellRule
from archive.contract import AddResult, AddStatus
from tests.extent import examples

FEW = settings(max_examples=examples(25), deadline=None)
AXES = [LinearAxis("x", 0.0, 1.0, 1)]


@dataclass(frozen=True)
class Program:
    """One offer, in numbers small enough to be exact."""

    number: int
    name: str
    score: float
    cost: float
    depth: float = 0.0

    @property
    def candidate(self) -> Candidate:
        metrics = {"cost": self.cost, "depth": self.depth}
        return Candidate(id=self.number, files={}, fingerprint=self.name, metrics=metrics)


quarters = st.integers(-4, 4).map(lambda number: number / 4)  # few values: ties and near ties are the rule
small = st.integers(0, 4).map(float)


@st.composite
def streams(draw: st.DrawFn, *, same_programs: bool = True) -> list[Program]:
    rows = draw(st.lists(st.tuples(st.integers(0, 8), quarters, small, small), min_size=1, max_size=40))
    return [
        Program(number, str(name) if same_programs else f"p{number}", score, cost, depth)
        for number, (name, score, cost, depth) in enumerate(rows, 1)
    ]


def offer_all(rule: CellRule, programs: Sequence[Program]) -> tuple[GridArchive, list[AddResult]]:
    archive = GridArchive(AXES, cell=rule)
    results = [archive.add(each.candidate, score=each.score, descriptor=[0.5]) for each in programs]
    return archive, results


def held_by(archive: GridArchive) -> list[int]:
    return [elite.candidate.id for elite in archive.elites()]


@FEW
@given(streams())
def test_a_single_cell_holds_the_first_of_the_highest_scores(programs: list[Program]) -> None:
    archive, _ = offer_all(BestCell(), programs)

    highest = max(each.score for each in programs)
    assert held_by(archive) == [next(each.number for each in programs if each.score == highest)]


def naive_top(programs: Sequence[Program], *, keep: int, apart: float) -> list[int]:
    """The documented rule, step by step on a plain list: the better of a group of alike stays, then the best few."""
    held: list[Program] = []
    for new in programs:
        alike = [each for each in held if each.name == new.name or abs(each.score - new.score) < apart]
        if alike and new.score <= max(each.score for each in alike):
            continue
        others = [each for each in held if each not in alike]
        if len(others) >= keep and new.score <= min(each.score for each in others):
            continue
        held = sorted([*others, new], key=lambda each: (-each.score, each.number))[:keep]
    return [each.number for each in held]


@FEW
@given(streams(), st.integers(1, 5), st.sampled_from([0.0, 0.25, 0.3, 1.0, 100.0]))
def test_a_top_cell_holds_what_the_rule_leaves_on_a_plain_list(
    programs: list[Program], keep: int, apart: float
) -> None:
    archive, _ = offer_all(TopCell(keep=keep, apart=apart), programs)

    assert held_by(archive) == naive_top(programs, keep=keep, apart=apart)


@FEW
@given(streams(), st.integers(1, 5), st.sampled_from([0.25, 0.3, 1.0]))
def test_scores_in_a_cell_stay_apart_and_the_best_is_among_them(
    programs: list[Program], keep: int, apart: float
) -> None:
    archive, _ = offer_all(TopCell(keep=keep, apart=apart), programs)

    scores = [elite.score for elite in archive.elites()]
    assert scores[0] == max(each.score for each in programs)
    assert all(abs(left - right) >= apart for left, right in combinations(scores, 2))
    assert len(scores) <= keep


def test_a_distance_of_exactly_apart_is_far_enough() -> None:
    programs = [Program(number, f"p{number}", score, 0.0) for number, score in enumerate([1.0, 1.25, 0.75, 1.125], 1)]

    archive, results = offer_all(TopCell(keep=4, apart=0.25), programs)

    assert held_by(archive) == [2, 1, 3]
    assert results[-1].status is AddStatus.REJECTED


def test_a_tie_with_the_last_of_a_full_cell_is_rejected_even_with_an_older_number() -> None:
    programs = [Program(number, f"p{number}", score, 0.0) for number, score in [(8, 2.0), (9, 1.0), (1, 1.0)]]

    archive, results = offer_all(TopCell(keep=2), programs)

    assert held_by(archive) == [8, 9]
    assert results[-1].status is AddStatus.REJECTED


@FEW
@given(streams())
def test_a_top_cell_of_one_scores_as_a_single_cell_does(programs: list[Program]) -> None:
    top, _ = offer_all(TopCell(keep=1), programs)
    single, _ = offer_all(BestCell(), programs)

    assert held_by(top) == held_by(single)


@FEW
@given(streams(), st.integers(1, 6))
def test_a_wider_top_cell_begins_with_what_a_narrower_one_holds(programs: list[Program], keep: int) -> None:
    narrow, _ = offer_all(TopCell(keep=keep), programs)
    wide, _ = offer_all(TopCell(keep=keep + 2), programs)

    narrow_scores = [elite.score for elite in narrow.elites()]
    assert [elite.score for elite in wide.elites()][: len(narrow_scores)] == narrow_scores


def dominates(left: Program, right: Program, objectives: Sequence[str]) -> bool:
    """Whether the left is nowhere worse and somewhere better (the score up, every metric down)."""
    mine = [left.score, *(-getattr(left, name) for name in objectives)]
    theirs = [right.score, *(-getattr(right, name) for name in objectives)]
    return all(a >= b for a, b in zip(mine, theirs, strict=True)) and mine != theirs


def brute_front(programs: Sequence[Program], objectives: Sequence[str]) -> set[int]:
    """Of all offers those that none dominates; of several equal in everything the first."""
    front = set()
    for each in programs:
        values = [each.score, *(getattr(each, name) for name in objectives)]
        older = (other for other in programs if other.number < each.number)
        has_older_equal = any([o.score, *(getattr(o, name) for name in objectives)] == values for o in older)
        if not has_older_equal and not any(dominates(other, each, objectives) for other in programs):
            front.add(each.number)
    return front


@FEW
@given(streams(same_programs=False), st.sampled_from([("cost",), ("cost", "depth")]))
def test_a_roomy_front_is_the_front_of_everything_that_was_offered(
    programs: list[Program], objectives: tuple[str, ...]
) -> None:
    rule = ParetoCell(objectives=[Objective.parse(f"min:{name}") for name in objectives], keep=1000)

    archive, _ = offer_all(rule, programs)

    assert set(held_by(archive)) == brute_front(programs, objectives)
    scores = [elite.score for elite in archive.elites()]
    assert scores == sorted(scores, reverse=True)


@FEW
@given(streams(), st.integers(1, 4))
def test_a_full_front_holds_no_beaten_one_no_twins_and_the_best(programs: list[Program], keep: int) -> None:
    by_number = {each.number: each for each in programs}

    archive, _ = offer_all(ParetoCell(objectives=[Objective.parse("min:cost")], keep=keep), programs)

    held = [by_number[number] for number in held_by(archive)]
    assert 1 <= len(held) <= keep
    assert len({each.name for each in held}) == len(held)
    assert not any(dominates(left, right, ["cost"]) for left in held for right in held)
    assert held[0].score == max(each.score for each in programs)


@FEW
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=4, max_size=9))
def test_who_leaves_a_full_front_has_the_least_crowding_distance(rows: list[tuple[int, int]]) -> None:
    scores = sorted({score for score, _ in rows})
    costs = sorted({cost for _, cost in rows})
    n = min(len(scores), len(costs))
    if n < 4:
        return
    # a staircase: a better score always costs more, so that nobody dominates anybody
    stairs = [Program(number, f"p{number}", float(scores[number]), float(costs[number])) for number in range(n)]

    archive, _ = offer_all(ParetoCell(objectives=[Objective.parse("min:cost")], keep=n - 1), stairs)

    distance = {}
    for place in range(1, n - 1):
        score_gap = Fraction(scores[place + 1] - scores[place - 1], scores[n - 1] - scores[0])
        cost_gap = Fraction(costs[place + 1] - costs[place - 1], costs[n - 1] - costs[0])
        distance[place] = score_gap + cost_gap
    (left,) = set(range(n)) - set(held_by(archive))
    assert left in distance  # never one of the two ends
    assert float(distance[left]) <= float(min(distance.values())) + 1e-12


@FEW
@given(streams())
def test_turning_a_metric_and_its_direction_round_changes_nothing(programs: list[Program]) -> None:
    turned = [Program(each.number, each.name, each.score, -each.cost) for each in programs]

    down, _ = offer_all(ParetoCell(objectives=[Objective.parse("min:cost")], keep=4), programs)
    up, _ = offer_all(ParetoCell(objectives=[Objective.parse("max:cost")], keep=4), turned)

    assert held_by(down) == held_by(up)


RULES: list[CellRule] = [
    BestCell(),
    TopCell(keep=3),
    TopCell(keep=3, apart=0.5),
    ParetoCell(objectives=[Objective.parse("min:cost")], keep=3),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
@FEW
@given(programs=streams())
def test_results_tell_exactly_who_came_and_who_went(rule: CellRule, programs: list[Program]) -> None:
    archive = GridArchive(AXES, cell=rule, qd_offset=-5.0)
    held: list[int] = []
    best: float | None = None

    for each in programs:
        result = archive.add(each.candidate, score=each.score, descriptor=[0.5])
        after = held_by(archive)
        assert result.kept == (each.number in after)
        assert set(result.displaced_ids) == set(held) - set(after)
        assert set(after) - set(held) == ({each.number} if result.kept else set())
        assert (result.status is AddStatus.NEW) == (not held)
        assert result.delta == each.score - (-5.0 if best is None else best)
        held, best = after, archive.elites()[0].score


@pytest.mark.parametrize("rule", RULES, ids=str)
@FEW
@given(programs=streams(), data=st.data())
def test_cutting_a_stream_into_batches_anywhere_gives_the_same_archive(
    rule: CellRule, programs: list[Program], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(programs)))
    single, _ = offer_all(rule, programs)
    batched = GridArchive(AXES, cell=rule)

    for part in (programs[:cut], programs[cut:]):
        batched.add_many([each.candidate for each in part], [each.score for each in part], [[0.5]] * len(part))

    assert batched.hash() == single.hash()
    assert batched.stats() == single.stats()


@pytest.mark.parametrize("text", ["", ":", "min", "min:", "MIN:cost", "least:cost", "cost", " min:cost"])
def test_an_objective_without_a_direction_or_a_name_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ArchiveError, match='expected "min:NAME" or "max:NAME"'):
        Objective.parse(text)


@given(st.sampled_from(["min", "max"]), st.text(min_size=1, max_size=8))
def test_an_objective_is_written_as_it_is_read(direction: str, metric: str) -> None:
    assert str(Objective.parse(f"{direction}:{metric}")) == f"{direction}:{metric}"
