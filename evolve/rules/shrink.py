"""A burst that simplifies: one rule in, one out that is shorter and as good as far as can be told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from evolve.rules.language import Language
from evolve.rules.simplify import MARGIN, Verdict, compared
from evolve.rules.smaller import rewritings, smaller
from sandbox.symbolic.program import Program

GLANCE_LOSS = 3.0 * MARGIN
"""A variant that loses more than this at a glance is not looked at twice."""

LOOKS = (2, 4, 7)
"""How many blocks of seeds a variant is compared on before it is given up."""


class Measured(Protocol):
    """What training found."""

    @property
    def score(self) -> float | None:
        """None for a rule that failed."""

    @property
    def values(self) -> Sequence[float]:
        """The parts of the score, one for each task."""

    @property
    def work(self) -> float:
        """About core-seconds, counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """What a simplification works with; all are pure.

    `signature` tells rules that do the same, None for what is no rule; `glance` measures programs cheaply, `weigh`
    measures them well on one block of seeds.
    """

    signature: Callable[[Program], str | None]
    glance: Callable[[Sequence[Program]], Sequence[Measured]]
    weigh: Callable[[Sequence[Program], int], Sequence[Measured]]


@dataclass(slots=True, kw_only=True)
class Shrunk:
    """The shorter rule, and what it took: cuts that change nothing, cuts that were weighed and kept, what was tried."""

    program: Program
    work: float = 0.0
    exact: int = 0
    kept: int = 0
    tried: int = 0
    verdicts: list[Verdict] = field(default_factory=list)


def shrink(program: Program, language: Language, scales: Scales, *, work: float) -> Shrunk:
    """Take away from a program what does not matter, until nothing can be taken or the work is spent.

    Cuts that keep the signature are free. Every other is weighed against the *first* program, so that small losses do
    not add up.
    """
    state = Shrunk(program=program)
    while state.work < work:
        variants = smaller(state.program, language)
        same = _same(state.program, [*variants, *rewritings(state.program, language)], scales)
        if same is not None:
            state.program, state.exact = same, state.exact + 1
            continue
        found = _not_inferior(program, _promising(program, variants, scales, state), scales, state, work)
        if found is None:
            break
        state.program, state.kept = found, state.kept + 1
    return state


def _same(program: Program, variants: Sequence[Program], scales: Scales) -> Program | None:
    wanted = scales.signature(program)
    return next((each for each in variants if scales.signature(each) == wanted), None)


def _promising(program: Program, variants: Sequence[Program], scales: Scales, state: Shrunk) -> list[Program]:
    """The variants that do not lose much at a glance, the shortest first."""
    able = [each for each in variants if scales.signature(each) is not None]
    own, *measured = scales.glance([program, *able])
    state.work += own.work + sum(each.work for each in measured)
    if own.score is None:
        return []
    least = own.score - GLANCE_LOSS
    return [each for each, one in zip(able, measured, strict=True) if one.score is not None and one.score >= least]


def _not_inferior(
    program: Program, variants: Sequence[Program], scales: Scales, state: Shrunk, work: float
) -> Program | None:
    """The first variant that is not inferior to the program; None if there is none or the work is spent."""
    for variant in variants:
        if state.work >= work:
            return None
        state.tried += 1

        def difference(block: int, variant: Program = variant) -> list[float] | None:
            new, old = scales.weigh([variant, program], block)
            state.work += new.work + old.work
            if new.score is None or old.score is None:
                return None
            return [mine - theirs for mine, theirs in zip(new.values, old.values, strict=True)]

        verdict = compared(difference, LOOKS)
        if verdict is not None and verdict.is_kept:
            state.verdicts.append(verdict)
            return variant
    return None
