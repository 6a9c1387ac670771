"""Operators that discover update rules: bursts of search that train what they find; and one that simplifies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from archive.candidate import Candidate
from evolve.config.problem import Problem
from evolve.operators.contract import EVERYONE, Compute, Note, Operator, Proposal, Proposing

SEED_WORDS = 4
N_CHILDREN = 2
"""How many children a burst brings at most: each is measured again by the judge, which is dear."""

N_MEMBERS = 8
"""How many parents a burst starts from."""

NEIGHBOURS = "neighbours"
SIMPLIFY = "simplify"

OPENING = "opening"
FIRST = "first"
"""The setting of an opener that holds the seed rule's text."""

SEED_ID = 1
"""The candidate that every run begins with."""

N_OPENERS = 8
"""Turns that open a run: AdamW has some 250 neighbours, and a burst trains about 30."""

OPENING_WORK = 1.5
"""Work of such a turn, in bursts: enough for all of its part."""

FEW_MEMBERS = {NEIGHBOURS: 2, SIMPLIFY: 1}
"""Kinds of bursts that start from fewer."""

EXPLOITATION = 0.5
"""The share of them that come from the best by score; the others come from anywhere in the archive."""

SCORE = "speedup"
SEARCHING = (NEIGHBOURS, "mutate", "tune", "crossover", "graft")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBurst:
    """Runs one burst of search over update rules in a worker and brings back its best children.

    `kind` is what the burst does to programs: `neighbours` tries all single edits around the best; `mutate` changes
    calls, slots and literals at random; `crossover` puts a piece of one into another; `graft` does so with pieces of
    published rules; `tune` changes literals only, the control arm of every claim; `simplify` leaves out what does not
    matter. The burst is a pure function of the parents, the random stream and the fixed amount of work (about
    core-seconds).
    """

    kind: str
    n_parents: int = EVERYONE
    judge: Mapping[str, Any]
    vocabulary: str
    inputs: tuple[str, ...]
    entry: str
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its kind, or that it opens a run: the choice of operators learns nothing from openers."""
        return OPENING if FIRST in self.settings else self.kind

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Yield one burst, return its children."""
        del inspirations  # a burst reads the whole archive as parents
        chosen = chosen_members(parents, FEW_MEMBERS.get(self.kind, N_MEMBERS), rng)
        texts, ids = [each.files[self.entry] for each in chosen], [each.id for each in chosen]
        if FIRST in self.settings:
            texts, ids = [self.settings[FIRST]], [SEED_ID]
        places = set(ids)
        payload = {
            "judge": dict(self.judge),
            "vocabulary": self.vocabulary,
            "inputs": list(self.inputs),
            "parents": texts,
            "known": [each.files[self.entry] for each in parents if each.id not in places],
            "rng_seed": [int(word) for word in rng.integers(0, 2**31, SEED_WORDS)],
            "settings": {**self.settings, "kind": self.kind},
        }
        answer = yield Compute(task="rule_burst", payload=payload)
        if answer.get("statistics"):
            yield Note(data={self.name: answer["statistics"]})
        return [
            Proposal(
                files={self.entry: child["source"]},
                parent_ids=tuple(ids[place] for place in child["parents"] or [0]),
            )
            for child in answer["children"]
        ]


def rule_openers(operators: Sequence[Operator], seed: Mapping[str, str]) -> list[RuleBurst]:
    """The turns that open a run: each looks at its part of all single edits of the seed rule, elite or not.

    Which edit is good is seen in the first minutes so, whatever the random stream. None where the problem leaves
    `neighbours` out.
    """
    around = next((each for each in operators if isinstance(each, RuleBurst) and each.kind == NEIGHBOURS), None)
    if around is None:
        return []
    work = OPENING_WORK * around.settings["work"]
    settings = {**around.settings, "work": work, FIRST: seed[around.entry], "n_parts": N_OPENERS}
    return [replace(around, settings={**settings, "part": part}) for part in range(N_OPENERS)]


def chosen_members(candidates: Sequence[Candidate], n: int, rng: np.random.Generator) -> list[Candidate]:
    """At most `n` different candidates, the best first: by rank with weight 1/k, or uniformly from all."""
    ranked = sorted(candidates, key=lambda each: (-each.metrics.get(SCORE, 0.0), each.id))
    sums = np.cumsum(1.0 / np.arange(1, len(ranked) + 1))
    places: set[int] = set()
    for _ in range(4 * n):
        if len(places) >= min(n, len(ranked)):
            break
        by_rank = rng.random() < EXPLOITATION
        point = rng.random()
        place = int(np.searchsorted(sums, point * sums[-1], side="right")) if by_rank else int(point * len(ranked))
        places.add(min(place, len(ranked) - 1))
    return [ranked[place] for place in sorted(places)]


def update_rule_operators(problem: Problem) -> list[RuleBurst]:
    """The operators of a problem whose candidates are update rules."""
    symbolic = problem.symbolic_mapping()
    return [
        RuleBurst(
            kind=kind,
            judge=problem.judge_spec_mapping(),
            vocabulary=symbolic["vocabulary"],
            inputs=tuple(symbolic["inputs"]),
            entry=problem.tables.seed.files[0],
            settings={
                "work": problem.tables.search.burst_work,
                "max_operations": symbolic["max_operations"],
                "n_children": N_CHILDREN,
            },
        )
        for kind in (*SEARCHING, SIMPLIFY)
    ]
