"""The end of a run: what is in flight may still land, for a while, for it is paid for."""

import math
from collections.abc import Callable
from typing import Protocol

DRAIN_SECONDS = 10.0
DRAIN_SECONDS_OF_MODELS = 30.0
"""How long a stop waits where replies are paid for: most come within this, and one dropped costs the same."""
SPENT = ("budget_usd", "budget_tokens")
LANDING = ("signal", "request", *SPENT)
"""Reasons to stop after which what is in flight may still land."""


class Models(Protocol):
    """What is asked of language models here, see `evolve.loop.models.ModelDesk`."""

    @property
    def n_in_flight(self) -> int:
        """How many requests that cost money are being answered."""

    def ask_no_more(self) -> None:
        """Send nothing any more."""


class Landing:
    """For how long a run that was ended by `reason` waits, and whether it still tells what lands.

    Where only money ended the run, it waits to the end. After other reasons nothing is asked any more. Where no more
    may be told (the target is reached, say), only replies land: they are on record then, and a resume uses them.
    """

    def __init__(self, reason: str, models: Models | None, clock: Callable[[], float]) -> None:
        self._reason = reason
        self._models = models
        self._clock = clock
        self._deadline = math.inf

    @property
    def tells_on(self) -> bool:
        """Whether what lands is still told; where time ended a run, paid work is."""
        return self._reason in LANDING or (self._reason == "time" and self._models is not None)

    @property
    def is_worthwhile(self) -> bool:
        """Whether to wait at all: replies that are being paid for always may land."""
        return self._reason in LANDING or self._n_paid > 0

    def begin(self) -> None:
        """Ask no more, unless only money is spent: what is in flight may ask to the end then."""
        if self._models is not None and self._reason not in SPENT:
            self._models.ask_no_more()

    def goes_on(self, *, is_asked_to_stop: bool) -> bool:
        """Whether to wait a little longer."""
        if is_asked_to_stop or self._reason not in SPENT:
            patience = DRAIN_SECONDS_OF_MODELS if self._n_paid else DRAIN_SECONDS
            self._deadline = min(self._deadline, self._clock() + patience)
        return self._clock() < self._deadline and (self.tells_on or self._n_paid > 0)

    @property
    def _n_paid(self) -> int:
        return 0 if self._models is None else self._models.n_in_flight
