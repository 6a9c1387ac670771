"""What to do after each way in which a request can end: take it, ask again, ask another model."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from evolve.llm.contract import Completion, Outcome

STOPPING = frozenset({Outcome.QUOTA, Outcome.AUTH, Outcome.NOT_FOUND})
"""After these a model is not asked again in a session: waiting does not heal them."""

FAULTS = frozenset({Outcome.OVERLOADED, Outcome.TIMEOUT, Outcome.TRANSPORT, Outcome.PROTOCOL})
"""These tell that the server is ill. A rate limit does not: a server that says 429 is well."""

MAX_REQUESTS: Mapping[Outcome, int] = MappingProxyType(
    {
        Outcome.RATE_LIMITED: 5,
        Outcome.OVERLOADED: 4,
        Outcome.TRANSPORT: 4,
        Outcome.PROTOCOL: 3,
        Outcome.TIMEOUT: 2,
        Outcome.CUT: 2,
        Outcome.EMPTY: 2,
    }
)


class Next(Enum):
    """The next step of a question."""

    DONE = "done"
    AGAIN = "again"
    AGAIN_LONGER = "again, with more tokens to answer"
    NEXT_MODEL = "another model"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """All figures of the policy.

    `max_requests` is how often one question asks one model at most when its last request ended in that way; once for
    what is not listed. Back-off is drawn from 0 to `base_seconds` doubled with each request, up to `most_seconds`. A
    server that asks for more than `retry_after_seconds` parks its model until then. A question that finds every model
    parked waits for `patience_seconds` at most. A model that was cut at its limit of output tokens gets twice as many
    once, up to `most_output_tokens`. The rest is the circuit breaker's: see `evolve.llm.breaker`.
    """

    max_requests: Mapping[Outcome, int] = field(default_factory=lambda: MAX_REQUESTS)
    base_seconds: float = 1.0
    most_seconds: float = 60.0
    retry_after_seconds: float = 120.0
    patience_seconds: float = 60.0
    most_output_tokens: int = 32768
    n_faults: int = 5
    open_seconds: float = 15.0
    n_probes: int = 7

    def backoff(self, n_requests: int, rng: random.Random) -> float:
        """Seconds to wait after the n-th failed request (from 1): full jitter, lest all clients come back at once."""
        return rng.uniform(0.0, min(self.most_seconds, self.base_seconds * 2.0 ** (n_requests - 1)))


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one question has tried with one model."""

    max_output_tokens: int
    n_requests: int = 0
    was_lengthened: bool = False


def next_step(completion: Completion, tally: Tally, policy: RetryPolicy) -> Next:
    """What to do after a request; `tally` counts it already."""
    outcome = completion.outcome
    if outcome is Outcome.OK:
        return Next.DONE
    if outcome is Outcome.LENGTH:
        longer = not tally.was_lengthened and tally.max_output_tokens < policy.most_output_tokens
        return Next.AGAIN_LONGER if longer else Next.DONE
    if (completion.retry_after_seconds or 0.0) > policy.retry_after_seconds:
        return Next.NEXT_MODEL
    return Next.AGAIN if tally.n_requests < policy.max_requests.get(outcome, 1) else Next.NEXT_MODEL


def lengthened(max_output_tokens: int, policy: RetryPolicy) -> int:
    """How many tokens a model that was cut gets instead."""
    return max(max_output_tokens, min(2 * max_output_tokens, policy.most_output_tokens))
