"""The service under a budget, interrupted, resumed and replayed."""

import asyncio
from dataclasses import replace

import pytest

from evolve.llm.calls import CallKey
from evolve.llm.contract import Completion, Outcome, Usage
from evolve.llm.money import Ledger, most_tokens, most_usd
from evolve.llm.policy import RetryPolicy
from evolve.llm.prices import Price, Tier
from evolve.llm.replay import ReplayError, ReplayService
from tests.unit.llm.service_parts import (
    COST,
    PRICE,
    Answering,
    ManualClock,
    Records,
    answered,
    ask,
    failed,
    prompt_of,
    service_of,
)

MOST_USD = most_usd(prompt_of(), PRICE) or 0.0
MOST_TOKENS = sum(most_tokens(prompt_of()))
CHEAP = Price(tiers=(Tier(input=0.01, cached=0.001, cache_write=0.0125, output=0.1),))
DEAREST = Usage(input_tokens=MOST_TOKENS - 1000, cache_write_tokens=MOST_TOKENS - 1000, output_tokens=1000)


def test_a_request_that_does_not_fit_is_never_sent() -> None:
    records, model = Records(), Answering("a", answered())
    service = service_of(model, records=records, ledger=Ledger(tokens=MOST_TOKENS - 1))

    answer = ask(service)

    assert (answer.outcome, answer.n_requests, answer.cost) == (Outcome.NO_BUDGET, 0, 0.0)
    assert model.prompts == []
    assert service.is_spent
    assert [record.is_final for record in records.all] == [True]


@pytest.mark.parametrize(("usd", "tokens"), [(5 * MOST_USD, None), (None, 5 * MOST_TOKENS)], ids=["usd", "tokens"])
def test_many_questions_at_once_never_spend_more_than_the_budget(usd: float | None, tokens: int | None) -> None:
    model = Answering("a", answered(usage=DEAREST))
    service = service_of(model, records=Records(), ledger=Ledger(usd=usd, tokens=tokens))

    async def many() -> list[Outcome]:
        keys = [CallKey(iteration=iteration, ordinal=0) for iteration in range(20)]
        answers = await asyncio.gather(*(service.ask(key, "a", prompt_of(), "code") for key in keys))
        return [answer.outcome for answer in answers]

    outcomes = asyncio.run(many())

    assert outcomes.count(Outcome.OK) == len(model.prompts) == 5
    assert outcomes.count(Outcome.NO_BUDGET) == 15
    assert usd is None or service.spent.usd <= usd
    assert tokens is None or service.spent.tokens <= tokens


def test_a_question_waits_for_what_others_give_back_before_it_says_that_the_money_is_spent() -> None:
    model = Answering("a", answered(usage=Usage(input_tokens=1, output_tokens=1)))
    service = service_of(model, records=Records(), ledger=Ledger(tokens=MOST_TOKENS + 100))

    async def many() -> list[Outcome]:
        keys = [CallKey(iteration=iteration, ordinal=0) for iteration in range(10)]
        answers = await asyncio.gather(*(service.ask(key, "a", prompt_of(), "code") for key in keys))
        return [answer.outcome for answer in answers]

    assert asyncio.run(many()) == [Outcome.OK] * 10
    assert model.most_flying == 1
    assert not service.is_spent


def test_where_a_dear_model_cannot_be_paid_a_cheaper_one_of_the_mix_answers() -> None:
    dear, cheap, records = Answering("a", answered()), Answering("b", answered("cheap")), Records()
    service = service_of(dear, cheap, records=records, prices={"b": CHEAP}, ledger=Ledger(usd=MOST_USD / 2))

    answer = ask(service)

    assert (answer.outcome, answer.model, answer.n_requests) == (Outcome.OK, "b", 1)
    assert (dear.prompts, service.is_spent) == ([], False)


def test_the_money_is_spent_when_the_cheapest_model_cannot_be_paid() -> None:
    models = [Answering("a", answered()), Answering("b", answered())]
    service = service_of(*models, records=Records(), prices={"b": CHEAP}, ledger=Ledger(usd=MOST_USD / 200))

    assert ask(service).outcome is Outcome.NO_BUDGET
    assert service.is_spent
    assert [model.prompts for model in models] == [[], []]


def test_a_refusal_stays_a_refusal_where_the_only_other_model_is_too_dear() -> None:
    models = [Answering("a", answered()), Answering("b", failed(Outcome.REFUSED))]
    service = service_of(*models, records=Records(), prices={"b": CHEAP}, ledger=Ledger(usd=MOST_USD / 2))

    assert ask(service, "b").outcome is Outcome.REFUSED
    assert not service.is_spent


def test_a_request_that_is_dropped_is_on_record_and_charged_in_full() -> None:
    records, never = Records(), asyncio.Event()
    service = service_of(Answering("a", answered(), release=never), records=records)

    async def dropped() -> None:
        task = asyncio.create_task(service.ask(CallKey(iteration=1, ordinal=0), "a", prompt_of(), "code"))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(dropped())

    record = records.all[0]
    assert (record.outcome, record.is_final, record.is_estimated, record.output_tokens) == ("cut", False, True, 1000)
    assert record.cost_usd is not None
    assert 0.01 < record.cost_usd <= MOST_USD
    assert service.spent.usd == record.cost_usd


ILL_AT_ONCE = RetryPolicy(n_faults=1, max_requests={}, open_seconds=10.0)


def test_a_dropped_probe_leaves_the_way_free_for_the_next_question() -> None:
    release, clock = asyncio.Event(), ManualClock()
    model = Answering("a", failed(Outcome.OVERLOADED), answered(), release=release)
    service = service_of(model, records=Records(), policy=ILL_AT_ONCE, clock=clock)

    async def probe_and_drop() -> Outcome:
        release.set()
        await service.ask(CallKey(iteration=1, ordinal=0), "a", prompt_of(), "code")
        release.clear()
        probe = asyncio.create_task(service.ask(CallKey(iteration=2, ordinal=0), "a", prompt_of(), "code"))
        while model.n_flying == 0:
            await asyncio.sleep(0)
        waiting = asyncio.create_task(service.ask(CallKey(iteration=3, ordinal=0), "a", prompt_of(), "code"))
        await asyncio.sleep(0)
        probe.cancel()
        release.set()
        return (await asyncio.wait_for(waiting, 5.0)).outcome

    assert asyncio.run(probe_and_drop()) is Outcome.OK


def test_a_probe_that_is_dropped_while_it_waits_for_money_leaves_the_way_free() -> None:
    release = asyncio.Event()
    cheap = answered(usage=Usage(input_tokens=10, output_tokens=10))
    ill, well = Answering("a", failed(Outcome.OVERLOADED), cheap), Answering("b", cheap, release=release)
    clock, ledger = ManualClock(), Ledger(tokens=4 * MOST_TOKENS // 3)
    service = service_of(ill, well, records=Records(), policy=ILL_AT_ONCE, ledger=ledger, clock=clock)

    async def wait_and_drop() -> str:
        broke = asyncio.create_task(service.ask(CallKey(iteration=1, ordinal=0), "a", prompt_of(), "code"))
        while well.n_flying == 0:  # `a` failed and is parked, `b` holds all the money
            await asyncio.sleep(0)
        clock.now += 20.0
        probe = asyncio.create_task(service.ask(CallKey(iteration=2, ordinal=0), "a", prompt_of(), "code"))
        for _ in range(5):
            await asyncio.sleep(0)
        probe.cancel()
        release.set()
        await broke
        last = service.ask(CallKey(iteration=3, ordinal=0), "a", prompt_of(), "code")
        return (await asyncio.wait_for(last, 5.0)).model

    assert asyncio.run(wait_and_drop()) == "a"


def test_a_probe_that_nobody_can_pay_leaves_the_way_free() -> None:
    model = Answering("a", failed(Outcome.OVERLOADED), answered())
    service = service_of(model, records=Records(), policy=ILL_AT_ONCE, ledger=Ledger(tokens=2 * MOST_TOKENS))
    long = "x" * 2 * MOST_TOKENS

    outcomes = [ask(service).outcome, ask(service, iteration=2, text=long).outcome, ask(service, iteration=3).outcome]

    assert outcomes == [Outcome.OVERLOADED, Outcome.NO_BUDGET, Outcome.OK]


def test_a_resumed_run_pays_no_answer_twice() -> None:
    first, model = Records(), Answering("a", failed(Outcome.OVERLOADED), answered("paid"))
    answer = ask(service_of(model, records=first))
    second, idle = Records(), Answering("a", answered("never asked"))

    again = ask(service_of(idle, records=second, recorded=first))

    assert again == answer
    assert idle.prompts == []
    assert second.all == []


def test_an_interrupted_question_is_asked_again_and_its_first_requests_still_count() -> None:
    first = Records()
    ask(service_of(Answering("a", failed(Outcome.CUT), answered()), records=first))
    interrupted = Records([replace(first.all[1], is_final=False, outcome="cut")])
    second = Records()

    answer = ask(service_of(Answering("a", answered("new")), records=second, recorded=interrupted))

    assert answer.text == "new"
    assert (answer.n_requests, second.all[0].attempt) == (2, 2)
    assert answer.cost == pytest.approx(2 * COST)


def test_what_an_earlier_session_could_not_pay_is_asked_when_there_is_money() -> None:
    first = Records()
    ask(service_of(Answering("a", answered()), records=first, ledger=Ledger(tokens=0)))

    answer = ask(service_of(Answering("a", answered("now")), records=Records(), recorded=first))

    assert (answer.outcome, answer.text) == (Outcome.OK, "now")


def test_a_recorded_reply_to_another_prompt_is_not_used() -> None:
    first = Records()
    ask(service_of(Answering("a", answered("old")), records=first), text="one prompt")

    answer = ask(service_of(Answering("a", answered("new")), records=Records(), recorded=first), text="another prompt")

    assert answer.text == "new"


def test_a_replay_gives_every_answer_of_the_other_run_and_keeps_its_records() -> None:
    first = Records()
    refused = Completion(outcome=Outcome.REFUSED, usage=Usage(input_tokens=5))
    run = service_of(Answering("a", refused, answered("one")), Answering("b", answered("two")), records=first)
    answers = [ask(run), ask(run, iteration=2)]
    answers.append(ask(service_of(Answering("a", answered()), records=first, ledger=Ledger(tokens=0)), iteration=3))
    copy = Records()
    replay = ReplayService(("a", "b"), first, record=copy, prices=run.prices)

    async def repeat() -> list[object]:
        keys = [CallKey(iteration=iteration, ordinal=0) for iteration in (1, 2, 3)]
        return [await replay.ask(key, "a", prompt_of(), "code") for key in keys]

    assert asyncio.run(repeat()) == answers
    assert [answer.outcome for answer in answers] == [Outcome.OK, Outcome.OK, Outcome.NO_BUDGET]
    assert copy.all == first.all
    assert replay.statistics()["a"].to_json()["outcomes"] == {"refused": 1, "ok": 1, "no_budget": 1}
    assert replay.prices == run.prices


@pytest.mark.parametrize(
    ("iteration", "text", "said"),
    [
        (7, "Write a program.", "question 0 of iteration 7 .code. has no reply on record"),
        (1, "Another prompt.", "question 0 of iteration 1 .code. differs from the one on record"),
    ],
)
def test_a_replay_says_which_question_it_cannot_answer(iteration: int, text: str, said: str) -> None:
    first = Records()
    ask(service_of(Answering("a", answered()), records=first))
    replay = ReplayService(("a",), first, record=Records())

    with pytest.raises(ReplayError, match=said):
        asyncio.run(replay.ask(CallKey(iteration=iteration, ordinal=0), "a", prompt_of(text), "code"))
