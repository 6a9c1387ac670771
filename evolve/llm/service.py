"""What the loop asks: answers from the record or from the models of the mix, under a budget and a retry policy."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evolve.llm.calls import Answer, CallKey, ReplySource, answer_of, was_sent
from evolve.llm.contract import Outcome, Prompt
from evolve.llm.mix import Entry, Mix, ModelOptions, open_mix
from evolve.llm.money import Ledger, Spent
from evolve.llm.policy import Next, next_step
from evolve.llm.question import Question
from evolve.llm.replay import ReplayError, ReplayService
from evolve.llm.sending import NoMoreQuestionsError, Sender, Surroundings, TooDearError
from evolve.llm.statistics import ModelStatistics
from evolve.store.records import CallRecord

__all__ = [
    "ModelOptions",
    "ModelService",
    "NoMoreQuestionsError",
    "ReplayError",
    "ReplayService",
    "Service",
    "Surroundings",
    "open_service",
]


class ModelService:
    """Asks the models of a mix. Make one with `open_service`, close it with `close`.

    `is_spent` says that a question could not be paid with any model.
    """

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
        self._record = record
        self._recorded = recorded
        around = surroundings or Surroundings()
        self._policy = around.policy
        self._sender = Sender(mix.entries, options, ledger, around)
        self._statistics: dict[str, ModelStatistics] = {}
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
        return self._sender.stopped

    @property
    def is_dead(self) -> bool:
        """Whether no model is left that could answer in this session."""
        return self._sender.is_dead

    @property
    def seconds_left(self) -> float:
        """How long no model will take a question: 0 if one does now, infinite if none ever will."""
        return self._sender.seconds_left

    @property
    def n_in_flight(self) -> int:
        """How many requests servers answer just now."""
        return self._sender.n_in_flight

    @property
    def prices(self) -> dict[str, Any]:
        """The prices that costs are computed with, as JSON data; null for a model whose price is unknown."""
        return {entry.spec.name: None if entry.price is None else entry.price.to_json() for entry in self._mix.entries}

    @property
    def spent(self) -> Spent:
        """Totals of the run, earlier sessions included."""
        return self._sender.ledger.spent

    def statistics(self) -> dict[str, ModelStatistics]:
        """The totals of each model in this session."""
        return self._statistics

    async def ask(self, key: CallKey, model: str, prompt: Prompt, purpose: str) -> Answer:
        """The answer to a question: from the record of this run if it is there, else from a model.

        What providers do is an outcome of the answer. May be cancelled: a request in flight is then put on record and
        charged as if it had been answered in full.

        Raises:
            NoMoreQuestionsError: the session is about to end, and a request would have to be sent.
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

    def ask_no_more(self) -> None:
        """Let what is in flight land, but send nothing any more: a question then ends in `NoMoreQuestionsError`."""
        self._sender.ask_no_more()

    async def pause(self, seconds: float) -> None:
        """Wait for models to come back, but not beyond the end.

        Raises:
            NoMoreQuestionsError: the session is about to end.
        """
        await self._sender.pause(seconds)

    async def close(self) -> None:
        """Close every client."""
        for entry in self._mix.entries:
            await entry.client.close()

    async def _answer(self, question: Question, model: str) -> None:
        """Go through the mix until the question has its final record."""
        order = sorted(self._mix.entries, key=lambda entry: entry.spec.name != model)
        patience = self._policy.patience_seconds
        while True:
            steps = set()
            for place, entry in enumerate(order):
                steps.add(step := await self._with_model(question, entry, order[place + 1 :]))
                if step is Next.DONE:
                    return
            if Next.TOO_DEAR in steps and Next.NEXT_MODEL not in steps:
                self.is_spent = True
                question.give_up(model, Outcome.NO_BUDGET, "the request could have cost more than is left")
                return
            wait = self.seconds_left
            if question.n_sent or wait > patience:
                question.give_up(model, Outcome.UNAVAILABLE, self._sender.why_unavailable())
                return
            patience -= wait
            await self._sender.wait(wait)

    async def _with_model(self, question: Question, entry: Entry, others: Sequence[Entry]) -> Next | None:
        """Ask one model as often as the policy allows: `DONE` after the final record, None if it could not be asked."""
        sender, prompt, n_requests = self._sender, question.prompt, 0
        try:
            while (held := await sender.admitted(entry, prompt)) is not None:
                completion = await sender.send(question, entry, held)
                n_requests += 1
                step = next_step(completion, n_requests, self._policy)
                has_other = any(sender.could_take(prompt, other) for other in others)
                is_final = step is Next.DONE or (step is Next.NEXT_MODEL and not has_other)
                question.keep(entry, completion, is_final=is_final)
                if step is not Next.AGAIN:
                    return Next.DONE if is_final else step
                await sender.back_off(n_requests)
        except TooDearError:
            return Next.TOO_DEAR
        return Next.NEXT_MODEL if n_requests else None

    def _keep(self, record: CallRecord) -> None:
        self._statistics.setdefault(record.model, ModelStatistics(model=record.model)).add(record)
        self._record(record)


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
