"""Asynchronous successive halving."""

import pytest

from evolve.rules.halving import Ladder


def filled(*values: float | None, n_rungs: int = 3, eta: int = 3) -> Ladder:
    """A ladder whose first rung measured keys a, b, c, ..."""
    ladder = Ladder(n_rungs, eta)
    for key, value in zip("abcdefghi", values, strict=False):
        ladder.tell(key, 0, value)
    return ladder


def test_nobody_goes_on_before_eta_keys_were_measured() -> None:
    # given / when / then
    assert filled(1.0, 2.0).promotions(0) == []


def test_the_best_third_of_a_rung_goes_on_once() -> None:
    # given
    ladder = filled(1.0, 3.0, 2.0, 6.0, 4.0, 5.0)

    # when / then
    assert ladder.promotions(0) == ["d", "f"]
    assert ladder.promotions(0) == []


def test_fewer_than_wanted_wait_for_more() -> None:
    # given
    ladder = filled(1.0, 3.0, 2.0)

    # when / then
    assert ladder.promotions(0, least=2) == []
    assert ladder.promotions(0) == ["b"]


def test_a_late_key_that_is_better_goes_on_after_an_earlier_one() -> None:
    # given
    ladder = filled(1.0, 3.0, 2.0)
    assert ladder.promotions(0) == ["b"]

    # when
    for key, value in zip("def", (9.0, 0.0, 0.0), strict=True):
        ladder.tell(key, 0, value)

    # then
    assert ladder.promotions(0) == ["d"]


def test_at_the_end_all_of_the_best_go_on_whoever_went_before_them() -> None:
    # given a rung from which a third has gone on, and a newcomer that is the best
    ladder = filled(1.0, 3.0, 2.0)
    assert ladder.promotions(0) == ["b"]
    ladder.tell("d", 0, 9.0)

    # when / then
    assert ladder.promotions(0) == []
    assert ladder.promotions(0, is_last=True) == ["d"]
    assert ladder.promotions(0, is_last=True) == []


def test_of_those_that_do_the_same_only_the_best_goes_on() -> None:
    # given three that differ by less than can matter, and others that are worse but different
    ladder = Ladder(3)
    measured = {
        "a": (0.30, 0.10),
        "b": (0.29, 0.11),
        "c": (0.28, 0.12),
        "d": (0.2, -0.1),
        "e": (0.0, 0.0),
        "f": (-1.0, 0.0),
    }
    for key, parts in measured.items():
        ladder.tell(key, 0, sum(parts), parts)

    # when / then
    assert ladder.promotions(0) == ["a", "d"]


def test_at_the_end_somebody_goes_on_even_where_all_do_the_same() -> None:
    # given
    ladder = Ladder(3)
    for key in "abcdefghi":
        ladder.tell(key, 0, 0.1, (0.1, 0.0))

    # when / then
    assert ladder.promotions(0) == ["a"]
    ladder.tell("a", 1, 0.1, (0.1, 0.0))
    assert ladder.promotions(1) == []
    assert ladder.promotions(1, is_last=True) == ["a"]


def test_alike_in_one_part_is_not_alike() -> None:
    # given two that differ on one task
    ladder = Ladder(3)
    for key, parts in {"a": (0.3, 0.1), "b": (0.3, 0.2), "c": (0.0, 0.0)}.items():
        ladder.tell(key, 0, sum(parts), parts)
    for key in "def":
        ladder.tell(key, 0, None, ())

    # when / then
    assert ladder.promotions(0) == ["b", "a"]


def test_no_more_than_a_share_goes_on_even_if_every_newcomer_is_the_best_yet() -> None:
    # given
    ladder = filled(1.0, 2.0, 3.0)
    n_promoted = len(ladder.promotions(0))

    # when
    for value in range(4, 31):
        ladder.tell(str(value), 0, float(value))
        n_promoted += len(ladder.promotions(0))

    # then
    assert n_promoted == 10


def test_what_failed_is_counted_and_never_goes_on() -> None:
    # given
    ladder = filled(None, None, None)

    # when / then
    assert ladder.promotions(0) == []
    assert ladder.counts() == [3, 0, 0]
    assert ladder.order() == []


def test_of_two_equal_ones_the_older_goes_on() -> None:
    # given / when / then
    assert filled(2.0, 2.0, 1.0).promotions(0) == ["a"]


def test_members_are_ordered_by_the_height_they_reached_then_by_value() -> None:
    # given
    ladder = filled(1.0, 3.0, 2.0, None)
    ladder.tell("a", 1, -5.0)

    # when / then
    assert ladder.order() == ["a", "b", "c"]
    assert (ladder.height("a"), ladder.height("b"), ladder.height("d")) == (1, 0, -1)
    assert (ladder.value("a", 1), ladder.value("d", 0)) == (-5.0, None)


@pytest.mark.parametrize(("n_rungs", "eta"), [(0, 3), (2, 1)])
def test_a_ladder_that_goes_nowhere_is_refused(n_rungs: int, eta: int) -> None:
    # given / when / then
    with pytest.raises(ValueError, match="a ladder needs a rung and eta >= 2"):
        Ladder(n_rungs, eta)
