"""The retry policy: what follows each outcome, and how long it waits."""

import random

import pytest

from evolve.llm.contract import Completion, Outcome
from evolve.llm.policy import FAULTS, STOPPING, Next, RetryPolicy, Tally, lengthened, next_step

POLICY = RetryPolicy()


def step(outcome: Outcome, *, n_requests: int = 1, retry_after: float | None = None) -> Next:
    tally = Tally(max_output_tokens=1000, n_requests=n_requests)
    return next_step(Completion(outcome=outcome, retry_after_seconds=retry_after), tally, POLICY)


@pytest.mark.parametrize("outcome", POLICY.max_requests)
def test_a_passing_fault_is_tried_again_as_often_as_the_policy_says(outcome: Outcome) -> None:
    limit = POLICY.max_requests[outcome]

    assert [step(outcome, n_requests=n) for n in range(1, limit + 1)] == [Next.AGAIN] * (limit - 1) + [Next.NEXT_MODEL]


@pytest.mark.parametrize(
    "outcome", [*sorted(STOPPING), Outcome.REFUSED, Outcome.BAD_REQUEST, Outcome.TOO_LONG], ids=str
)
def test_what_waiting_does_not_heal_is_never_tried_again_on_the_same_model(outcome: Outcome) -> None:
    assert step(outcome) is Next.NEXT_MODEL


def test_every_outcome_of_a_request_leads_somewhere() -> None:
    assert {step(outcome) for outcome in Outcome} == {Next.DONE, Next.AGAIN, Next.AGAIN_LONGER, Next.NEXT_MODEL}
    assert POLICY.max_requests.keys() >= FAULTS


def test_a_wait_up_to_the_cap_is_honoured_and_a_longer_one_goes_to_another_model() -> None:
    assert step(Outcome.RATE_LIMITED, retry_after=POLICY.retry_after_seconds) is Next.AGAIN
    assert step(Outcome.RATE_LIMITED, retry_after=POLICY.retry_after_seconds + 1) is Next.NEXT_MODEL


def test_an_answer_cut_at_its_limit_gets_more_room_once() -> None:
    cut = Completion(outcome=Outcome.LENGTH)

    assert next_step(cut, Tally(max_output_tokens=1000, n_requests=1), POLICY) is Next.AGAIN_LONGER
    assert next_step(cut, Tally(max_output_tokens=2000, n_requests=2, was_lengthened=True), POLICY) is Next.DONE
    assert next_step(cut, Tally(max_output_tokens=POLICY.most_output_tokens, n_requests=1), POLICY) is Next.DONE


def test_more_room_is_twice_the_room_but_never_more_than_the_most_nor_less_than_before() -> None:
    most = POLICY.most_output_tokens

    assert [lengthened(n, POLICY) for n in (1000, most - 1, most, most + 5)] == [2000, most, most, most + 5]


def test_backoff_is_drawn_from_zero_to_a_bound_that_doubles_up_to_the_most() -> None:
    rng = random.Random(0)
    drawn = {n: [POLICY.backoff(n, rng) for _ in range(300)] for n in (1, 3, 20)}

    for n, bound in ((1, 1.0), (3, 4.0), (20, 60.0)):
        assert 0.0 <= min(drawn[n]) < 0.1 * bound
        assert 0.9 * bound < max(drawn[n]) <= bound
