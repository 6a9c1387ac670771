"""A run repeated from the record of another: no network, no key, no money."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evolve.errors import UsageError
from evolve.llm.calls import Answer, CallKey, ReplySource, answer_of
from evolve.llm.contract import Prompt
from evolve.llm.money import Spent
from evolve.llm.statistics import ModelStatistics
from evolve.store.records import CallRecord


class ReplayError(UsageError):
    """A run cannot be repeated: it asks what the other run never asked."""


class ReplayService:
    """Stands where a `ModelService` stands, and answers what another run was answered. Every record used is kept."""

    is_dead = False
    is_spent = False
    seconds_left = 0.0
    n_in_flight = 0

    def __init__(
        self,
        names: Sequence[str],
        source: ReplySource,
        *,
        record: Callable[[CallRecord], None],
        prices: Mapping[str, Any] | None = None,
    ) -> None:
        self.names = tuple(names)
        self.unusable: Mapping[str, str] = {}
        self.stopped: Mapping[str, str] = {}
        self.prices = dict(prices or {})
        self.spent = Spent()
        self._source = source
        self._record = record
        self._statistics: dict[str, ModelStatistics] = {}

    def statistics(self) -> dict[str, ModelStatistics]:
        """The totals of each model, as far as they were repeated."""
        return self._statistics

    async def ask(self, key: CallKey, model: str, prompt: Prompt, purpose: str) -> Answer:
        """The answer on record.

        Raises:
            ReplayError: there is none, or it answered another prompt.
        """
        del model
        records = self._source.find(key)
        place = f"question {key.ordinal} of iteration {key.iteration} ({purpose})"
        if not records or not records[-1].is_final:
            raise ReplayError(
                f"{place} has no reply on record",
                hint="a replay needs the same problem, seed, window and models, and a run that got as far",
            )
        asked, known = prompt.hash(), records[-1].prompt_hash
        if asked != known:
            raise ReplayError(
                f"{place} differs from the one on record: prompt {asked}, expected {known}",
                hint="the problem, its prompts, the options or the version of evolve are not those of the recorded run",
            )
        for record in records:
            self._statistics.setdefault(record.model, ModelStatistics(model=record.model)).add(record)
            self._record(record)
        return answer_of(records)

    def ask_no_more(self) -> None:
        """There is nothing to stop: no question costs anything."""

    async def pause(self, seconds: float) -> None:
        """There is nobody to wait for."""

    async def close(self) -> None:
        """Nothing is open."""
