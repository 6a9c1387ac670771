"""What a run with language models learns from its own log: insights, instructions, models that are out of order."""

from collections.abc import Mapping, Sequence
from typing import Any

from evolve.operators.contract import Operator
from evolve.selection.insights import InsightLibrary
from evolve.selection.instructions import SHIPPED, InstructionPool

LEARN_EVERY = 12
"""How many iterations of a language model go by before one of them learns instead of writing code."""

FIRST_PAUSE = 8
LONGEST_PAUSE = 1024
OUT_OF_ORDER = frozenset({"unavailable", "auth", "quota", "not_found"})
"""Outcomes after which there is no use in asking the same model soon."""

ASKED = "asked"
"""Key of an iteration's notes: the outcome of every question, in order."""


class Lessons:
    """Everything here is a fold over told iterations and over the plans that were made, so that a resume goes on alike.

    `learners` make no children, so rewards say nothing about them: they take turns, one after every `LEARN_EVERY`
    iterations of a language model.
    """

    def __init__(self, writers: Sequence[Operator], learners: Sequence[Operator]) -> None:
        self.insights = InsightLibrary()
        self.instructions = InstructionPool()
        self._model_of = {each.name: str(getattr(each, "model", "")) for each in (*writers, *learners)}
        self._learners = {each.name: each for each in learners}
        self._writers = tuple(each.name for each in writers)
        self._n_written = 0
        self._n_turns = 0
        self._pauses: dict[str, tuple[int, int]] = {}

    def is_theirs(self, operator: str) -> bool:
        """Whether an operator works by a language model."""
        return operator in self._model_of

    def is_learner(self, operator: str) -> bool:
        """Whether an operator learns and makes no children."""
        return operator in self._learners

    def turn(self, number: int) -> Operator | None:
        """The learner whose turn it is in iteration `number`, if one is due; those whose model is out of order wait."""
        if not self._learners or self._n_written // LEARN_EVERY <= self._n_turns:
            return None
        learners = list(self._learners.values())
        start = self._n_turns % len(learners)
        return next(
            (each for each in learners[start:] + learners[:start] if not self._is_paused(each.name, number)), None
        )

    def start(self, operator: str) -> None:
        """A plan with this operator was made, now or in the log."""
        self._n_turns += operator in self._learners

    def paused(self, number: int) -> frozenset[str]:
        """Operators that iteration `number` should do without, since their model is out of order."""
        return frozenset(name for name in self._writers if self._is_paused(name, number))

    def tell(self, number: int, operator: str, notes: Mapping[str, Any], reward: float) -> None:
        """An iteration was told: take up what it brought, credit what it carried."""
        model = self._model_of.get(operator)
        if model is None:
            return
        outcomes = [str(each) for each in notes.get(ASKED) or ()]
        if outcomes:
            self._note_health(model, number, is_well=any(each not in OUT_OF_ORDER for each in outcomes))
        if isinstance(notes.get("insight"), Mapping):
            self.insights.add(notes["insight"])
        if isinstance(notes.get("instruction"), str):
            self.instructions.add(notes["instruction"])
        if operator in self._learners or "ok" not in outcomes:
            return
        self._n_written += 1
        self.instructions.tell(int(notes.get("instruction_id") or SHIPPED.id), reward)
        self.insights.tell([int(each) for each in notes.get("insight_ids") or ()], reward)

    def _note_health(self, model: str, number: int, *, is_well: bool) -> None:
        """Pause a model that is out of order, twice as long each time; what was in flight together counts once."""
        until, pause = self._pauses.get(model, (0, FIRST_PAUSE))
        if is_well:
            self._pauses.pop(model, None)
        elif number > until:
            self._pauses[model] = number + pause, min(2 * pause, LONGEST_PAUSE)

    def _is_paused(self, operator: str, number: int) -> bool:
        return number <= self._pauses.get(self._model_of[operator], (0, 0))[0]
