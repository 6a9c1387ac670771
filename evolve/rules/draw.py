"""Random pieces of update rules: operands and calls of a wanted type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from evolve.rules.graph import Call, Operand, calls_of
from evolve.rules.language import Language, is_real
from evolve.rules.literals import STEP_NUMBER, drawn

_WEIGHT_OF_INPUT = {"g": 3.0, "w": 0.15, "h": 1.0, "f": 0.3, "lr": 0.1, "t": 0.3}
_WEIGHT_OF_WORD = {"ema": 4.0, "sign": 2.0, "debias": 2.0, "square": 1.5, "sqrt": 1.5, "agree": 2.0}


@dataclass(frozen=True)
class Taste:
    """What random pieces are made of.

    `inputs` are the inputs that new calls may read (slots aside); a word's weight is its share of new calls
    (1 where none is given, 0 for never).
    """

    inputs: frozenset[str] = frozenset({"w", "g", "t"})
    weight_of_word: Mapping[str, float] = field(default_factory=lambda: dict(_WEIGHT_OF_WORD))
    literal_share: float = 0.8
    fresh_share: float = 0.25


class Draw:
    """Draws operands and calls; knows the vocabulary and the taste, holds no state."""

    def __init__(self, language: Language, taste: Taste) -> None:
        self.language = language
        self.taste = taste
        self._words = {
            type_: self._shares(positions, taste.weight_of_word) for type_, positions in language.by_result.items()
        }
        self._step_number = language.register("t")

    def _shares(
        self, positions: Sequence[int], weight_of_word: Mapping[str, float]
    ) -> tuple[tuple[int, ...], np.ndarray]:
        """Words and their cumulative shares; overloads of one name share its weight."""
        written = [self.language.functions[k].symbol or self.language.names[k] for k in positions]
        weights = [
            weight_of_word.get(self.language.names[k], weight_of_word.get(name, 1.0)) / written.count(name)
            for k, name in zip(positions, written, strict=True)
        ]
        return tuple(positions), np.cumsum(weights) / max(sum(weights), 1e-300)

    def word(self, type_: str, rng: np.random.Generator) -> int | None:
        """A word that answers the type."""
        if type_ not in self._words:
            return None
        positions, shares = self._words[type_]
        return _drawn(positions, shares, rng)

    def chosen(self, positions: Sequence[int], rng: np.random.Generator) -> int:
        """One of these words."""
        return _drawn(*self._shares(positions, self.taste.weight_of_word), rng)

    def argument(
        self, root: Call, reader: Call, where: tuple[int, int], rng: np.random.Generator, *, depth: int = 0
    ) -> Operand | None:
        """Something for argument `where[1]` of the word `where[0]`, which does not depend on `reader`.

        `reader` is the call of the graph below `root` that will read it, directly or through new calls.
        """
        position, place = where
        type_ = self.language.functions[position].argument_types[place]
        word = self.language.names[position]
        if (word, place) in STEP_NUMBER and self._step_number >= 0:
            return self._step_number
        if is_real(type_) and rng.random() < self.taste.literal_share:
            return drawn(word, place, rng)
        if depth < 2 and rng.random() < self.taste.fresh_share:
            fresh = self.call(root, reader, type_, rng, depth=depth + 1)
            if fresh is not None:
                return fresh
        known, weights = self._known(root, reader, type_)
        if not known:
            return drawn(word, place, rng) if is_real(type_) else None
        total = np.cumsum(weights)
        return known[int(np.searchsorted(total, rng.random() * total[-1], side="right"))]

    def call(self, root: Call, reader: Call, type_: str, rng: np.random.Generator, *, depth: int = 0) -> Call | None:
        """A new call that answers the type; what it reads does not depend on `reader`."""
        position = self.word(type_, rng)
        if position is None:
            return None
        call = Call(position, [])
        for place in range(len(self.language.functions[position].argument_types)):
            operand = self.argument(root, reader, (position, place), rng, depth=depth)
            if operand is None:
                return None
            call.arguments.append(operand)
        return call

    def _known(self, root: Call, reader: Call, type_: str) -> tuple[list[Operand], list[float]]:
        """Inputs, slots in use and calls of the type, with weights; none of them needs `reader`."""
        language = self.language
        known: list[Operand] = []
        weights: list[float] = []
        for register, input_type in enumerate(language.input_types):
            name = language.inputs[register]
            if input_type == type_ and name in self.taste.inputs:
                known.append(register)
                weights.append(_WEIGHT_OF_INPUT.get(name, 1.0))
        for k, register in enumerate(language.state):
            if language.input_types[register] == type_ and root.arguments[1 + k] != register:
                known.append(register)
                weights.append(1.5)
        needs_reader: set[Call] = {reader}
        for call in calls_of(root):
            if call in needs_reader or any(isinstance(a, Call) and a in needs_reader for a in call.arguments):
                needs_reader.add(call)
            elif call is not root and language.functions[call.function].result_type == type_:
                known.append(call)
                weights.append(1.0)
        return known, weights


def _drawn(positions: Sequence[int], shares: np.ndarray, rng: np.random.Generator) -> int:
    """One of the positions, by cumulative shares."""
    return positions[min(int(np.searchsorted(shares, rng.random(), side="right")), len(positions) - 1)]
