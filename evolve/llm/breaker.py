"""The gate in front of one model at one address: open, paused, parked, tried again after faults, or closed for good."""

from dataclasses import dataclass

from evolve.llm.contract import Completion, Outcome
from evolve.llm.policy import FAULTS, STOPPING, RetryPolicy


@dataclass(frozen=True, slots=True)
class Entrance:
    """The right to send one request. A probe is the one request that finds out whether a model has come back."""

    is_probe: bool = False


class Breaker:
    """Decides whether a request may go to a model now; times are seconds of any clock that does not go back.

    After `n_faults` faults in a row nothing is sent for `open_seconds`, then one probe; each failed probe doubles the
    time, and after `n_probes` of them the model is stopped for the session. A model that could not be reached even once
    is stopped when the breaker first opens: that is a wrong address, not a bad day.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._n_faults = 0
        self._n_probes = 0
        self._was_reached = False
        self.is_probing = False
        self._paused_until = 0.0
        self._parked_until = 0.0
        self.stopped = ""

    def try_enter(self, now: float) -> Entrance | None:
        """The right to send a request, or None. Give it back with `leave` or `abandon`."""
        if self.stopped or now < max(self._paused_until, self._parked_until) or self.is_probing:
            return None
        self.is_probing = self._n_faults >= self._policy.n_faults
        return Entrance(is_probe=self.is_probing)

    def seconds_left(self, now: float) -> float:
        """How long nothing can be sent for sure. Zero while a probe is in flight, which may end at any moment."""
        return max(self._paused_until - now, self._parked_until - now, 0.0)

    def is_out(self, now: float) -> bool:
        """Whether another model should be asked instead: stopped, parked or ill, but not for a short pause."""
        return bool(self.stopped) or now < self._parked_until or self.is_probing

    def abandon(self, entrance: Entrance) -> None:
        """Give back the right without a result: the request was not sent or was dropped."""
        if entrance.is_probe:
            self.is_probing = False

    def leave(self, entrance: Entrance, completion: Completion, now: float) -> None:
        """Learn from how a request ended."""
        self.abandon(entrance)
        if completion.outcome in STOPPING:
            self.stopped = self.stopped or _reason(completion)
        elif completion.outcome in FAULTS:
            # An answer that broke off in its middle has cost tokens: somebody was there.
            self._was_reached |= completion.outcome is not Outcome.TRANSPORT or completion.usage.input_tokens > 0
            self._count_fault(entrance, completion, now)
        else:
            self._was_reached = True
            self._n_faults = self._n_probes = 0
        self._respect(completion.retry_after_seconds, now)

    def _count_fault(self, entrance: Entrance, completion: Completion, now: float) -> None:
        was_open = self._n_faults >= self._policy.n_faults
        self._n_faults += 1
        if self._n_faults < self._policy.n_faults or (was_open and not entrance.is_probe):
            return
        self._n_probes += was_open
        if self._n_probes >= self._policy.n_probes or not self._was_reached:
            self.stopped = f"{self._n_faults} faults in a row, the last: {_reason(completion)}"
        self._parked_until = max(self._parked_until, now + self._policy.open_seconds * 2.0**self._n_probes)

    def _respect(self, seconds: float | None, now: float) -> None:
        if seconds is None:
            return
        if seconds > self._policy.retry_after_seconds:
            self._parked_until = max(self._parked_until, now + min(seconds, self._policy.most_parked_seconds))
        else:
            self._paused_until = max(self._paused_until, now + seconds)


def _reason(completion: Completion) -> str:
    return f"{completion.outcome}: {completion.detail}" if completion.detail else str(completion.outcome)
