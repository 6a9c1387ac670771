"""A burst of search with training: many changed rules, few of them trained, fewer trained again, the best returned.

The order of the Lion search (Chen et al. 2023, "Symbolic discovery of optimization algorithms",
https://arxiv.org/abs/2302.06675): change a program, run it abstractly, look whether one that does the same was seen,
and only then train; here on a ladder of ever dearer measurements (see `halving`). A pure function of its arguments:
work is counted, never timed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Protocol

import numpy as np

from evolve.rules.halving import ETA, Ladder
from sandbox.symbolic.program import Program

TOURNAMENT = 4
"""Of so many random members, the best becomes the parent of the next child."""

PROBE_WORK = 0.001
"""What it costs about to make a child and run it abstractly, in core-seconds."""

GROWING = 0.75
"""In this part of its work a burst makes new children; in the rest it only trains on what is promising."""

NEAR = 0.1
"""Children whose value lies further below the best child's are not returned: the judge is dearer than the burst."""

MOST_TRIES = 400
"""How many children in a row may be unfit or known before a burst gives up."""


class Looked(Protocol):
    """What abstract execution found: a signature that is equal for rules that do the same, or why it is refused."""

    @property
    def signature(self) -> str | None:
        """None for a rule that is refused."""


class Trained(Protocol):
    """What training found."""

    @property
    def value(self) -> float | None:
        """Higher is better; None where training failed."""

    @property
    def parts(self) -> Sequence[float]:
        """The value by task, unclipped, where training tells: what is alike on every task does the same."""

    @property
    def work(self) -> float:
        """About core-seconds, counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a burst works with.

    `vary` changes programs: given members (best first), the place of the one to change, and a random stream, it answers
    a child and the places of the members it was made from, or None. `look` runs a program abstractly, `train` measures
    several at a rung, each as if it were alone; both are pure.
    """

    vary: Callable[[Sequence[Program], int, np.random.Generator], tuple[Program, tuple[int, ...]] | None]
    look: Callable[[Program], Looked]
    train: Callable[[Sequence[Program], int], Sequence[Trained]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstLimits:
    """How much a burst does.

    `work` is in counted core-seconds; it is overrun by one batch at most, or until somebody has reached the last rung.
    At the first rung `n_together` children are trained side by side, at each further one a share of them: many small
    models are trained in not much more time than one, but children of one batch cannot learn from each other.
    """

    work: float
    n_rungs: int
    n_children: int
    n_together: int = 18
    eta: int = ETA


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChild:
    """A program that a burst returns: which parents it came from (positions), what it measured at the last rung."""

    program: Program
    parents: tuple[int, ...]
    value: float


@dataclass(slots=True, kw_only=True)
class Counts:
    """What became of the children of a burst."""

    generated: int = 0
    refused: int = 0
    known: int = 0
    failed: int = 0
    trained: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstResult:
    """The best children that went up the whole ladder, best first; what the burst cost; how many there were."""

    children: tuple[RuleChild, ...]
    work: float
    counts: Counts


@dataclass(slots=True, kw_only=True)
class _Member:
    program: Program
    signature: str
    parents: tuple[int, ...]
    is_parent: bool


class _Burst:
    """A burst while it runs."""

    def __init__(self, tools: Tools, limits: BurstLimits, rng: np.random.Generator) -> None:
        self.tools, self.limits, self.rng = tools, limits, rng
        self.ladder = Ladder(limits.n_rungs, limits.eta)
        self.members: dict[str, _Member] = {}
        self.seen: set[str] = set()
        self.work = 0.0
        self.counts = Counts()

    def is_over(self) -> bool:
        return self.work >= self.limits.work

    def has_children(self) -> bool:
        return not all(member.is_parent for member in self.members.values())

    def enter(self, members: Sequence[_Member]) -> None:
        """Measure new members at the first rung."""
        self.members.update((member.signature, member) for member in members)
        self.train([member.signature for member in members], 0)

    def train(self, keys: Sequence[str], rung: int) -> None:
        found = self.tools.train([self.members[key].program for key in keys], rung)
        for key, trained in zip(keys, found, strict=True):
            self.work += trained.work
            self.counts.failed += trained.value is None
            self.ladder.tell(key, rung, trained.value, trained.parts)

    def child(self) -> _Member | None:
        """A new kind of rule, made from members; None if none comes."""
        order = self.ladder.order()
        programs = [self.members[key].program for key in order]
        for _ in range(MOST_TRIES if order else 0):
            place = int(self.rng.integers(len(order), size=TOURNAMENT).min())
            made = self.tools.vary(programs, place, self.rng)
            if made is None:
                continue
            self.work += PROBE_WORK
            self.counts.generated += 1
            signature = self.tools.look(made[0]).signature
            if signature is None:
                self.counts.refused += 1
            elif signature in self.seen:
                self.counts.known += 1
            else:
                self.seen.add(signature)
                sources = [self.members[order[source]].parents for source in made[1]]
                roots = tuple(sorted({root for source in sources for root in source}))
                return _Member(program=made[0], signature=signature, parents=roots, is_parent=False)
        return None

    def promote(self, n_together: int, *, is_last: bool = False) -> bool:
        """Train on those that may go on from the highest rung where enough of them wait; whether there were any."""
        for rung in range(self.limits.n_rungs - 2, -1, -1):
            least = max(n_together // self.limits.eta ** (rung + 1), 1)
            keys = self.ladder.promotions(rung, least, is_last=is_last)
            if keys:
                self.train(keys, rung + 1)
                return True
        return False

    def grow(self) -> bool:
        """Train new children at the first rung; whether any could be made. Where one does not come, none does."""
        made = (self.child() for _ in range(self.limits.n_together))
        children = [each for each in takewhile(bool, made) if each is not None]
        if children:
            self.enter(children)
        return bool(children)

    def run(self) -> None:
        is_growing = True
        while is_growing and self.work < GROWING * self.limits.work:
            is_growing = self.promote(self.limits.n_together) or self.grow()
        is_going = self.has_children()
        while is_going and not (self.is_over() and self.ladder.counts()[-1]):
            is_going = self.promote(1, is_last=True)

    def result(self) -> BurstResult:
        self.counts.trained = self.ladder.counts()
        top = self.limits.n_rungs - 1
        measured = [(self.members[key], self.ladder.value(key, top)) for key in self.ladder.ranked(top)]
        children = [
            RuleChild(program=member.program, parents=member.parents, value=value)
            for member, value in measured
            if value is not None and not member.is_parent
        ]
        near = [each for each in children if each.value > children[0].value - NEAR]
        return BurstResult(children=tuple(near[: self.limits.n_children]), work=float(self.work), counts=self.counts)


def burst(
    parents: Sequence[Program],
    known: Sequence[str],
    tools: Tools,
    limits: BurstLimits,
    rng: np.random.Generator,
) -> BurstResult:
    """Search from `parents` until the work is spent; rules whose signature is among `known` are not trained again.

    Children become parents in turn as soon as they are measured. Parents are measured too: values of a rung are
    comparable within one burst only, for each burst draws its own random seeds.
    """
    running = _Burst(tools, limits, rng)
    running.seen.update(known)
    members: dict[str, _Member] = {}
    for place, program in enumerate(parents):
        signature = tools.look(program).signature
        if signature is not None:
            member = _Member(program=program, signature=signature, parents=(place,), is_parent=True)
            members.setdefault(signature, member)
    running.seen.update(members)
    running.enter(list(members.values()))
    running.run()
    return running.result()
