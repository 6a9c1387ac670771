"""Search over update rules for any fitness: children of parents, looked at by the probe, told apart by what they do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from evolve.rules.behaviour import behaviour_of, cell_of, slots_in_use
from evolve.rules.moves import Moves
from evolve.rules.polish import Polishing
from evolve.rules.populations import AgeingPopulation, ElitePopulation, Member, Population
from evolve.rules.probe import Look, Probe
from evolve.rules.tidy import tidied
from sandbox.symbolic.program import Program

Fitness = Callable[[Sequence[Program], Sequence[Look]], Sequence[float | None]]
"""For every program with what the probe saw of it a number, higher being better, or None where it failed."""

Strategy = Literal["map_elites", "regularised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How long and how to search.

    `n_programs` bounds the programs that are made, known ones included; the search ends earlier once the best fitness
    reaches `enough`. `batch` children are made from the same parents' state and handed to the fitness together.
    `polish_share` of the children have other literals than one of the best for its length, as long as that helps;
    `front_share` have any of these for a parent.
    `tuned_share` of the others differ in literals only, `crossed_share` have a piece of a second parent.
    At most every `tidied_every` programs a new best one is freed of what makes no difference.
    """

    n_programs: int = 10_000
    enough: float = float("inf")
    strategy: Strategy = "map_elites"
    population: int = 100
    batch: int = 1
    polish_share: float = 0.3
    front_share: float = 0.15
    tuned_share: float = 0.1
    crossed_share: float = 0.05
    tidied_every: int = 100


@dataclass(slots=True)
class SearchStatistics:
    """What became of the programs.

    Every one of `generated` is `unchanged` (no child was found), `refused` by the probe, `known` (does the same as an
    earlier one: its fitness is looked up), `tried` while tidying, or `evaluated`; `failed` of these got no fitness.
    """

    generated: int = 0
    unchanged: int = 0
    refused: int = 0
    known: int = 0
    tried: int = 0
    evaluated: int = 0
    failed: int = 0

    @property
    def hit_rate(self) -> float:
        """The share of programs that were good for a fitness and did what an earlier one did."""
        return self.known / max(self.known + self.evaluated, 1)


@dataclass(slots=True)
class SearchResult:
    """The best program with its fitness, when it was found, who was alive at the end, and the statistics."""

    best: Program
    fitness: float
    found_at: int
    members: list[Member]
    statistics: SearchStatistics = field(default_factory=SearchStatistics)


class Search:
    """One search; `run` may be called again to go on."""

    def __init__(
        self, fitness: Fitness, *, moves: Moves, probe: Probe, settings: SearchSettings, rng: np.random.Generator
    ) -> None:
        self._fitness = fitness
        self._moves = moves
        self._probe = probe
        self._settings = settings
        self._rng = rng
        self._known: dict[str, float | None] = {}
        self._polishing = Polishing()
        self._tidied: Program | None = None
        self._tidied_at = 0
        self._gradients = probe.stream.values["g"]
        is_ageing = settings.strategy == "regularised"
        self.population: Population = AgeingPopulation(settings.population) if is_ageing else ElitePopulation()
        self.statistics = SearchStatistics()
        self.best: Member | None = None
        self.found_at = 0

    def start(self, programs: Sequence[Program]) -> None:
        """Let the first programs in.

        Raises:
            ValueError: none of them is an update rule with a fitness.
        """
        self._judge(list(programs))
        if self.best is None:
            refusals = ", ".join(self._probe.look(program).refusal or "no fitness" for program in programs)
            raise ValueError(f"no start program has a fitness ({refusals}): start from another rule, as sgd or adam")

    def run(self) -> SearchResult:
        """Search until the programs are used up or the best is good enough."""
        settings = self._settings
        while self.statistics.generated < settings.n_programs and self._best_fitness() < settings.enough:
            children = [child for _ in range(settings.batch) if (child := self._child()) is not None]
            self._judge(children)
        best = self.best
        if best is None:
            raise ValueError("the search has no start: call start first")
        return SearchResult(best.program, best.fitness, self.found_at, self.population.members(), self.statistics)

    def _best_fitness(self) -> float:
        return -float("inf") if self.best is None else self.best.fitness

    def _child(self) -> Program | None:
        self.statistics.generated += 1
        settings, rng = self._settings, self._rng
        if self._is_untidy():
            return self._counted(self._tidy())
        choice = rng.random()
        if choice < settings.polish_share:
            polished = self._polishing.next(self.population.front(), rng)
            if polished is not None:
                return self._counted(self._moves.tuned(polished.program, rng))
        is_front = choice < settings.polish_share + settings.front_share
        front = self.population.front()
        parent = (front[int(rng.integers(len(front)))] if is_front else self.population.parent(rng)).program
        choice = rng.random()
        if choice < settings.tuned_share:
            return self._counted(self._moves.tuned(parent, rng))
        if choice < settings.tuned_share + settings.crossed_share:
            return self._counted(self._moves.crossed(parent, self.population.parent(rng).program, rng))
        return self._counted(self._moves.mutate(parent, rng))

    def _counted(self, child: Program | None) -> Program | None:
        if child is None:
            self.statistics.unchanged += 1
        return child

    def _is_untidy(self) -> bool:
        """Whether there is a new best program and the last tidying is some time ago."""
        is_due = self.statistics.generated >= self._tidied_at + self._settings.tidied_every
        return is_due and self.best is not None and self.best.program != self._tidied

    def _tidy(self) -> Program | None:
        """The best without what makes no difference; every program that was tried on the way counts."""
        assert self.best is not None
        program = self.best.program
        before = self._probe.statistics.n_looks
        short = tidied(program, self._probe)
        n_tried = self._probe.statistics.n_looks - before
        self.statistics.generated += n_tried
        self.statistics.tried += n_tried
        self._tidied = program
        self._tidied_at = self.statistics.generated
        return None if short == program else short

    def _judge(self, programs: list[Program]) -> None:
        """Let programs in: what the probe refuses is dropped, what does the same as an earlier one is looked up."""
        good: list[tuple[Program, Look]] = []
        for program in programs:
            look = self._probe.look(program)
            if look.signature is None:
                self.statistics.refused += 1
            else:
                good.append((program, look))
        fresh: dict[str, tuple[Program, Look]] = {}
        for program, look in good:
            assert look.signature is not None
            if look.signature in self._known or look.signature in fresh:
                self.statistics.known += 1
            else:
                fresh[look.signature] = (program, look)
        if fresh:
            self.statistics.evaluated += len(fresh)
            values = self._fitness([p for p, _ in fresh.values()], [look for _, look in fresh.values()])
            self.statistics.failed += sum(value is None for value in values)
            self._known.update(zip(fresh, values, strict=True))
        for program, look in good:
            self._admit(program, look)

    def _admit(self, program: Program, look: Look) -> None:
        assert look.signature is not None
        assert look.update is not None
        fitness = self._known[look.signature]
        if fitness is None:
            return
        behaviour = behaviour_of(look.update / look.scale, self._gradients)
        n_slots = slots_in_use(program, self._moves.language)
        cell = cell_of(behaviour, n_operations=len(program.instructions) - 1, n_slots=n_slots)
        member = Member(program, fitness, cell, n_slots)
        self.population.add(member)
        self._polishing.tell(member)
        if self.best is None or fitness > self.best.fitness:
            self.best = member
            self.found_at = self.statistics.generated
