"""Who breeds in an iteration and what its operator is told: parents, inspirations and a briefing."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from archive.candidate import Candidate
from archive.islands import Islands
from evolve.loop.known import without_twins
from evolve.loop.lessons import Lessons
from evolve.loop.memory import Memory, all_judged, judged
from evolve.operators.briefing import Briefing
from evolve.operators.contract import EVERYONE, Operator
from evolve.selection.parents import choose_inspirations, choose_parents, everyone

N_INSPIRATIONS = 3
MAP_ELITES, IID, SEQUENTIAL = "map_elites", "iid", "sequential"
Scouted = tuple[Sequence[Candidate], Sequence[Candidate], Briefing | None]


class Scouting:
    """Chooses parents by the strategy of the run, and gathers what is known of them.

    The baselines give the same parent to every operator, no inspirations, and nothing that was learned: `iid` samples
    around the seed program for ever, `sequential` goes on from the last best.
    """

    def __init__(self, islands: Islands, memory: Memory, lessons: Lessons | None, strategy: str) -> None:
        self._islands = islands
        self._memory = memory
        self._lessons = lessons
        self._strategy = strategy

    def scout(self, operator: Operator, island: int, number: int, rng: np.random.Generator) -> Scouted:
        """Parents, inspirations and briefing of one iteration."""
        if self._strategy != MAP_ELITES:
            parents = self._only_parent()
            return parents, (), self._plain_briefing(parents, number)
        archive = self._islands[island]
        if operator.n_parents == EVERYONE:
            return everyone(archive), (), None
        chosen = self._chosen_by_kind(operator, rng)
        parents = [chosen] if chosen is not None else choose_parents(archive, operator.n_parents, rng)
        inspirations = choose_inspirations(archive, parents, N_INSPIRATIONS, rng)
        return parents, inspirations, self._briefing(parents, inspirations, number, rng)

    def repairs(self, operators: Sequence[Operator]) -> frozenset[str]:
        """Names of the operators that can only mend what failed."""
        return frozenset(each.name for each in operators if _kind_of(each) == "repair")

    def _chosen_by_kind(self, operator: Operator, rng: np.random.Generator) -> Candidate | None:
        """The parent of an operator that has something to do with certain candidates only."""
        if self._lessons is None:
            return None
        kind = _kind_of(operator)
        if kind == "repair":
            return self._memory.wounded(rng)
        return self._memory.newest_gain() if kind == "insight" else None

    def _only_parent(self) -> list[Candidate]:
        record = self._memory.seed if self._strategy == IID else self._memory.best
        if record is None:
            raise ValueError("an empty archive has no parents: offer it the seed program first")
        return [record.candidate]

    def _plain_briefing(self, parents: Sequence[Candidate], number: int) -> Briefing:
        failures = () if self._strategy == IID else self._memory.failures_of(parents)
        return Briefing(parents=all_judged(self._memory, parents), failures=failures, iteration=number)

    def _briefing(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], number: int, rng: np.random.Generator
    ) -> Briefing:
        memory = self._memory
        judged_parents = all_judged(memory, parents)
        return replace(
            self._learned(parents[0], rng),
            parents=judged_parents,
            inspirations=without_twins(all_judged(memory, inspirations), judged_parents),
            failures=memory.failures_of(parents),
            best=None if memory.best is None else judged(memory.best),
            origin=memory.origin_of(parents[0]),
            iteration=number,
        )

    def _learned(self, parent: Candidate, rng: np.random.Generator) -> Briefing:
        """A briefing with the lessons alone."""
        if self._lessons is None:
            return Briefing(parents=())
        text = "\n".join(parent.files.values())
        line = (parent.id, *parent.parent_ids)
        return Briefing(
            parents=(),
            insights=self._lessons.insights.choose(text, line, rng),
            instruction=self._lessons.instructions.choose(rng),
            instructions=self._lessons.instructions.all(),
        )


def _kind_of(operator: Operator) -> str:
    return str(getattr(operator, "kind", ""))
