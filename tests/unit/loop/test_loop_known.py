"""Programs that were judged alike to the last bit: no discovery, and not shown beside each other."""

import pytest

from evolve.loop.known import result_of, without_twins
from evolve.operators.briefing import Judged
from tests.scripted_operators import judged
from tests.unit.loop.test_loop_learning import a_child, a_search, outcome

ONE = judged(1, "a = 1", score=0.1 + 0.2, descriptor={"x": 0.5, "kind": "a"}, metrics={"size": 3.0})


@pytest.mark.parametrize(
    ("score", "x", "size", "is_twin"),
    [(0.1 + 0.2, 0.5, 3.0, True), (0.3, 0.5, 3.0, False), (0.1 + 0.2, 0.25, 3.0, False), (0.1 + 0.2, 0.5, 4.0, False)],
    ids=["twin", "other score", "other kind", "other metric"],
)
def test_twins_have_the_same_numbers_to_the_last_bit(score: float, x: float, size: float, is_twin: bool) -> None:
    other = judged(2, "a = 2", score=score, descriptor={"kind": "a", "x": x}, metrics={"size": size})

    assert (result_of(other) == result_of(ONE)) is is_twin
    assert [each.candidate.id for each in without_twins([ONE, other], ())] == ([1] if is_twin else [1, 2])


def test_what_is_shown_beside_a_parent_is_no_twin_of_it_and_what_nobody_scored_is_always_shown() -> None:
    twin = judged(2, "a = 2", score=ONE.score, descriptor=ONE.descriptor, metrics=ONE.metrics)
    unknown: list[Judged] = [judged(n, f"a = {n}", score=None) for n in (3, 4)]

    assert [each.candidate.id for each in without_twins([twin, *unknown], [ONE])] == [3, 4]


def test_the_first_of_two_twins_on_two_islands_earns_something_the_second_nothing() -> None:
    search = a_search()
    first = search.tell(outcome(1, [a_child("first", 1.0, 0.9, (1,))], operator="diff@m", island=0))
    twin = search.tell(outcome(2, [a_child("twin", 1.0, 0.9, (1,))], operator="diff@m", island=1))
    other = search.tell(outcome(3, [a_child("other", 1.5, 0.9, (1,))], operator="diff@m", island=1))

    assert [record.candidates[0].status for record in (first, twin, other)] == ["new", "new", "improved"]
    assert first.reward > twin.reward == 0.0
    assert other.reward > 0.0
