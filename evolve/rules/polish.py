"""Whose literals are polished next: the best for their length take turns, as long as it helps."""

import numpy as np

from evolve.rules.populations import Member
from sandbox.symbolic.program import Program

PATIENCE = 60


class Polishing:
    """Hands out one member at a time until `PATIENCE` children in a row were no better, and then never as it was."""

    def __init__(self) -> None:
        self._member: Member | None = None
        self._left = 0
        self._given_up: dict[object, float] = {}

    def next(self, front: list[Member], rng: np.random.Generator) -> Member | None:
        """Who is to be polished; None when everybody on the front has had their turn."""
        if self._member is not None and self._left <= 0:
            self._given_up[_structure(self._member.program)] = self._member.fitness
            self._member = None
        if self._member is None:
            waiting = [m for m in front if m.program.constants and m.fitness > self._record(m)]
            if not waiting:
                return None
            drawn = rng.integers(len(waiting), size=3)
            self._member = max((waiting[int(k)] for k in drawn), key=lambda member: member.fitness)
            self._left = PATIENCE
        self._left -= 1
        return self._member

    def _record(self, member: Member) -> float:
        return self._given_up.get(_structure(member.program), -float("inf"))

    def tell(self, member: Member) -> None:
        """A program with its fitness: it takes over when it is the polished one with better literals."""
        now = self._member
        if now is None or member.fitness <= now.fitness:
            return
        if _structure(member.program) == _structure(now.program):
            self._member = member
            self._left = PATIENCE


def _structure(program: Program) -> object:
    """The program without its literals."""
    return program.instructions
