"""The service over the real clients of both SDKs: every second request meets a fault, and the books still balance."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from evolve.llm.calls import Answer, CallKey
from evolve.llm.contract import Outcome, Prompt, Turn
from evolve.llm.mix import ModelOptions
from evolve.llm.policy import MAX_REQUESTS, RetryPolicy
from evolve.llm.service import ModelService, Surroundings, open_service
from evolve.testing.llm_server import LLMServer, say, serving
from evolve.testing.llm_server_actions import Action, Cut, Drop, Finish, Request, Say, Silence
from evolve.testing.llm_server_faults import bad_json, html, overloaded, quota_spent, rate_limited, short_body, status
from tests.integration.llm.asking import CANARY
from tests.unit.llm.service_parts import ManualClock, Records

N_QUESTIONS = 32
GOOD = Say("def f(x):\n    return x\n", input_tokens=1000, cached_tokens=800)
FAULTS: tuple[Action, ...] = (
    rate_limited("1"),
    status(500),
    overloaded(),
    Drop(),
    Say("half an answer", stall_at=2),
    Silence(),
    Say("half an answer", cut_at=2, cut=Cut.CLEAN),
    Say("half an answer", cut_at=2, cut=Cut.RESET),
    Say("half an answer", junk_at=1),
    html(),
    bad_json(),
    short_body(),
    Say(""),
    Say("I cannot help.", finish=Finish.REFUSAL),
    Say("def f(x", finish=Finish.LENGTH),
    Say("fine", has_usage=False),
)


def every_second_fails() -> "list[Action]":
    faults = [FAULTS[n % len(FAULTS)] for n in range(N_QUESTIONS)]
    return [action for fault in faults for action in (fault, GOOD)]


def models_of(server: LLMServer) -> tuple[str, str]:
    return f"anthropic:claude-sonnet-5-5@{server.root_url}", f"openai:gpt-6.1-terra@{server.base_url}"


def opened(
    server: LLMServer,
    records: Records,
    home: Path,
    clock: ManualClock,
    budget_usd: float,
    *,
    idle_seconds: float = 60.0,
) -> ModelService:
    options = ModelOptions(
        models=models_of(server), budget_usd=budget_usd, total_seconds=60.0, idle_seconds=idle_seconds
    )
    service = open_service(
        options,
        record=records,
        environment={"HOME": str(home), "ANTHROPIC_API_KEY": CANARY, "OPENAI_API_KEY": CANARY},
        surroundings=Surroundings(policy=RetryPolicy(n_faults=8), clock=clock, sleep=clock.sleep, rng=random.Random(3)),
    )
    assert isinstance(service, ModelService)
    return service


async def ask_all(service: ModelService, n_questions: int) -> list[Answer]:
    async def one(number: int) -> Answer:
        prompt = Prompt(system=("rules",), turns=(Turn(role="user", text=f"question {number}"),), max_output_tokens=500)
        return await service.ask(CallKey(iteration=number, ordinal=0), service.names[number % 2], prompt, "code")

    answers: list[Answer] = []
    for start in range(0, n_questions, 4):
        answers += await asyncio.gather(*(one(number) for number in range(start, min(start + 4, n_questions))))
    return answers


def test_with_every_second_request_at_fault_all_is_answered_counted_and_paid_once(tmp_path: Path) -> None:
    records, clock = Records(), ManualClock()

    async def whole() -> tuple[list[Answer], LLMServer, ModelService]:
        async with serving(GOOD) as server:
            actions = iter(every_second_fails())
            server.plan = lambda request: next(actions, GOOD)
            service = opened(server, records, tmp_path, clock, 1.0, idle_seconds=1.0)
            try:
                return await ask_all(service, N_QUESTIONS), server, service
            finally:
                await service.close()

    answers, server, service = asyncio.run(whole())

    assert Counter(answer.outcome for answer in answers)[Outcome.OK] >= N_QUESTIONS - 2
    assert {Outcome(outcome) for outcome in records.outcomes} >= {
        *MAX_REQUESTS,
        Outcome.REFUSED,
        Outcome.LENGTH,
        Outcome.OK,
    }
    assert len(server.requests) == len(records.all) == sum(answer.n_requests for answer in answers)
    finals = [record for record in records.all if record.is_final]
    assert sorted(record.iteration for record in finals) == list(range(N_QUESTIONS))
    assert service.spent.usd == pytest.approx(sum(record.cost_usd or 0.0 for record in records.all))
    assert 0.0 < service.spent.usd < 1.0
    assert service.statistics()[service.names[0]].cache_hit_rate > 0.5
    assert CANARY not in repr(records.all)


def test_a_budget_holds_over_the_wire(tmp_path: Path) -> None:
    records = Records()
    dear = Say("long", input_tokens=40, reasoning_tokens=400)

    async def whole() -> tuple[list[Answer], LLMServer, ModelService]:
        async with serving(dear) as server:
            service = opened(server, records, tmp_path, ManualClock(), 0.03)
            try:
                return await ask_all(service, 16), server, service
            finally:
                await service.close()

    answers, server, service = asyncio.run(whole())
    outcomes = Counter(answer.outcome for answer in answers)

    assert outcomes.keys() == {Outcome.OK, Outcome.NO_BUDGET}
    assert len(server.requests) == outcomes[Outcome.OK]
    assert 0.02 < service.spent.usd <= 0.03
    assert service.is_spent


def test_a_spent_quota_stops_one_model_and_the_other_takes_over(tmp_path: Path) -> None:
    records = Records()

    def plan(request: Request) -> Action:
        return quota_spent() if request.route == "responses" else say("fine")

    async def whole() -> tuple[list[Answer], LLMServer, ModelService]:
        async with serving(plan) as server:
            service = opened(server, records, tmp_path, ManualClock(), 1.0)
            try:
                return await ask_all(service, 8), server, service
            finally:
                await service.close()

    answers, server, service = asyncio.run(whole())

    assert {answer.outcome for answer in answers} == {Outcome.OK}
    assert {answer.model for answer in answers} == {service.names[0]}
    assert list(service.stopped) == [service.names[1]]
    assert sum(request.route == "responses" for request in server.requests) <= 2
    assert not service.is_dead
