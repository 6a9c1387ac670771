"""The retry policy: what follows each outcome, and how long it waits."""

import random

import pytest

from evolve.llm.contract import Completion, Outcome
from evolve.llm.policy import FAULTS, STOPPING, Next, RetryPolicy, next_step

POLICY = RetryPolicy()


def step(outcome: Outcome, *, n_requests: int = 1, retry_after: float | None = None) -> Next:
    return next_step(Completion(outcome=outcome, retry_after_seconds=retry_after), n_requests, POLICY)


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
    assert {step(outcome) for outcome in Outcome} == {Next.DONE, Next.AGAIN, Next.NEXT_MODEL}
    assert POLICY.max_requests.keys() >= FAULTS


def test_a_wait_up_to_the_cap_is_honoured_and_a_longer_one_goes_to_another_model() -> None:
    assert step(Outcome.RATE_LIMITED, retry_after=POLICY.retry_after_seconds) is Next.AGAIN
    assert step(Outcome.RATE_LIMITED, retry_after=POLICY.retry_after_seconds + 1) is Next.NEXT_MODEL


def test_half_a_reply_is_for_whoever_asked_to_judge() -> None:
    assert step(Outcome.LENGTH) is Next.DONE


def test_backoff_is_drawn_from_zero_to_a_bound_that_doubles_up_to_the_most() -> None:
    rng = random.Random(0)
    drawn = {n: [POLICY.backoff(n, rng) for _ in range(300)] for n in (1, 3, 20)}

    for n, bound in ((1, 1.0), (3, 4.0), (20, 60.0)):
        assert 0.0 <= min(drawn[n]) < 0.1 * bound
        assert 0.9 * bound < max(drawn[n]) <= bound
