"""The way of one request to one model: through its gate, with money set aside, and back with what it took."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evolve.llm.breaker import Breaker, Entrance
from evolve.llm.contract import Completion, Prompt
from evolve.llm.mix import Entry, ModelOptions
from evolve.llm.money import Ledger, Reservation, most_tokens, most_usd, tokens_of
from evolve.llm.policy import RetryPolicy
from evolve.llm.question import Question, cost_of, dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Patience, time and chance, as arguments."""

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    rng: random.Random = field(default_factory=random.SystemRandom)


class NoMoreQuestionsError(Exception):
    """A request was to be sent after `ask_no_more`; the question has no final record, so that a resume asks it."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a request needs: the right to be sent, and what was set aside for it."""

    entrance: Entrance
    reservation: Reservation


class TooDearError(Exception):
    """A request could cost more than is left."""


class Sender:
    """Knows which models take a request now, and what may still be spent. `n_in_flight` counts requests to servers."""

    def __init__(self, entries: Sequence[Entry], options: ModelOptions, ledger: Ledger, around: Surroundings) -> None:
        self.ledger = ledger
        self.n_in_flight = 0
        self._options = options
        self._policy = around.policy
        self._clock, self._sleep, self._rng = around.clock, around.sleep, around.rng
        self._breakers = {entry.spec.name: Breaker(self._policy) for entry in entries}
        self._change = asyncio.Event()
        self._end = asyncio.Event()

    @property
    def stopped(self) -> Mapping[str, str]:
        """Models that are not asked again in this session, and why."""
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

    def ask_no_more(self) -> None:
        """Let what is in flight land, but send nothing any more."""
        self._end.set()

    def could_take(self, prompt: Prompt, entry: Entry) -> bool:
        """Whether a model is not out of order, and could be paid if nothing were in flight."""
        is_out = self._breakers[entry.spec.name].is_out(self._clock())
        return not is_out and self.ledger.has_room(**_most(entry, prompt))

    async def admitted(self, entry: Entry, prompt: Prompt) -> Pass | None:
        """The pass for one request, after a short pause of the model if need be; None if it is out of order.

        Raises:
            TooDearError: the request cannot be paid.
            NoMoreQuestionsError: the session is about to end.
        """
        entrance = await self._enter(entry)
        return None if entrance is None else Pass(entrance, await self._reserve(entry, prompt, entrance))

    async def _enter(self, entry: Entry) -> Entrance | None:
        breaker = self._breakers[entry.spec.name]
        self._require_open()
        while (entrance := breaker.try_enter(self._clock())) is None:
            if breaker.is_out(self._clock()):
                return None
            await self.pause(breaker.seconds_left(self._clock()) + self._policy.backoff(1, self._rng))
        return entrance

    def _require_open(self) -> None:
        if self._end.is_set():
            raise NoMoreQuestionsError

    async def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end.

        Raises:
            NoMoreQuestionsError: the session is about to end.
        """
        slept, end = asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._end.wait())
        try:
            await asyncio.wait({slept, end}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            slept.cancel()
            end.cancel()
        self._require_open()

    async def _reserve(self, entry: Entry, prompt: Prompt, entrance: Entrance) -> Reservation:
        """Set money and tokens aside; what does not fit waits for what is in flight, as that takes less in the end.

        Where it does not come to a request, be it for a cancellation, the entrance is given back: a probe that is
        never sent would keep everybody waiting.
        """
        reservation: Reservation | None = None
        try:
            while (reservation := self.ledger.reserve(**_most(entry, prompt))) is None:
                if not self.ledger.n_open:
                    raise TooDearError
                await self._change.wait()
                self._require_open()
        finally:
            if reservation is None:
                self._breakers[entry.spec.name].abandon(entrance)
                self._tell_change()
        return reservation

    async def send(self, question: Question, entry: Entry, held: Pass) -> Completion:
        """One request. The gate and the ledger learn how it ended, also when it is cancelled."""
        breaker = self._breakers[entry.spec.name]
        completion: Completion | None = None
        started = self._clock()
        self.n_in_flight += not entry.spec.is_local
        try:
            completion = await self._completed(entry, question.prompt)
        finally:
            self.n_in_flight -= not entry.spec.is_local
            if completion is None:
                breaker.abandon(held.entrance)
                lost = dropped(question.prompt, self._clock() - started)
                self._settle(entry, held, Completion(outcome=lost.outcome) if entry.spec.is_local else lost)
                if not entry.spec.is_local:
                    question.keep(entry, lost, is_final=False)
            else:
                breaker.leave(held.entrance, completion, self._clock())
                self._settle(entry, held, completion)
        return completion

    async def _completed(self, entry: Entry, prompt: Prompt) -> Completion:
        total, idle = self._options.total_seconds, self._options.idle_seconds
        return entry.cleaned(await entry.client.complete(prompt, total_seconds=total, idle_seconds=idle))

    async def back_off(self, n_requests: int) -> None:
        """Wait after the n-th failed request."""
        await self.pause(self._policy.backoff(n_requests, self._rng))

    async def wait(self, seconds: float) -> None:
        """Wait until a model may take a question: for so long, or until a probe tells."""
        is_probing = any(breaker.is_probing for breaker in self._breakers.values())
        await (self._change.wait() if seconds <= 0.0 and is_probing else self.pause(seconds))

    def why_unavailable(self) -> str:
        """What is the matter with each model."""
        now = self._clock()
        reasons = [
            f"{name}: {breaker.stopped or f'not before {breaker.seconds_left(now):.0f} s from now'}"
            for name, breaker in self._breakers.items()
        ]
        return "; ".join(reasons) or "no model can be used"

    def _settle(self, entry: Entry, held: Pass, completion: Completion) -> None:
        usage = completion.usage
        self.ledger.settle(held.reservation, usd=cost_of(entry, usage), tokens=tokens_of(usage))
        self._tell_change()

    def _tell_change(self) -> None:
        """Wake whoever waits for money or for a probe."""
        self._change.set()
        self._change = asyncio.Event()


def _most(entry: Entry, prompt: Prompt) -> dict[str, Any]:
    """The most that a request can take of the budgets."""
    return {"usd": most_usd(prompt, entry.price), "tokens": sum(most_tokens(prompt))}
