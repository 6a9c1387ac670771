"""The language models of a session: what the loop asks, what was spent, and every call on disk at once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from evolve.config.problem import Problem
from evolve.errors import ModelUnusableError
from evolve.llm.calls import Answer, CallKey, ReplySource
from evolve.llm.contract import Prompt
from evolve.llm.money import Spent
from evolve.llm.service import ModelOptions, Service, Surroundings, open_service
from evolve.loop.events import RunOptions
from evolve.store import CallRecord, CallTotals, RunReader, RunWriter

LONG_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class LoggedReplies:
    """The calls in a run's log, for a resume or a replay."""

    reader: RunReader

    def find(self, key: CallKey) -> Sequence[CallRecord]:
        """All records of one question, oldest first."""
        return self.reader.reply(key.iteration, key.ordinal)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCalls:
    """What earlier sessions of this run leave to its models, or another run to its replay."""

    totals: CallTotals = field(default_factory=CallTotals)
    prices: Mapping[str, Any] | None = None
    recorded: ReplySource | None = None
    replay: ReplySource | None = None


class ModelDesk:
    """Asks for the loop. `attach` it to the run's writer before the first question."""

    def __init__(
        self, problem: Problem, options: RunOptions, past: PastCalls, around: Surroundings | None = None
    ) -> None:
        table = problem.tables.llm
        self.totals = past.totals
        self.usd_per_second = table.usd_per_second
        self._options = options
        self._keeps_prompts = table.keep_prompts
        self._writer: RunWriter | None = None
        self._prompts: dict[tuple[int, int], Prompt] = {}
        self._told: set[str] = set()
        self._pauses: list[str] = []
        self.service: Service = open_service(
            ModelOptions(
                models=options.models,
                base_url=options.base_url,
                budget_usd=options.budget_usd,
                budget_tokens=options.budget_tokens,
                total_seconds=table.reply_seconds,
                idle_seconds=table.idle_seconds,
                rng_seed=options.rng_seed,
            ),
            record=self._record,
            spent=Spent(usd=past.totals.cost_usd, tokens=past.totals.tokens),
            prices=past.prices,
            recorded=past.recorded,
            replay=past.replay,
            surroundings=around,
        )

    def attach(self, writer: RunWriter) -> None:
        """Say where calls are recorded."""
        self._writer = writer

    async def ask(self, key: CallKey, model: str, prompt: Prompt, purpose: str) -> Answer:
        """The answer to one question; see `evolve.llm.service.ModelService`."""
        if not self._options.symbolic:
            await self._wait_until_open()
        place = (key.iteration, key.ordinal)
        self._prompts[place] = prompt
        try:
            return await self.service.ask(key, model, prompt, purpose)
        finally:
            del self._prompts[place]

    async def _wait_until_open(self) -> None:
        """Wait for a model that its server has parked, where nobody else could go on meanwhile."""
        if self.is_parked:
            seconds = self.service.seconds_left
            if seconds > LONG_SECONDS:
                self.tell_pause()
            await self.service.pause(seconds)

    def tell_pause(self) -> None:
        """Have it said that nothing goes on before a model does."""
        self._pauses.append(f"all language models asked for a pause: waiting {self.service.seconds_left:.0f} s")

    def _record(self, call: CallRecord) -> None:
        assert self._writer is not None, "the desk is attached before anything is asked"
        prompt = self._prompts.get((call.iteration, call.ordinal)) if self._keeps_prompts else None
        self._writer.record_call(call, prompt=None if prompt is None else asdict(prompt))
        self.totals = self.totals.plus(call)

    def spent_budget(self) -> str | None:
        """Which budget has no room for another question: `budget_usd`, `budget_tokens`, or None."""
        if not self.service.is_spent:
            return None
        usd, tokens = self._options.budget_usd, self._options.budget_tokens
        shares = {
            "budget_usd": -1.0 if usd is None else self.service.spent.usd / usd,
            "budget_tokens": -1.0 if tokens is None else self.service.spent.tokens / tokens,
        }
        return max(shares, key=lambda name: shares[name])

    @property
    def is_dead(self) -> bool:
        """Whether no model can answer any more in this session."""
        return self.service.is_dead

    @property
    def is_parked(self) -> bool:
        """Whether no model takes a question now, but some will later."""
        return 0.0 < self.service.seconds_left < math.inf

    @property
    def n_in_flight(self) -> int:
        """How many requests that cost money are being answered."""
        return self.service.n_in_flight

    def ask_no_more(self) -> None:
        """Send nothing any more, but let what is in flight land: it is on record then, and a resume uses it."""
        self.service.ask_no_more()

    def reasons(self) -> str:
        """Why models cannot be used, one after the other."""
        return "; ".join(f"{name}: {why}" for name, why in self._silent().items())

    def news(self) -> list[str]:
        """Warnings that nobody has heard yet: models that cannot be used, and a long pause of all."""
        fresh = {name: why for name, why in self._silent().items() if name not in self._told}
        self._told.update(fresh)
        pauses, self._pauses = self._pauses[:1], []
        return [*(f"the language model {name} cannot be used: {why}" for name, why in fresh.items()), *pauses]

    def _silent(self) -> dict[str, str]:
        return {**self.service.unusable, **self.service.stopped}

    def require_alive(self) -> None:
        """Refuse to go on where nothing but models could make candidates, and none can be used.

        Raises:
            ModelUnusableError: that is so.
        """
        if self.is_dead:
            raise ModelUnusableError(
                f"no language model can be used: {self.reasons()}",
                hint="`evolve models --test` tries them; without --no-symbolic a run goes on without any",
            )

    async def close(self) -> None:
        """Give back connections."""
        await self.service.close()
