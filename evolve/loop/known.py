"""The programs of a run that were told: whether one is new by its text, by what it does, and by how it was judged."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from evolve.loop.told import ToldChild
from evolve.operators.briefing import Judged


class Result(Protocol):
    """What an evaluation says of a program."""

    @property
    def score(self) -> float | None:
        """Higher is better; None for a program that could not be scored."""

    @property
    def descriptor(self) -> Mapping[str, float | str]:
        """What kind of program it is."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Other numbers."""


class Known:
    """A fold over told children. `signature_of` tells what a program does where that is cheap (None where it is not).

    Programs are compared with those that had been told when their iteration was planned, never with what happens to be
    there: then the same plans have the same duplicates with any number of workers.
    """

    def __init__(self, signature_of: Callable[[Mapping[str, str]], str | None] | None = None) -> None:
        self._signature_of = signature_of
        self._told_at: dict[str, int] = {}
        self._behaved_at: dict[str, int] = {}
        self._results: set[bytes] = set()

    def has(self, fingerprint: str) -> bool:
        """Whether a program with this fingerprint was told."""
        return fingerprint in self._told_at

    def had(self, fingerprint: str, horizon: int) -> bool:
        """Whether a program with this fingerprint had been told when iteration `horizon` was."""
        return self._told_at.get(fingerprint, horizon + 1) <= horizon

    def behaviour_of(self, files: Mapping[str, str]) -> str | None:
        """A signature of what a program does and with which operations; None where that is not cheap to know."""
        return None if self._signature_of is None else self._signature_of(files)

    def had_behaviour(self, signature: str | None, horizon: int) -> bool:
        """Whether a program with this signature had been told when iteration `horizon` was."""
        return signature is not None and self._behaved_at.get(signature, horizon + 1) <= horizon

    def note(self, child: ToldChild, number: int) -> None:
        """A child of iteration `number` is told."""
        self._told_at[child.fingerprint] = number
        if (signature := self.behaviour_of(child.files)) is not None:
            self._behaved_at.setdefault(signature, number)

    def note_result(self, evaluation: Result) -> bool:
        """A program was scored; whether another one was before with the same numbers to the last bit: a twin."""
        result = result_of(evaluation)
        is_twin = result in self._results
        self._results.add(result)
        return is_twin


def result_of(evaluation: Result) -> bytes:
    """Equal for two programs that were judged alike: the same score, descriptor and metrics."""
    numbers = (evaluation.score, sorted(evaluation.descriptor.items()), sorted(evaluation.metrics.items()))
    return hashlib.sha256(repr(numbers).encode("utf-8", "surrogatepass")).digest()[:16]


def without_twins(programs: Iterable[Judged], beside: Sequence[Judged]) -> tuple[Judged, ...]:
    """Those that were not judged like one before them or one `beside` them; without a score nobody knows."""
    seen = {result_of(each) for each in beside if each.score is not None}
    different: list[Judged] = []
    for program in programs:
        result = result_of(program)
        if program.score is None or result not in seen:
            different.append(program)
            seen.add(result)
    return tuple(different)
