"""What a search over update rules needs to know about its vocabulary: inputs, state, words by type."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from evolve.rules.literals import STEP_NUMBER
from sandbox.symbolic.vocabulary import REAL, Function, Vocabulary


@dataclass(frozen=True)
class Language:
    """A stateful vocabulary, prepared for search.

    `state` are the registers of the slots, in the order in which the last word of a program, the comma at position
    `step`, takes their new values after the update.
    """

    vocabulary: Vocabulary
    inputs: tuple[str, ...]
    input_types: tuple[str, ...]
    state: tuple[int, ...]
    step: int

    @property
    def functions(self) -> tuple[Function, ...]:
        """All words, by position."""
        return self.vocabulary.functions

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of every word, by position."""
        return tuple(function.name for function in self.functions)

    @cached_property
    def positions(self) -> Mapping[str, tuple[int, ...]]:
        """The positions of the words (overloads) of a name or symbol."""
        found: dict[str, list[int]] = {}
        for position, function in enumerate(self.functions):
            for name in {function.name, function.symbol} - {None}:
                found.setdefault(str(name), []).append(position)
        return {name: tuple(where) for name, where in found.items()}

    @cached_property
    def by_result(self) -> Mapping[str, tuple[int, ...]]:
        """For every type the words that answer it, those with a mirror image (2 * g for g * 2) aside."""
        found: dict[str, list[int]] = {}
        for position, function in enumerate(self.functions):
            if position != self.step and function.mirror < 0:
                found.setdefault(function.result_type, []).append(position)
        return {type_: tuple(where) for type_, where in found.items()}

    @cached_property
    def alike(self) -> tuple[tuple[int, ...], ...]:
        """For every word the others of the same argument and result types, with the step's number in the same place."""
        kinds = [
            (function.argument_types, function.result_type, {k for word, k in STEP_NUMBER if word == function.name})
            for function in self.functions
        ]
        return tuple(
            tuple(other for other, kind in enumerate(kinds) if kind == kinds[k] and other not in (k, self.step))
            for k in range(len(kinds))
        )

    def type_of_input(self, register: int) -> str:
        """The type of an input register."""
        return self.input_types[register]

    def register(self, name: str) -> int:
        """The register of an input, -1 when the vocabulary has none of that name."""
        return self.inputs.index(name) if name in self.inputs else -1

    @cached_property
    def free_slots(self) -> Mapping[str, tuple[int, ...]]:
        """The slots of every type, as positions in `state`."""
        found: dict[str, list[int]] = {}
        for k, register in enumerate(self.state):
            found.setdefault(self.input_types[register], []).append(k)
        return {type_: tuple(slots) for type_, slots in found.items()}


def language_of(vocabulary: Vocabulary) -> Language:
    """The vocabulary of update rules, prepared.

    Raises:
        ValueError: the vocabulary's programs have no state.
    """
    signature = vocabulary.signature
    if signature is None:
        raise ValueError(f"the vocabulary {vocabulary.name} has no state: search over update rules needs slots")
    n_read = len(signature.inputs) - len(signature.slots)
    return Language(
        vocabulary=vocabulary,
        inputs=signature.inputs,
        input_types=signature.input_types,
        state=tuple(range(n_read, len(signature.inputs))),
        step=signature.word,
    )


def is_real(type_: str) -> bool:
    """Whether values of the type may be written as literals."""
    return type_ == REAL
