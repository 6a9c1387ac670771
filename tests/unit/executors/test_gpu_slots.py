"""Booking of graphics cards: no share is given away twice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.executors.gpu_slots import GpuSlots, n_slots, slots_per_card, with_cards, without_cards
from tests.extent import examples

CARDS = ("GPU-a", "GPU-b", "GPU-c")


@pytest.mark.parametrize(
    ("share", "slots"),
    [(1.0, 1), (0.5, 2), (0.25, 4), (0.3, 3), (1 / 3, 3), (0.1, 10), (1 / 49, 49), (0.51, 1), (2.0, 1)],
)
def test_as_many_share_a_card_as_fit(share: float, slots: int) -> None:
    assert slots_per_card(share) == slots


@pytest.mark.parametrize(
    ("n_cards", "share", "slots"), [(2, 0.25, 8), (3, 2.0, 1), (4, 2.0, 2), (1, 2.0, 0), (0, 1.0, 0)]
)
def test_evaluations_at_once_follow_from_cards_and_share(n_cards: int, share: float, slots: int) -> None:
    assert n_slots(n_cards, share) == slots


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5, float("inf"), float("nan")])
def test_a_share_is_a_part_of_a_card_or_whole_cards(share: float) -> None:
    with pytest.raises(ValueError, match="the share of a card is"):
        n_slots(1, share)


def test_one_card_is_filled_before_the_next() -> None:
    slots = GpuSlots(CARDS[:2], share=0.5)

    assert [slots.take() for _ in range(5)] == [("GPU-a",), ("GPU-a",), ("GPU-b",), ("GPU-b",), None]


def test_what_is_given_back_can_be_taken_again() -> None:
    slots = GpuSlots(CARDS[:1], share=0.5)
    first, second = slots.take(), slots.take()
    assert first is not None
    assert second is not None

    slots.give_back(first)

    assert slots.taken(("GPU-a",)) == 1
    assert slots.take() == ("GPU-a",)
    assert slots.take() is None


def test_whole_cards_are_given_in_the_same_groups() -> None:
    slots = GpuSlots(("GPU-a", "GPU-b", "GPU-c", "GPU-d", "GPU-e"), share=2.0)

    assert slots.groups == (("GPU-a", "GPU-b"), ("GPU-c", "GPU-d"))
    assert [slots.take(), slots.take(), slots.take()] == [*slots.groups, None]


def test_no_more_are_given_away_than_there_are_workers() -> None:
    slots = GpuSlots(CARDS, share=0.25, most=6)

    assert slots.capacity == 6
    assert {group: slots.room(group) for group in slots.groups} == {("GPU-a",): 4, ("GPU-b",): 2}


def test_nobody_gives_back_what_nobody_has() -> None:
    slots = GpuSlots(CARDS, share=1.0)

    with pytest.raises(ValueError, match="nobody has a share of GPU-a"):
        slots.give_back(("GPU-a",))
    with pytest.raises(ValueError, match="nobody has a share of GPU-z"):
        slots.give_back(("GPU-z",))


def test_too_few_cards_or_two_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one evaluation is to have 2 cards, and there are 1"):
        GpuSlots(CARDS[:1], share=2.0)
    with pytest.raises(ValueError, match="two cards have one name"):
        GpuSlots(("GPU-a", "GPU-a"), share=1.0)


@settings(max_examples=examples(200))
@given(
    n_cards=st.integers(1, 5),
    share=st.sampled_from((1.0, 0.5, 0.25, 0.3, 1 / 3, 0.07, 2.0)) | st.floats(0.01, 1.0),
    moves=st.lists(st.integers(-8, 8), max_size=80),
)
def test_the_shares_on_a_card_never_exceed_the_card(n_cards: int, share: float, moves: list[int]) -> None:
    cards = tuple(f"GPU-{n}" for n in range(n_cards))
    if n_slots(n_cards, share) < 1:
        return
    slots = GpuSlots(cards, share=share)
    held: list[tuple[str, ...]] = []
    for move in moves:
        if move >= 0:
            group = slots.take()
            assert (group is None) == (len(held) == slots.capacity)
            held += [] if group is None else [group]
        elif held:
            slots.give_back(held.pop(move % len(held)))
        for card in cards:
            assert sum(min(share, 1.0) for group in held if card in group) <= 1.0 + 1e-9


def test_a_judge_is_told_its_cards_and_other_work_is_left_alone() -> None:
    payload = {"judge": {"gpus": ["auto"], "name": "p"}, "children": [1]}

    booked = with_cards(payload, ("GPU-a",), share=0.25)

    assert booked == {"judge": {"gpus": ["GPU-a"], "gpu_share": 0.25, "name": "p"}, "children": [1]}
    assert payload["judge"] == {"gpus": ["auto"], "name": "p"}
    assert without_cards(payload)["judge"] == {"gpus": [], "gpu_share": 1.0, "name": "p"}
    assert with_cards({"parents": []}, ("GPU-a",), share=0.25) == {"parents": []}


def test_several_whole_cards_are_no_share_of_memory() -> None:
    assert with_cards({"judge": {}}, ("0", "MIG-1"), share=2.0)["judge"] == {"gpus": [0, "MIG-1"], "gpu_share": 1.0}
