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
    NEXT_MODEL = "another model"
    TOO_DEAR = "another model, for this one cannot be paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """All figures of the policy.

    `max_requests` is how often one question asks one model at most when its last request ended in that way; once for
    what is not listed. Back-off is drawn from 0 to `base_seconds` doubled with each request, up to `most_seconds`. A
    server that asks for more than `retry_after_seconds` parks its model until then, but for `most_parked_seconds` at
    most: then it is asked again, whatever it said. A question that finds every model parked waits for
    `patience_seconds` at most. The rest is the circuit breaker's: see `evolve.llm.breaker`.
    """

    max_requests: Mapping[Outcome, int] = field(default_factory=lambda: MAX_REQUESTS)
    base_seconds: float = 1.0
    most_seconds: float = 60.0
    retry_after_seconds: float = 120.0
    most_parked_seconds: float = 3600.0
    patience_seconds: float = 60.0
    n_faults: int = 5
    open_seconds: float = 15.0
    n_probes: int = 7

    def backoff(self, n_requests: int, rng: random.Random) -> float:
        """Seconds to wait after the n-th failed request (from 1): full jitter, lest all clients come back at once."""
        return rng.uniform(0.0, min(self.most_seconds, self.base_seconds * 2.0 ** (n_requests - 1)))


def next_step(completion: Completion, n_requests: int, policy: RetryPolicy) -> Next:
    """What to do after the n-th request of one question to one model."""
    outcome = completion.outcome
    if outcome in (Outcome.OK, Outcome.LENGTH):
        return Next.DONE  # what to do with half a reply is for whoever asked
    if (completion.retry_after_seconds or 0.0) > policy.retry_after_seconds:
        return Next.NEXT_MODEL
    return Next.AGAIN if n_requests < policy.max_requests.get(outcome, 1) else Next.NEXT_MODEL
