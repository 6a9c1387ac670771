"""The names of a question and of its answer, as the loop knows them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from evolve.llm.contract import Outcome, Usage
from evolve.store.records import CallRecord


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class CallKey:
    """Which question of a run: the iteration, and the place among the iteration's questions, from 0."""

    iteration: int
    ordinal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a question brought. `text` is empty or partial unless the outcome is `ok`.

    `cost` (USD) and `usage` are totals of all requests; `cost` is None if that of one is unknown. `model` is the one
    that answered: another one of the mix than asked, if the first could not.
    """

    outcome: Outcome
    text: str
    cost: float | None
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    n_requests: int = 0


class ReplySource(Protocol):
    """Calls that are on record."""

    def find(self, key: CallKey) -> Sequence[CallRecord]:
        """All records of one question in the order of their attempts; empty if it was never asked."""


def answer_of(records: Sequence[CallRecord]) -> Answer:
    """The answer that the records of one question amount to; the last of them decides."""
    last = records[-1]
    costs = [record.cost_usd for record in records]
    return Answer(
        outcome=Outcome(last.outcome),
        text=last.text,
        cost=None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None),
        usage=Usage(
            input_tokens=sum(record.input_tokens for record in records),
            cached_tokens=sum(record.cached_tokens for record in records),
            cache_write_tokens=sum(record.cache_write_tokens for record in records),
            output_tokens=sum(record.output_tokens for record in records),
            reasoning_tokens=sum(record.reasoning_tokens for record in records),
            is_estimated=any(record.is_estimated for record in records),
        ),
        model=last.model,
        n_requests=sum(was_sent(record) for record in records),
    )


def was_sent(record: CallRecord) -> bool:
    """Whether a request left this machine: a question without one is on record too, so that it can be replayed."""
    return record.outcome not in (Outcome.NO_BUDGET, Outcome.UNAVAILABLE)
