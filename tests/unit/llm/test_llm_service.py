"""The service: attempts, failover, records and stopped models, in time that passes only when somebody sleeps."""

import asyncio

import pytest

from evolve.llm.calls import CallKey
from evolve.llm.contract import Completion, Outcome, Usage
from evolve.llm.keys import Key
from evolve.llm.policy import MAX_REQUESTS, RetryPolicy
from evolve.llm.service import NoMoreQuestionsError
from tests.unit.llm.service_parts import (
    COST,
    USAGE,
    Answering,
    ManualClock,
    Records,
    answered,
    ask,
    failed,
    prompt_of,
    service_of,
)


def test_an_answer_is_one_final_record_with_its_cost() -> None:
    records = Records()
    service = service_of(Answering("a", answered("text")), records=records)

    answer = ask(service)

    assert (answer.outcome, answer.text, answer.model, answer.n_requests) == (Outcome.OK, "text", "a", 1)
    assert answer.cost == pytest.approx(COST)
    record = records.all[0]
    assert (record.iteration, record.ordinal, record.attempt, record.is_final) == (1, 0, 0, True)
    assert (record.purpose, record.provider, record.prompt_hash) == ("code", "openai", prompt_of().hash())
    assert (record.request_id, record.model_reported, record.seconds) == ("r-1", "m-1", 2.0)
    assert service.spent.tokens == 1100


@pytest.mark.parametrize("outcome", MAX_REQUESTS)
def test_a_fault_that_stays_is_tried_as_often_as_the_policy_allows(outcome: Outcome) -> None:
    records, model, clock = Records(), Answering("a", failed(outcome)), ManualClock()
    service = service_of(model, records=records, clock=clock, policy=RetryPolicy(n_faults=99))

    answer = ask(service)

    assert answer.outcome is outcome
    assert answer.n_requests == len(model.prompts) == MAX_REQUESTS[outcome] == len(clock.slept) + 1
    assert [record.is_final for record in records.all] == [False] * (len(records.all) - 1) + [True]
    assert [record.attempt for record in records.all] == list(range(len(records.all)))


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.BAD_REQUEST, Outcome.TOO_LONG, Outcome.QUOTA])
def test_what_does_not_pass_is_asked_once(outcome: Outcome) -> None:
    model = Answering("a", failed(outcome))

    answer = ask(service_of(model, records=Records()))

    assert (answer.outcome, len(model.prompts)) == (outcome, 1)


def test_a_fault_that_passes_costs_its_tokens_and_gives_the_answer() -> None:
    cut = Completion(outcome=Outcome.CUT, text="half", usage=Usage(input_tokens=1000, output_tokens=100))

    answer = ask(service_of(Answering("a", cut, failed(Outcome.OVERLOADED), answered("all")), records=Records()))

    assert (answer.outcome, answer.text, answer.n_requests) == (Outcome.OK, "all", 3)
    assert answer.cost == pytest.approx(2 * COST)
    assert answer.usage.input_tokens == 2000


def test_a_server_that_asks_for_a_pause_gets_at_least_that() -> None:
    clock = ManualClock()
    service = service_of(Answering("a", failed(Outcome.RATE_LIMITED, 7.0), answered()), records=Records(), clock=clock)

    assert ask(service).outcome is Outcome.OK
    assert 7.0 <= clock.now <= 7.0 + 1.0


def test_a_pause_holds_for_every_question_to_the_model() -> None:
    clock, model = ManualClock(), Answering("a", failed(Outcome.RATE_LIMITED, 7.0), answered())
    service = service_of(model, records=Records(), clock=clock, policy=RetryPolicy(max_requests={}))

    ask(service)
    answer = ask(service, iteration=2)

    assert answer.outcome is Outcome.OK
    assert clock.now >= 7.0


def test_a_server_that_asks_for_too_long_a_pause_is_parked_and_another_model_answers() -> None:
    clock = ManualClock()
    first = Answering("a", failed(Outcome.RATE_LIMITED, 500.0), answered("from a"))
    service = service_of(first, Answering("b", answered("from b")), records=Records(), clock=clock)

    answers = [ask(service), ask(service, iteration=2)]
    clock.now = 500.0
    answers.append(ask(service, iteration=3))

    assert [answer.model for answer in answers] == ["b", "b", "a"]
    assert [answer.n_requests for answer in answers] == [2, 1, 1]


def test_with_every_model_parked_for_long_a_question_ends_unavailable_without_a_request() -> None:
    clock, model, records = ManualClock(), Answering("a", failed(Outcome.RATE_LIMITED, 500.0)), Records()
    service = service_of(model, records=records, clock=clock)

    ask(service)
    answer = ask(service, iteration=2)

    assert (answer.outcome, answer.n_requests, answer.cost) == (Outcome.UNAVAILABLE, 0, 0.0)
    assert len(model.prompts) == 1
    assert records.all[-1].is_final
    assert "500 s" in records.all[-1].detail
    assert not service.is_dead
    assert service.seconds_left == 500.0


def test_a_refusal_is_counted_and_another_model_of_the_mix_is_asked() -> None:
    service = service_of(Answering("a", failed(Outcome.REFUSED)), Answering("b", answered("from b")), records=Records())

    answer = ask(service)

    assert (answer.outcome, answer.model) == (Outcome.OK, "b")
    assert service.statistics()["a"].n_refused == 1
    assert service.stopped == {}


def test_models_stand_in_for_each_other_in_the_order_of_the_mix() -> None:
    records = Records()
    ill = [Answering(name, failed(Outcome.REFUSED)) for name in "abc"]

    answer = ask(service_of(*ill, records=records), "b")

    assert [record.model for record in records.all] == ["b", "a", "c"]
    assert [record.is_final for record in records.all] == [False, False, True]
    assert answer.outcome is Outcome.REFUSED


@pytest.mark.parametrize("outcome", [Outcome.AUTH, Outcome.QUOTA, Outcome.NOT_FOUND])
def test_a_model_that_cannot_be_used_is_stopped_for_the_session(outcome: Outcome) -> None:
    model = Answering("a", failed(outcome), answered())
    service = service_of(model, records=Records())

    ask(service)
    again = ask(service, iteration=2)

    assert again.outcome is Outcome.UNAVAILABLE
    assert len(model.prompts) == 1
    assert service.stopped == {"a": f"{outcome}: a fault"}
    assert service.is_dead
    assert service.seconds_left == float("inf")


def test_a_server_that_is_never_reached_is_given_up_after_a_few_requests() -> None:
    model = Answering("a", failed(Outcome.TRANSPORT))
    service = service_of(model, records=Records())

    outcomes = [ask(service, iteration=n).outcome for n in range(4)]

    assert outcomes == [Outcome.TRANSPORT, Outcome.UNAVAILABLE, Outcome.UNAVAILABLE, Outcome.UNAVAILABLE]
    assert len(model.prompts) == RetryPolicy().n_faults
    assert "faults in a row" in service.stopped["a"]


def test_questions_wait_for_the_probe_of_an_ill_model_and_go_on_when_it_is_well() -> None:
    policy = RetryPolicy(n_faults=3, max_requests={}, open_seconds=10.0)
    faults = [failed(Outcome.OVERLOADED)] * 3
    model, clock = Answering("a", *faults, answered()), ManualClock()
    service = service_of(model, records=Records(), clock=clock, policy=policy)
    for iteration in range(3):
        ask(service, iteration=iteration)

    async def four_questions() -> list[Outcome]:
        keys = [CallKey(iteration=iteration, ordinal=0) for iteration in range(3, 7)]
        answers = await asyncio.gather(*(service.ask(key, "a", prompt_of(), "code") for key in keys))
        return [answer.outcome for answer in answers]

    assert asyncio.run(four_questions()) == [Outcome.OK] * 4
    assert clock.now >= 10.0
    assert 0.0 not in clock.slept, "whoever waits for a probe must not look again and again"
    assert len(model.prompts) == 7


def test_an_answer_that_is_cut_at_its_limit_is_given_to_whoever_asked_after_one_request() -> None:
    records, half = Records(), Completion(outcome=Outcome.LENGTH, text="half", usage=USAGE)

    answer = ask(service_of(Answering("a", half), Answering("b", answered()), records=records))

    assert (answer.outcome, answer.text, answer.n_requests) == (Outcome.LENGTH, "half", 1)
    assert records.all[0].is_final


def test_a_server_that_asks_to_be_left_alone_for_a_year_is_asked_again_after_an_hour() -> None:
    clock, model = ManualClock(), Answering("a", failed(Outcome.RATE_LIMITED, 365 * 86400.0), answered())
    service = service_of(model, records=Records(), clock=clock)
    ask(service)

    assert service.seconds_left == RetryPolicy().most_parked_seconds == 3600.0
    clock.now += 3600.0
    assert ask(service, iteration=2).outcome is Outcome.OK


def test_nobody_waits_for_a_parked_model_beyond_the_end() -> None:
    service = service_of(Answering("a", failed(Outcome.RATE_LIMITED, 7.0)), records=Records(), clock=Frozen())

    async def end_in_a_pause() -> None:
        question = asyncio.create_task(service.ask(CallKey(iteration=1, ordinal=0), "a", prompt_of(), "code"))
        while not service.seconds_left:
            await asyncio.sleep(0)
        service.ask_no_more()
        with pytest.raises(NoMoreQuestionsError):
            await asyncio.wait_for(question, 5.0)

    asyncio.run(end_in_a_pause())


class Frozen(ManualClock):
    """Sleeps end never."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


def test_after_the_end_was_announced_a_reply_in_flight_lands_and_no_request_follows() -> None:
    records, release = Records(), asyncio.Event()
    model = Answering("a", failed(Outcome.OVERLOADED), answered(), release=release)
    service = service_of(model, Answering("b", answered()), records=records)

    async def end_in_the_middle() -> None:
        key = CallKey(iteration=1, ordinal=0)
        question = asyncio.create_task(service.ask(key, "a", prompt_of(), "code"))
        while not service.n_in_flight:
            await asyncio.sleep(0)
        service.ask_no_more()
        release.set()
        with pytest.raises(NoMoreQuestionsError):
            await question

    asyncio.run(end_in_the_middle())

    assert [(record.outcome, record.is_final) for record in records.all] == [("overloaded", False)]
    assert (len(model.prompts), service.n_in_flight) == (1, 0)


def test_an_unknown_price_gives_an_unknown_cost_and_not_zero() -> None:
    service = service_of(Answering("a", answered()), records=Records(), price=None)

    answer = ask(service)

    assert answer.cost is None
    assert service.statistics()["a"].n_unknown_cost == 1
    assert service.prices == {"a": None}


def test_a_key_that_a_server_sends_back_stays_out_of_the_records() -> None:
    canary = "sk-canary-27182818"
    echo = Completion(
        outcome=Outcome.OK, text=f"# {canary}", detail=f"Bearer {canary}", request_id=canary, model_reported=canary
    )
    records = Records()

    answer = ask(service_of(Answering("a", echo), records=records, key=Key(canary, origin="a test")))

    assert canary not in repr(records.all)
    assert answer.text == "# [key]"


def test_why_a_model_was_stopped_is_told_without_the_key() -> None:
    canary = "sk-canary-27182818"
    refused = Completion(outcome=Outcome.AUTH, detail=f"wrong key {canary}")
    records = Records()
    service = service_of(Answering("a", refused), records=records, key=Key(canary, origin="a test"))

    outcomes = [ask(service).outcome, ask(service, iteration=2).outcome]

    assert outcomes == [Outcome.AUTH, Outcome.UNAVAILABLE]
    assert service.stopped == {"a": "auth: wrong key [key]"}
    assert canary not in repr(records.all)


def test_a_placeholder_that_local_servers_take_for_a_key_tears_no_hole_into_programs() -> None:
    text = "EMPTY = sorted(rows, key=len)"
    model = Answering("a", answered(text))

    for placeholder in ("EMPTY", "key", "="):
        assert ask(service_of(model, records=Records(), key=Key(placeholder, origin="a test"))).text == text


def test_the_statistics_add_up_what_each_model_did() -> None:
    usage = Usage(input_tokens=1000, cached_tokens=750, output_tokens=10, reasoning_tokens=5)
    service = service_of(
        Answering("a", failed(Outcome.OVERLOADED), answered(usage=usage)), Answering("b", answered()), records=Records()
    )

    ask(service)
    statistics = service.statistics()["a"].to_json()

    assert list(service.statistics()) == ["a"]
    assert statistics["outcomes"] == {"overloaded": 1, "ok": 1}
    assert (statistics["n_requests"], statistics["cache_hit_rate"], statistics["reasoning_tokens"]) == (2, 0.75, 5)


def test_closing_the_service_closes_every_client() -> None:
    models = [Answering("a", answered()), Answering("b", answered())]

    asyncio.run(service_of(*models, records=Records()).close())

    assert all(model.is_closed for model in models)
