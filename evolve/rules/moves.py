"""Moves of a search over update rules: typed mutation, literals only, crossover, grafts of known rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from evolve.rules import edits
from evolve.rules.averages import correct_averages, rescale_average
from evolve.rules.draw import Draw, Taste
from evolve.rules.gate import gate
from evolve.rules.graft import graft
from evolve.rules.graph import Call, calls_of, drop_dead_slots, graph_of, program_of
from evolve.rules.language import Language, language_of
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

ATTEMPTS: Final = 20

_EDITS: Final[Mapping[str, edits.Edit]] = {
    "literal": edits.vary_literal,
    "operand": edits.replace_operand,
    "insert": edits.insert_call,
    "bypass": edits.bypass_call,
    "word": edits.change_word,
    "swap": edits.swap_arguments,
    "remember": edits.add_memory,
    "shift": edits.shift_memory,
    "gate": gate,
    "average": rescale_average,
    "correct": correct_averages,
}


@dataclass(frozen=True, kw_only=True)
class MoveSettings:
    """How children are made.

    `weights` are the shares of the edits (those of `_EDITS`, and graft);
    `more_edits` is the chance of one edit more, again and again; `max_operations` bounds a child's calls.
    """

    taste: Taste = field(default_factory=Taste)
    weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "literal": 3.0,
            "operand": 2.0,
            "insert": 2.5,
            "bypass": 2.0,
            "word": 1.0,
            "swap": 0.5,
            "remember": 0.7,
            "shift": 0.7,
            "gate": 2.0,
            "average": 0.7,
            "correct": 0.5,
            "graft": 0.5,
        }
    )
    more_edits: float = 0.35
    max_operations: int = 40


class Moves:
    """Makes children of programs over one stateful vocabulary.

    Children keep the parent's inputs and name and have no dead code: no call that nothing reads, no slot that is
    written and never used.
    """

    def __init__(
        self, vocabulary: Vocabulary, donors: Sequence[Program] = (), settings: MoveSettings | None = None
    ) -> None:
        self.language: Language = language_of(vocabulary)
        self.settings = settings or MoveSettings()
        self._draw = Draw(self.language, self.settings.taste)
        self._donors = tuple(graph_of(donor) for donor in donors)
        names = [name for name in self.settings.weights if name != "graft" or self._donors]
        weights = np.array([self.settings.weights[name] for name in names])
        self._names, self._shares = names, np.cumsum(weights / weights.sum())

    def mutate(self, program: Program, rng: np.random.Generator) -> Program | None:
        """A child that differs by one or a few edits; None when no attempt led to one."""
        for _ in range(ATTEMPTS):
            root = graph_of(program)
            changed = self._edit(root, rng)
            while rng.random() < self.settings.more_edits:
                changed = self._edit(root, rng) or changed
            if changed and (child := self._finished(root, program)) is not None:
                return child
        return None

    def tuned(self, program: Program, rng: np.random.Generator) -> Program | None:
        """A child with other literals only; None when there is none to change."""
        for _ in range(ATTEMPTS):
            root = graph_of(program)
            spread = float(2.0 ** rng.uniform(-7.0, 0.5))
            if not edits.vary_literals(root, self._draw, rng, spread=spread):
                return None
            if (child := self._finished(root, program)) is not None:
                return child
        return None

    def crossed(self, program: Program, other: Program, rng: np.random.Generator) -> Program | None:
        """A child of `program` with a piece of `other`, its slots included."""
        return self._with_piece(program, graph_of(other), rng)

    def grafted(self, program: Program, rng: np.random.Generator) -> Program | None:
        """A child of `program` with a piece of a donor; None without donors."""
        if not self._donors:
            return None
        return self._with_piece(program, self._donors[int(rng.integers(len(self._donors)))], rng)

    def _with_piece(self, program: Program, donor: Call, rng: np.random.Generator) -> Program | None:
        for _ in range(ATTEMPTS):
            root = graph_of(program)
            if graft(root, donor, self._draw, rng) and (child := self._finished(root, program)) is not None:
                return child
        return None

    def _edit(self, root: Call, rng: np.random.Generator) -> bool:
        name = self._names[min(int(np.searchsorted(self._shares, rng.random(), side="right")), len(self._names) - 1)]
        if name == "graft":
            return graft(root, self._donors[int(rng.integers(len(self._donors)))], self._draw, rng)
        return _EDITS[name](root, self._draw, rng)

    def _finished(self, root: Call, parent: Program) -> Program | None:
        """The graph as a program, without dead slots; None when it is too long or the parent itself."""
        drop_dead_slots(root, self.language.state)
        if len(calls_of(root)) - 1 > self.settings.max_operations:
            return None
        child = program_of(root, parent)
        return None if child == program_of(graph_of(parent), parent) else child
