"""Symbolic operators: bursts of compiled search where the evaluator offers a fit target, plain mutation elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import Compute, Proposal, Proposing
from sandbox.symbolic.canonical import fingerprint
from sandbox.symbolic.parse import parse
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import Vocabulary

SEED_WORDS = 4
CROSSOVER_TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolicBurst:
    """Runs one burst of program search in a worker and brings back its best children.

    `kind` is what the burst does: `mutate` programs, `crossover` sub-programs between parents, or `refit` constants.
    The burst is a pure function of the parents, the random stream and the fixed amount of `work` (about core-seconds).
    """

    name: str
    n_parents: int
    kind: str
    judge: Mapping[str, Any]
    vocabulary: str
    inputs: tuple[str, ...]
    entry: str
    settings: Mapping[str, Any]

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Yield one burst, return its children."""
        del inspirations  # a burst reads the whole archive as parents
        payload = self._payload([parent.files[self.entry] for parent in parents], rng)
        answer = yield Compute(task="burst", payload=payload)
        # What a burst grew from nothing it grew in place of its first parent, the smallest program it was given.
        return [
            Proposal(
                files={self.entry: child["source"]},
                parent_ids=tuple(parents[index].id for index in child["parents"] or [0]),
            )
            for child in answer["children"]
        ]

    def preparation(self) -> Compute:
        """What to run once before the clock starts: it compiles the search where no cache has it yet."""
        return Compute(task="prepare", payload=self._payload([], np.random.default_rng(0)))

    def _payload(self, parents: list[str], rng: np.random.Generator) -> dict[str, Any]:
        return {
            "judge": dict(self.judge),
            "vocabulary": self.vocabulary,
            "inputs": list(self.inputs),
            "parents": parents,
            "rng_seed": [int(word) for word in rng.integers(0, 2**31, SEED_WORDS)],
            "settings": {**self.settings, "kind": self.kind},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolicMutation:
    """Changes one program at random, in any vocabulary; for problems whose evaluator offers no fit target."""

    name: str = "mutate"
    n_parents: int = 1
    vocabulary: Vocabulary
    inputs: tuple[str, ...]
    entry: str
    max_operations: int

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Return one mutated child; needs no compute."""
        from evolve.symbolic.mutate import mutate

        del inspirations
        yield from ()  # a generator like every operator, but one that needs no compute
        program = parse(parents[0].files[self.entry], self.vocabulary, inputs=self.inputs)
        child = mutate(program, self.vocabulary, rng, max_operations=self.max_operations)
        if child is None:
            return []
        return [Proposal(files={self.entry: render(child, self.vocabulary)}, parent_ids=(parents[0].id,))]


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolicCrossover:
    """Grafts a part of one elite into another, in any vocabulary."""

    name: str = "crossover"
    n_parents: int = 2
    vocabulary: Vocabulary
    inputs: tuple[str, ...]
    entry: str
    max_operations: int

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Return one grafted child; needs no compute."""
        from evolve.symbolic.mutate import crossover

        del inspirations
        yield from ()  # a generator like every operator, but one that needs no compute
        if len(parents) < 2:
            return []
        first, second = (parse(each.files[self.entry], self.vocabulary, inputs=self.inputs) for each in parents[:2])
        known = {fingerprint(first, self.vocabulary), fingerprint(second, self.vocabulary)}
        for _ in range(CROSSOVER_TRIES):
            child = crossover(first, second, self.vocabulary, rng, max_operations=self.max_operations)
            if child is not None and fingerprint(child, self.vocabulary) not in known:
                ids = (parents[0].id, parents[1].id)
                return [Proposal(files={self.entry: render(child, self.vocabulary)}, parent_ids=ids)]
        return []
