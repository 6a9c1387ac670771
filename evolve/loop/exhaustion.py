"""When a search has nothing new left to try."""

from typing import Protocol

from evolve.loop.lessons import ASKED, Lessons
from evolve.store.records import IterationRecord

MOST_ITERATIONS = 2000
"""So many iterations in a row without a new candidate end a search."""

MOST_REPLIED = 100
"""So many in a row that language models answered, for their replies cost money."""

_ANSWERED = frozenset({"ok", "length"})


class Models(Protocol):
    """What is asked of language models here, see `evolve.loop.models.ModelDesk`."""

    @property
    def is_parked(self) -> bool:
        """Whether no model takes a question now, but some will later."""

    def tell_pause(self) -> None:
        """Have it said that nothing goes on before a model does."""


class Exhaustion:
    """Counts the iterations in a row that brought no new candidate.

    Where the operators that need no model find nothing new while all models are parked by their servers, the search
    waits for them: they may still have something to say.
    """

    def __init__(self, lessons: Lessons | None, models: Models | None) -> None:
        self._lessons = lessons
        self._models = models
        self._n_fruitless = 0
        self._n_replied = 0
        self.is_waiting = False

    def note(self, record: IterationRecord) -> None:
        """Count a told iteration. One that learns from models is not meant to bring a candidate."""
        if record.candidates:
            self._n_fruitless = self._n_replied = 0
        elif self._lessons is None or not self._lessons.is_learner(record.operator):
            self._n_fruitless += 1
            self._n_replied += not _ANSWERED.isdisjoint(record.notes.get(ASKED) or ())

    def is_reached(self) -> bool:
        """Whether to end the search now."""
        if self._n_replied >= MOST_REPLIED:
            return True
        if self._n_fruitless < MOST_ITERATIONS:
            return False
        if self._models is not None and self._models.is_parked:
            if not self.is_waiting:
                self._models.tell_pause()
            self.is_waiting = True
            return False
        if self.is_waiting:
            self.is_waiting = False
            self._n_fruitless = 0
            return False
        return True
