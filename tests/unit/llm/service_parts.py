"""Shared by the tests of the service: models that answer from a list, a clock that moves only when somebody sleeps."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from evolve.llm.calls import Answer, CallKey, ReplySource
from evolve.llm.contract import Completion, Outcome, Prompt, Turn, Usage
from evolve.llm.keys import Key
from evolve.llm.mix import Entry, Mix, ModelOptions
from evolve.llm.money import Ledger
from evolve.llm.policy import RetryPolicy
from evolve.llm.prices import Price, Tier
from evolve.llm.providers import ModelSpec, Provider
from evolve.llm.service import ModelService, Surroundings
from evolve.store.records import CallRecord

PRICE = Price(tiers=(Tier(input=1.0, cached=0.1, cache_write=1.25, output=10.0),))
USAGE = Usage(input_tokens=1000, output_tokens=100)
COST = 0.002  # of USAGE at PRICE


class ManualClock:
    """Time that passes while somebody sleeps, and at no other moment."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Answering:
    """A language model that gives the completions of a list in order; the last one for ever."""

    def __init__(self, name: str, *completions: Completion, release: asyncio.Event | None = None) -> None:
        self.name = name
        self.prompts: list[Prompt] = []
        self.n_flying = 0
        self.most_flying = 0
        self.is_closed = False
        self._completions = list(completions)
        self._release = release

    async def complete(self, prompt: Prompt, *, total_seconds: float, idle_seconds: float) -> Completion:
        self.prompts.append(prompt)
        self.n_flying += 1
        self.most_flying = max(self.most_flying, self.n_flying)
        try:
            await asyncio.sleep(0)
            if self._release is not None:
                await self._release.wait()
        finally:
            self.n_flying -= 1
        return self._completions.pop(0) if len(self._completions) > 1 else self._completions[0]

    async def close(self) -> None:
        self.is_closed = True


class Records:
    """A log of calls, and the source that a later session reads."""

    def __init__(self, records: Sequence[CallRecord] = ()) -> None:
        self.all = list(records)

    def __call__(self, record: CallRecord) -> None:
        self.all.append(record)

    def find(self, key: CallKey) -> Sequence[CallRecord]:
        return [each for each in self.all if (each.iteration, each.ordinal) == (key.iteration, key.ordinal)]

    @property
    def outcomes(self) -> list[str]:
        return [each.outcome for each in self.all]


def answered(text: str = "well", usage: Usage = USAGE) -> Completion:
    return Completion(outcome=Outcome.OK, text=text, usage=usage, model_reported="m-1", request_id="r-1", seconds=2.0)


def failed(outcome: Outcome, retry_after: float | None = None) -> Completion:
    return Completion(outcome=outcome, detail="a fault", retry_after_seconds=retry_after)


def prompt_of(text: str = "Write a program.", max_output_tokens: int = 1000) -> Prompt:
    return Prompt(system=("rules",), turns=(Turn(role="user", text=text),), max_output_tokens=max_output_tokens)


def service_of(
    *models: Answering,
    records: Records,
    price: Price | None = PRICE,
    prices: Mapping[str, Price] | None = None,
    ledger: Ledger | None = None,
    clock: ManualClock | None = None,
    policy: RetryPolicy | None = None,
    recorded: ReplySource | None = None,
    key: Key | None = None,
) -> ModelService:
    clock = clock or ManualClock()
    provider = Provider(name="openai", client="responses")
    entries = tuple(
        Entry(
            spec=ModelSpec(name=model.name, provider=provider, model=model.name),
            client=model,
            price=(prices or {}).get(model.name, price),
            key=key,
        )
        for model in models
    )
    return ModelService(
        Mix(entries=entries, unusable={}),
        ModelOptions(models=tuple(model.name for model in models)),
        ledger=ledger or Ledger(),
        record=records,
        recorded=recorded,
        surroundings=Surroundings(policy=policy or RetryPolicy(), clock=clock, sleep=clock.sleep, rng=random.Random(1)),
    )


def ask(service: ModelService, model: str = "a", *, iteration: int = 1, text: str = "Write a program.") -> Answer:
    return asyncio.run(service.ask(CallKey(iteration=iteration, ordinal=0), model, prompt_of(text), "code"))


def empty_home(folder: Path) -> dict[str, str]:
    return {"HOME": str(folder)}
