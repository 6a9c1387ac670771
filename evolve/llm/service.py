"""What the loop asks: answers from the record or from the models of the mix, under a budget and a retry policy."""

import asyncio
import math
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from evolve.llm.breaker import Breaker, Entrance
from evolve.llm.calls import Answer, CallKey, ReplySource, answer_of, was_sent
from evolve.llm.contract import Completion, Outcome, Prompt
from evolve.llm.mix import Entry, Mix, ModelOptions, open_mix
from evolve.llm.money import Ledger, Reservation, Spent, most_tokens, most_usd, tokens_of
from evolve.llm.policy import Next, RetryPolicy, Tally, lengthened, next_step
from evolve.llm.question import Question, cost_of, dropped
from evolve.llm.replay import ReplayError, ReplayService
from evolve.llm.statistics import ModelStatistics
from evolve.store.records import CallRecord

__all__ = ["ModelOptions", "ModelService", "ReplayError", "ReplayService", "Service", "Surroundings", "open_service"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Patience, time and chance, as arguments."""

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    rng: random.Random = field(default_factory=random.SystemRandom)


class ModelService:
    """Asks the models of a mix. Make one with `open_service`, close it with `close`."""

    def __init__(
        self,
        mix: Mix,
        options: ModelOptions,
        *,
        ledger: Ledger,
        record: Callable[[CallRecord], None],
        recorded: ReplySource | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._mix = mix
        self._options = options
        self._ledger = ledger
        self._record = record
        self._recorded = recorded
        around = surroundings or Surroundings()
        self._policy = around.policy
        self._clock, self._sleep, self._rng = around.clock, around.sleep, around.rng
        self._breakers = {entry.spec.name: Breaker(self._policy) for entry in mix.entries}
        self._statistics: dict[str, ModelStatistics] = {}
        self._change = asyncio.Event()
        self.is_spent = False

    @property
    def names(self) -> tuple[str, ...]:
        """The models that can be asked, in the order of the mix."""
        return tuple(entry.spec.name for entry in self._mix.entries)

    @property
    def unusable(self) -> Mapping[str, str]:
        """Models that cannot be used from the start, and why."""
        return self._mix.unusable

    @property
    def stopped(self) -> Mapping[str, str]:
        """Models that this session will not ask again, and why."""
        return {name: breaker.stopped for name, breaker in self._breakers.items() if breaker.stopped}

    @property
    def is_dead(self) -> bool:
        """Whether no model is left that could answer in this session."""
        return all(breaker.stopped for breaker in self._breakers.values())

    @property
    def seconds_left(self) -> float:
        """How long no model will take a question: 0 if one does now, infinite if none ever will."""
        now = self._clock()
        return min((each.seconds_left(now) for each in self._breakers.values() if not each.stopped), default=math.inf)

    @property
    def prices(self) -> dict[str, Any]:
        """The prices that costs are computed with, as JSON data; null for a model whose price is unknown."""
        return {entry.spec.name: None if entry.price is None else entry.price.to_json() for entry in self._mix.entries}

    @property
    def spent(self) -> Spent:
        """Totals of the run, earlier sessions included."""
        return self._ledger.spent

    def statistics(self) -> dict[str, ModelStatistics]:
        """The totals of each model in this session."""
        return self._statistics

    async def ask(self, key: CallKey, model: str, prompt: Prompt, purpose: str) -> Answer:
        """The answer to a question: from the record of this run if it is there, else from a model.

        What providers do is an outcome of the answer. May be cancelled: a request in flight is then put on record and
        charged as if it had been answered in full.
        """
        prompt_hash = prompt.hash()
        earlier = () if self._recorded is None else tuple(self._recorded.find(key))
        if earlier and earlier[-1].is_final and was_sent(earlier[-1]) and earlier[-1].prompt_hash == prompt_hash:
            return answer_of(earlier)
        question = Question(
            key=key,
            prompt=prompt,
            purpose=purpose,
            prompt_hash=prompt_hash,
            record=self._keep,
            records=list(earlier),
        )
        await self._answer(question, model)
        return answer_of(question.records)

    async def close(self) -> None:
        """Close every client."""
        for entry in self._mix.entries:
            await entry.client.close()

    async def _answer(self, question: Question, model: str) -> None:
        """Go through the mix until the question has its final record."""
        order = sorted(self._mix.entries, key=lambda entry: entry.spec.name != model)
        patience = self._policy.patience_seconds
        while True:
            for place, entry in enumerate(order):
                if await self._with_model(question, entry, order[place + 1 :]):
                    return
            wait = self.seconds_left
            if question.n_sent or wait > patience:
                question.give_up(model, Outcome.UNAVAILABLE, self._why_unavailable())
                return
            patience -= wait
            is_probing = any(breaker.is_probing for breaker in self._breakers.values())
            await (self._change.wait() if wait <= 0.0 and is_probing else self._sleep(wait))

    async def _with_model(self, question: Question, entry: Entry, others: Sequence[Entry]) -> bool:
        """Ask one model as often as the policy allows; whether the question has its final record."""
        tally = Tally(max_output_tokens=question.prompt.max_output_tokens)
        while (entrance := await self._enter(entry)) is not None:
            prompt = replace(question.prompt, max_output_tokens=tally.max_output_tokens)
            reservation = await self._reserve(entry, prompt, entrance)
            if reservation is None:
                question.give_up(entry.spec.name, Outcome.NO_BUDGET, "the request could have cost more than is left")
                return True
            completion = await self._send(question, entry, prompt, (entrance, reservation))
            tally.n_requests += 1
            step = next_step(completion, tally, self._policy)
            is_final = step is Next.DONE or (step is Next.NEXT_MODEL and not self._has_other(others))
            question.keep(entry, completion, is_final=is_final)
            if is_final or step is Next.NEXT_MODEL:
                return is_final
            if step is Next.AGAIN_LONGER:
                tally.was_lengthened = True
                tally.max_output_tokens = lengthened(tally.max_output_tokens, self._policy)
                continue
            await self._sleep(self._policy.backoff(tally.n_requests, self._rng))
        return False

    async def _enter(self, entry: Entry) -> Entrance | None:
        """Wait for the end of a short pause; None if another model should be asked."""
        breaker = self._breakers[entry.spec.name]
        while (entrance := breaker.try_enter(self._clock())) is None:
            if breaker.is_out(self._clock()):
                return None
            await self._sleep(breaker.seconds_left(self._clock()) + self._policy.backoff(1, self._rng))
        return entrance

    async def _reserve(self, entry: Entry, prompt: Prompt, entrance: Entrance) -> Reservation | None:
        """Set money and tokens aside; what does not fit waits for what is in flight, as that takes less in the end.

        Where it does not come to a request, be it for a cancellation, the entrance is given back: a probe that is
        never sent would keep everybody waiting.
        """
        usd, tokens = most_usd(prompt, entry.price), sum(most_tokens(prompt))
        reservation: Reservation | None = None
        try:
            while (reservation := self._ledger.reserve(usd=usd, tokens=tokens)) is None and self._ledger.n_open:
                await self._change.wait()
        finally:
            if reservation is None:
                self._breakers[entry.spec.name].abandon(entrance)
                self._tell_change()
        self.is_spent |= reservation is None
        return reservation

    async def _send(
        self, question: Question, entry: Entry, prompt: Prompt, held: tuple[Entrance, Reservation]
    ) -> Completion:
        """One request. The gate and the ledger learn how it ended, also when it is cancelled."""
        entrance, reservation = held
        breaker = self._breakers[entry.spec.name]
        completion: Completion | None = None
        try:
            completion = entry.cleaned(
                await entry.client.complete(
                    prompt, total_seconds=self._options.total_seconds, idle_seconds=self._options.idle_seconds
                )
            )
        finally:
            if completion is None:
                breaker.abandon(entrance)
                lost = dropped(prompt)
                self._settle(entry, reservation, Completion(outcome=lost.outcome) if entry.spec.is_local else lost)
                if not entry.spec.is_local:
                    question.keep(entry, lost, is_final=False)
            else:
                breaker.leave(entrance, completion, self._clock())
                self._settle(entry, reservation, completion)
        return completion

    def _settle(self, entry: Entry, reservation: Reservation, completion: Completion) -> None:
        usage = completion.usage
        self._ledger.settle(reservation, usd=cost_of(entry, usage), tokens=tokens_of(usage))
        self._tell_change()

    def _tell_change(self) -> None:
        """Wake whoever waits for money or for a probe."""
        self._change.set()
        self._change = asyncio.Event()

    def _has_other(self, entries: Sequence[Entry]) -> bool:
        now = self._clock()
        return any(not self._breakers[entry.spec.name].is_out(now) for entry in entries)

    def _keep(self, record: CallRecord) -> None:
        self._statistics.setdefault(record.model, ModelStatistics(model=record.model)).add(record)
        self._record(record)

    def _why_unavailable(self) -> str:
        now = self._clock()
        reasons = [
            f"{name}: {breaker.stopped or f'not before {breaker.seconds_left(now):.0f} s from now'}"
            for name, breaker in self._breakers.items()
        ]
        return "; ".join(reasons) or "no model can be used"


Service = ModelService | ReplayService


def open_service(  # noqa: PLR0913 - all that a session knows of its models
    options: ModelOptions,
    *,
    record: Callable[[CallRecord], None],
    environment: Mapping[str, str] | None = None,
    spent: Spent | None = None,
    prices: Mapping[str, Any] | None = None,
    recorded: ReplySource | None = None,
    replay: ReplySource | None = None,
    surroundings: Surroundings | None = None,
) -> Service:
    """The service for a run, from what its user said.

    `record` is called with every new call at once. A resumed run gives what earlier sessions `spent`, their `prices`
    and its own calls as `recorded`. With `replay`, the calls of another run, no client is made and no key is read.

    Raises:
        UsageError: a model string, the file of keys or of models is wrong, or a price is needed and unknown.
    """
    if replay is not None:
        return ReplayService(options.models, replay, record=record, prices=prices)
    mix = open_mix(options, environment=os.environ if environment is None else environment, prices=prices)
    return ModelService(
        mix,
        options,
        ledger=Ledger(usd=options.budget_usd, tokens=options.budget_tokens, spent=spent),
        record=record,
        recorded=recorded,
        surroundings=surroundings,
    )
