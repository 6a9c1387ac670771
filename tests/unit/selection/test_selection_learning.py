"""What language models learn in a run: rewards without a scale, insights that must help, instructions by their best."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.selection.insights import LEAST_USES, MOST, InsightLibrary
from evolve.selection.instructions import MOST as MOST_INSTRUCTIONS
from evolve.selection.instructions import InstructionPool
from evolve.selection.reward import Gain, ImprovementReward
from tests.extent import examples

gains = st.lists(
    st.builds(
        Gain,
        improvement=st.one_of(st.none(), st.floats(-1e300, 1e300, allow_nan=False), st.just(inf)),
        is_best=st.booleans(),
    ),
    max_size=6,
)


def a_gain(improvement: float | None, *, is_best: bool = False) -> Gain:
    return Gain(improvement=improvement, is_best=is_best)


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(gains, max_size=8))
def test_a_reward_lies_between_nothing_and_one_whatever_the_scores(told: list[list[Gain]]) -> None:
    reward = ImprovementReward()

    for each in told:
        value = reward.of(each)
        assert 0.0 <= value <= 1.0
        assert (value == 0.0) == (not each)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_rewards_do_not_depend_on_the_scale_of_scores(scale: float) -> None:
    sizes = [1.0, 0.1, 3.0, 0.01, 0.5]

    def rewards(factor: float) -> list[float]:
        reward = ImprovementReward()
        return [reward.of([a_gain(factor * size)]) for size in sizes]

    assert rewards(scale) == pytest.approx(rewards(1.0))


def test_a_new_best_counts_more_than_an_improvement_and_that_more_than_a_new_kind() -> None:
    def after_a_usual_one(gain: Gain) -> float:
        reward = ImprovementReward()
        reward.of([a_gain(1.0)])
        return reward.of([gain])

    values = [
        after_a_usual_one(gain)
        for gain in (a_gain(None), a_gain(-1.0), a_gain(0.1), a_gain(1.0), a_gain(9.0), a_gain(0.001, is_best=True))
    ]

    assert values[0] == values[1] == pytest.approx(0.1)
    assert values[1:] == sorted(values[1:])
    assert len(set(values[1:])) == 5


def test_several_children_earn_more_than_one_but_never_one_full() -> None:
    assert ImprovementReward().of([a_gain(1.0)]) < ImprovementReward().of([a_gain(1.0)] * 5) < 1.0


def note(number: int, **more: object) -> dict[str, object]:
    texts = {"condition": f"condition{number} word{number}", "explanation": f"because{number} reason{number}"}
    return {**texts, "example": f"example{number}", "candidate_ids": [number], **more}


def told(library: InsightLibrary, carried: list[int], reward: float, *, times: int = LEAST_USES) -> None:
    for _ in range(times):
        library.tell(carried, reward)


def chosen(
    library: InsightLibrary, text: str = "", line: tuple[int, ...] = (), *, times: int = 40, n: int = 3
) -> list[int]:
    rng = np.random.default_rng(1)
    return [insight.id for _ in range(times) for insight in library.choose(text, line, rng, n=n)]


def test_an_insight_that_helps_stays_and_one_that_does_not_goes() -> None:
    library = InsightLibrary()
    library.add(note(1))
    library.add(note(2))

    told(library, [1], 0.6)
    told(library, [2], 0.1)
    told(library, [], 0.2)

    assert set(chosen(library)) == {1}


def test_nothing_is_judged_before_it_was_tried_often_with_and_without() -> None:
    library = InsightLibrary()
    library.add(note(1))

    told(library, [1], 0.0, times=10 * LEAST_USES)
    told(library, [], 0.9, times=LEAST_USES - 1)
    assert len(library) == 1
    library.tell([], 0.9)

    assert len(library) == 0


def test_an_insight_is_left_out_now_and_then_so_that_it_can_be_compared() -> None:
    library = InsightLibrary()
    library.add(note(1))

    assert 15 < len(chosen(library, times=40)) < 40


def test_insights_that_share_words_or_the_line_of_a_program_come_first() -> None:
    library = InsightLibrary()
    for number in range(1, 8):
        library.add(note(number))

    by_words = chosen(library, "condition6 word6 because6 reason6", n=1)
    by_line = chosen(library, "", (5,), n=1)

    assert by_words.count(6) > 20
    assert by_line.count(5) > 20


def test_the_library_has_an_end_and_gives_up_what_helps_least() -> None:
    library = InsightLibrary()
    for number in range(1, MOST + 1):
        library.add(note(number))
    told(library, [1], 0.9, times=2)
    told(library, [], 0.1, times=2)
    told(library, [2], 0.01, times=2)

    library.add(note(100))

    assert len(library) == MOST
    there = set(chosen(library, " ".join(f"condition{n} word{n}" for n in (1, 2, 100)), times=200))
    assert 1 in there
    assert 2 not in there


@pytest.mark.parametrize(
    "wrong", [{"condition": ""}, {"condition": "condition1 word1", "explanation": "because1 reason1"}]
)
def test_an_insight_without_a_condition_or_like_another_is_not_taken_up(wrong: dict[str, str]) -> None:
    library = InsightLibrary()
    library.add(note(1))

    library.add(note(2, **wrong))

    assert len(library) == 1


def test_the_worth_of_an_instruction_is_that_of_its_best_children() -> None:
    pool = InstructionPool()
    pool.add("steady")
    pool.add("bold")
    for reward in (0.3, 0.3, 0.3, 0.3):
        pool.tell(1, reward)
    for reward in (0.0, 0.0, 0.0, 0.9):
        pool.tell(2, reward)

    ranked = pool.all()

    assert [(each.id, each.worth) for each in ranked] == [(2, 0.9), (1, 0.3), (0, None)]
    rng = np.random.default_rng(2)
    picks = [pool.choose(rng).id for _ in range(200)]
    assert picks.count(2) > 120
    assert picks.count(0) > 20  # the least used one has its chances


def test_the_shipped_instruction_is_never_given_up() -> None:
    pool = InstructionPool()
    for number in range(1, 3 * MOST_INSTRUCTIONS):
        pool.add(f"advice {number}")
        for each in pool.all():
            for _ in range(5):
                pool.tell(each.id, 0.01 * each.id)

    assert len(pool) == MOST_INSTRUCTIONS
    assert {0, 3 * MOST_INSTRUCTIONS - 1} <= {each.id for each in pool.all()}


def test_a_full_pool_of_untried_ones_takes_up_nothing_and_no_text_twice() -> None:
    pool = InstructionPool()
    for number in range(MOST_INSTRUCTIONS + 3):
        pool.add(f"advice {number}")
        pool.add(f"  advice {number}\n")
    pool.add("")

    assert [each.text for each in pool.all()][1:] == [f"advice {number}" for number in range(MOST_INSTRUCTIONS - 1)]
    pool.tell(99, 1.0)
