"""What the calls of a run amount to, model by model: a fold over their records."""

from dataclasses import asdict, dataclass, field
from typing import Any

from evolve.llm.calls import was_sent
from evolve.llm.contract import Outcome
from evolve.store.records import CallRecord


@dataclass(slots=True, kw_only=True)
class ModelStatistics:
    """Totals of one model. `cost_usd` is what is known; `n_unknown_cost` counts the requests that it lacks.

    `outcomes` also counts questions that were never sent (`no_budget`, `unavailable`); `n_requests` does not.
    """

    model: str
    n_requests: int = 0
    n_unknown_cost: int = 0
    cost_usd: float = 0.0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def n_refused(self) -> int:
        """How often the model declined to answer."""
        return self.outcomes.get(Outcome.REFUSED, 0)

    @property
    def cache_hit_rate(self) -> float:
        """The share of input tokens that the provider read from its cache, in [0, 1]."""
        return self.cached_tokens / self.input_tokens if self.input_tokens else 0.0

    def add(self, record: CallRecord) -> None:
        """Count one record."""
        self.outcomes[str(record.outcome)] = self.outcomes.get(str(record.outcome), 0) + 1
        if not was_sent(record):
            return
        self.n_requests += 1
        self.n_unknown_cost += record.cost_usd is None
        self.cost_usd += record.cost_usd or 0.0
        self.input_tokens += record.input_tokens
        self.cached_tokens += record.cached_tokens
        self.cache_write_tokens += record.cache_write_tokens
        self.output_tokens += record.output_tokens
        self.reasoning_tokens += record.reasoning_tokens
        self.seconds += record.seconds

    def to_json(self) -> dict[str, Any]:
        """JSON data, the derived figures included."""
        return {**asdict(self), "n_refused": self.n_refused, "cache_hit_rate": self.cache_hit_rate}
