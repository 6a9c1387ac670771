"""Who breeds: a population in which the oldest die, and an archive of the best of every kind."""

from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from evolve.rules.behaviour import Cell
from sandbox.symbolic.program import Program

TOURNAMENT: Final = 8


@dataclass(frozen=True, slots=True)
class Member:
    """A program with its fitness, higher being better, its cell and the slots that it uses."""

    program: Program
    fitness: float
    cell: Cell
    n_slots: int

    @property
    def n_operations(self) -> int:
        """Calls of the program."""
        return len(self.program.instructions) - 1


class Population(Protocol):
    """Takes scored programs in and names parents."""

    def add(self, member: Member) -> bool:
        """Whether the member was let in."""
        ...

    def parent(self, rng: np.random.Generator) -> Member:
        """Who breeds next."""
        ...

    def front(self) -> list[Member]:
        """Who is worth polishing: short and good."""
        ...

    def members(self) -> list[Member]:
        """Everybody, the best first."""
        ...


class AgeingPopulation:
    """Regularised evolution (Real, Aggarwal, Huang, Le 2019, https://arxiv.org/abs/1802.01548): the oldest dies."""

    def __init__(self, size: int) -> None:
        self._members: deque[Member] = deque(maxlen=size)

    def add(self, member: Member) -> bool:
        """Everybody is let in."""
        self._members.append(member)
        return True

    def parent(self, rng: np.random.Generator) -> Member:
        """The winner of a tournament."""
        return _tournament(self._members, rng)

    def front(self) -> list[Member]:
        """Those alive that nobody beats with as few operations and slots."""
        return _front(list(self._members))

    def members(self) -> list[Member]:
        """Everybody alive, the best first."""
        return sorted(self._members, key=lambda member: -member.fitness)


class ElitePopulation:
    """MAP-Elites (Mouret and Clune 2015, https://arxiv.org/abs/1504.04909): the best of every cell."""

    def __init__(self) -> None:
        self._place_of: dict[Cell, int] = {}
        self._members: list[Member] = []
        self._front: list[Member] | None = None

    def add(self, member: Member) -> bool:
        """Let in who is the first or the best of its cell; ties keep the older one."""
        place = self._place_of.get(member.cell)
        if place is None:
            self._place_of[member.cell] = len(self._members)
            self._members.append(member)
        elif member.fitness > self._members[place].fitness:
            self._members[place] = member
        else:
            return False
        self._front = None
        return True

    def parent(self, rng: np.random.Generator) -> Member:
        """The winner of a tournament, or for a third of the time anybody."""
        if rng.random() < 1.0 / 3.0:
            return self._members[int(rng.integers(len(self._members)))]
        return _tournament(self._members, rng)

    def front(self) -> list[Member]:
        """The elites that no other beats with as few operations and slots."""
        if self._front is None:
            self._front = _front(self._members)
        return self._front

    def members(self) -> list[Member]:
        """All elites, the best first."""
        return sorted(self._members, key=lambda member: -member.fitness)


def _front(members: list[Member]) -> list[Member]:
    """Who is better than all that have no more operations and no more slots, each once."""
    found: dict[int, Member] = {}
    for n_slots in sorted({member.n_slots for member in members}):
        best = -float("inf")
        few = (member for member in members if member.n_slots <= n_slots)
        for member in sorted(few, key=lambda member: (member.n_operations, -member.fitness)):
            if member.fitness > best:
                best = member.fitness
                found[id(member)] = member
    return list(found.values())


def _tournament(members: list[Member] | deque[Member], rng: np.random.Generator) -> Member:
    drawn = rng.integers(len(members), size=TOURNAMENT)
    return max((members[int(k)] for k in drawn), key=lambda member: member.fitness)
