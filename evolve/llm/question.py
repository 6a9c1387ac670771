"""One question on its way: its records so far, and the making of the next one."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from evolve.llm.calls import CallKey
from evolve.llm.contract import Completion, Outcome, Prompt, Usage
from evolve.llm.mix import Entry
from evolve.store.records import CallRecord


@dataclass(slots=True, kw_only=True)
class Question:
    """A prompt under its key. Every record goes to `record` at once, so that no money spent is ever forgotten."""

    key: CallKey
    prompt: Prompt
    purpose: str
    prompt_hash: str
    record: Callable[[CallRecord], None]
    records: list[CallRecord] = field(default_factory=list)
    n_sent: int = 0

    def keep(self, entry: Entry, completion: Completion, *, is_final: bool) -> None:
        """Put a request and what it brought on record."""
        self.n_sent += 1
        usage = completion.usage
        self._write(
            replace(
                self._blank(entry.spec.name, completion.outcome),
                provider=entry.spec.provider.name,
                text=completion.text,
                detail=completion.detail,
                input_tokens=usage.input_tokens,
                cached_tokens=usage.cached_tokens,
                cache_write_tokens=usage.cache_write_tokens,
                output_tokens=usage.output_tokens,
                reasoning_tokens=usage.reasoning_tokens,
                is_estimated=usage.is_estimated,
                cost_usd=cost_of(entry, usage),
                seconds=completion.seconds,
                request_id=completion.request_id,
                model_reported=completion.model_reported,
                is_final=is_final,
            )
        )

    def give_up(self, model: str, outcome: Outcome, detail: str) -> None:
        """Put on record that nothing more was sent: a replay has to find this answer too."""
        self._write(replace(self._blank(model, outcome), detail=detail, is_final=True))

    def _blank(self, model: str, outcome: Outcome) -> CallRecord:
        return CallRecord(
            iteration=self.key.iteration,
            ordinal=self.key.ordinal,
            attempt=self.records[-1].attempt + 1 if self.records else 0,
            purpose=self.purpose,
            model=model,
            prompt_hash=self.prompt_hash,
            outcome=str(outcome),
            cost_usd=0.0,
        )

    def _write(self, record: CallRecord) -> None:
        self.records.append(record)
        self.record(record)


def cost_of(entry: Entry, usage: Usage) -> float | None:
    """USD for one request, None where the price is unknown."""
    return None if entry.price is None else entry.price.cost(usage)


def dropped(prompt: Prompt, seconds: float) -> Completion:
    """What stands for a request that was given up half-way: nobody knows its tokens, so it counts in full."""
    return Completion(
        outcome=Outcome.CUT,
        detail="dropped by us while it was answered; counted as if the answer had had its full length",
        usage=Usage(input_tokens=prompt.estimated_tokens(), output_tokens=prompt.max_output_tokens, is_estimated=True),
        seconds=seconds,
    )
