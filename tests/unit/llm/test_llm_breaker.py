"""The circuit breaker: pauses, parking, probes, and when a model is given up."""

import pytest

from evolve.llm.breaker import Breaker
from evolve.llm.contract import Completion, Outcome, Usage
from evolve.llm.policy import STOPPING, RetryPolicy

POLICY = RetryPolicy(n_faults=3, open_seconds=10.0, n_probes=2, retry_after_seconds=100.0)


def breaker_after(*outcomes: Outcome, now: float = 0.0) -> Breaker:
    breaker = Breaker(POLICY)
    for outcome in outcomes:
        send(breaker, outcome, now)
    return breaker


def send(breaker: Breaker, outcome: Outcome, now: float, retry_after: float | None = None) -> bool:
    """Send one request if the breaker lets it pass; whether it did."""
    entrance = breaker.try_enter(now)
    if entrance is not None:
        breaker.leave(entrance, Completion(outcome=outcome, detail="why", retry_after_seconds=retry_after), now)
    return entrance is not None


def test_faults_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    assert breaker_after(Outcome.OK, *[Outcome.OVERLOADED] * 3).is_out(0.0)
    assert not breaker_after(Outcome.OVERLOADED, Outcome.OVERLOADED, Outcome.OK, Outcome.OVERLOADED).is_out(0.0)


def test_after_the_wait_one_probe_passes_and_nothing_beside_it() -> None:
    breaker = breaker_after(*[Outcome.OVERLOADED] * 3)

    assert breaker.try_enter(9.9) is None
    probe = breaker.try_enter(10.0)

    assert probe is not None
    assert probe.is_probe
    assert breaker.try_enter(11.0) is None
    assert breaker.is_out(11.0)
    breaker.leave(probe, Completion(outcome=Outcome.OK), 12.0)
    assert breaker.try_enter(12.0) is not None
    assert breaker.try_enter(12.0) is not None


def test_a_dropped_probe_leaves_the_way_free_for_another() -> None:
    breaker = breaker_after(*[Outcome.OVERLOADED] * 3)
    probe = breaker.try_enter(10.0)
    assert probe is not None

    breaker.abandon(probe)

    assert breaker.try_enter(10.0) is not None


def test_failed_probes_double_the_wait_and_then_stop_the_model() -> None:
    breaker = breaker_after(*[Outcome.TIMEOUT] * 3)

    assert send(breaker, Outcome.TIMEOUT, 10.0)
    assert breaker.seconds_left(10.0) == 20.0
    assert send(breaker, Outcome.TIMEOUT, 30.0)

    assert "5 faults in a row" in breaker.stopped
    assert not send(breaker, Outcome.OK, 1e9)


def test_a_model_that_was_never_reached_is_stopped_at_once_when_it_opens() -> None:
    assert "3 faults in a row" in breaker_after(*[Outcome.TRANSPORT] * 3).stopped
    assert not breaker_after(Outcome.OK, *[Outcome.TRANSPORT] * 3).stopped


def test_a_server_that_died_in_the_middle_of_its_first_answers_is_tried_again() -> None:
    breaker = Breaker(POLICY)
    in_flight = [breaker.try_enter(0.0) for _ in range(3)]
    broken = Completion(outcome=Outcome.TRANSPORT, usage=Usage(input_tokens=100, is_estimated=True))
    for entrance in in_flight:
        assert entrance is not None
        breaker.leave(entrance, broken, 1.0)

    assert not breaker.stopped
    assert breaker.is_out(1.0)
    assert breaker.try_enter(11.0) is not None


@pytest.mark.parametrize("outcome", sorted(STOPPING))
def test_a_refused_key_a_spent_quota_and_an_unknown_name_stop_the_model(outcome: Outcome) -> None:
    assert breaker_after(outcome).stopped == f"{outcome}: why"


def test_a_rate_limit_pauses_and_a_long_one_parks() -> None:
    paused, parked = Breaker(POLICY), Breaker(POLICY)

    send(paused, Outcome.RATE_LIMITED, 0.0, retry_after=5.0)
    send(parked, Outcome.RATE_LIMITED, 0.0, retry_after=500.0)

    assert (paused.try_enter(4.9), paused.is_out(4.9), paused.seconds_left(4.0)) == (None, False, 1.0)
    assert (parked.try_enter(499.0), parked.is_out(499.0), parked.seconds_left(0.0)) == (None, True, 500.0)
    assert paused.try_enter(5.0)
    assert parked.try_enter(500.0)


def test_faults_of_late_requests_do_not_shorten_a_long_pause() -> None:
    breaker = Breaker(POLICY)
    late = [breaker.try_enter(0.0) for _ in range(POLICY.n_faults)]
    send(breaker, Outcome.RATE_LIMITED, 0.0, retry_after=500.0)

    for entrance in late:
        assert entrance is not None
        breaker.leave(entrance, Completion(outcome=Outcome.OVERLOADED), 1.0)

    assert breaker.seconds_left(1.0) == 499.0


def test_a_server_that_limits_the_rate_is_not_ill() -> None:
    assert not breaker_after(*[Outcome.RATE_LIMITED] * 10).is_out(0.0)
