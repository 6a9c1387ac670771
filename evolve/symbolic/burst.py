"""One search burst: a pure function of parents, target, settings and `rng_seed`, safe to run in any process."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evolve.symbolic.bench import Bench, prepare, seeds_of
from evolve.symbolic.contract import BurstKind, BurstResult, BurstSettings, Child, FitTarget, Mechanism, Strategy
from evolve.symbolic.elites import STEPS
from evolve.symbolic.enumerate_shard import search_shard
from evolve.symbolic.finish import Finisher, least_errors, with_short_constants
from evolve.symbolic.genomes import has_arithmetic, read_genome, write_genome
from evolve.symbolic.laws import NO_LAW, NO_PARITY, Laws, laws_of
from evolve.symbolic.normal_form import depth_of
from evolve.symbolic.screen_burst import search_screen
from evolve.symbolic.search import Plan, Seeds, run
from evolve.symbolic.tree import allocate_lineage
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

TICKS_PER_WORK = 110_000_000
PER_OUTER_CELL = 6
SAME_ERROR = 0.01
PARITY_SHARE = 0.7  # how often a new structure must have the parity of a function that has one
LEAPS = 12
FRONT = 0.5
_MIX = {  # refit, crossover, square, shrink, grow, fraction: probabilities of a step
    BurstKind.MUTATE: (0.005, 0.1, 0.01, 0.08, 0.2, 0.05),
    BurstKind.REFIT: (0.06, 0.0, 0.01, 0.25, 0.2, 0.05),
    BurstKind.CROSSOVER: (0.005, 0.7, 0.01, 0.08, 0.1, 0.05),
    BurstKind.ENUMERATE: (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    BurstKind.SCREEN: (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}


def burst(
    parents: Sequence[Program],
    vocabulary: Vocabulary,
    target: FitTarget,
    settings: BurstSettings,
    rng_seed: Sequence[int],
) -> BurstResult:
    """Search for programs that fit `target`, starting from `parents` (none, or the empty program, will do).

    The same arguments give the same children bit for bit, whichever process or machine load. Parents that the
    compiled search cannot hold (another vocabulary's functions, too long) are passed over.
    """
    numbers = np.random.default_rng(list(rng_seed))
    rng = np.array([numbers.integers(0, 2**63)], np.uint64)
    is_exhaustive = settings.kind in (BurstKind.ENUMERATE, BurstKind.SCREEN)
    bench = prepare(vocabulary, target, settings.max_operations)
    plan = Plan(
        **_mix(settings),
        max_constants=settings.max_constants,
        max_ticks=0 if is_exhaustive else int(settings.work * TICKS_PER_WORK),
        rewrite=has_arithmetic(vocabulary),
        powers=bool((target.values > 0).all()),
        laws=Laws(*NO_LAW, NO_PARITY) if Mechanism.LAWS in settings.without else laws_of(target),
        leaps=0 if Mechanism.LEAPS in settings.without else LEAPS,
        front=0.0 if Mechanism.FRONT in settings.without else FRONT,
        parity_share=0.0 if target.symmetry is None else PARITY_SHARE,
        by_tree=Strategy(settings.strategy) == Strategy.TREE_SEARCH,
    )
    seeds = seeds_of(bench, parents)
    tree = allocate_lineage(len(bench.elites.error))
    steps = run(bench.elites, bench.work, bench.drawing, bench.search, bench.grammar, plan, seeds, tree, rng)
    if settings.kind == BurstKind.ENUMERATE:
        search_shard(settings, bench, plan.laws, rng)
    elif settings.kind == BurstKind.SCREEN:
        search_screen(settings, bench, target, numbers, rng)
    chosen = _choose(bench, parents, seeds, settings.n_children)
    names = _names(parents, bench.grammar.n_inputs)
    drafts = [_Draft(_program(bench, slot, *names), _parents_of(bench, slot)) for slot in chosen]
    known = [parents[position] for position in seeds.position.tolist()]
    with np.errstate(all="ignore"):  # constants of a hopeless fit may be huge; what comes out is checked
        children = _finish(bench, drafts, known, seeds.error.tolist(), target)
    ticks = int(bench.work.ticks[0] + bench.full_work.ticks[0])
    return BurstResult(children=children, work=ticks / TICKS_PER_WORK, statistics=_statistics(bench, steps))


def _mix(settings: BurstSettings) -> dict[str, float]:
    """The probabilities of the steps, as fields of a plan."""
    mix = dict(
        zip(("refit", "crossover", "square", "shrink", "grow", "fraction"), _MIX[BurstKind(settings.kind)], strict=True)
    )
    return {step: 0.0 if step in settings.without else share for step, share in mix.items()}


def _statistics(bench: Bench, steps: int) -> dict[str, float]:
    names = ("cells", "offers", "entries", "fits", "refits", "repeats", "poles")
    statistics = dict(zip(names, map(float, bench.elites.counts[:7]), strict=True)) | {"steps": float(steps)}
    statistics["structures"] = float(np.count_nonzero(bench.drawing.visits))
    statistics["iterations"] = float(bench.work.ticks[1])
    for name, tally in zip(STEPS, bench.elites.tally.tolist(), strict=True):
        for what, number in zip(("ticks", "fits", "entries", "news"), tally, strict=True):
            statistics[f"{name}_{what}"] = float(number)
    return statistics


def _choose(bench: Bench, parents: Sequence[Program], seeds: Seeds, n_children: int) -> list[int]:
    """Fresh elites worth returning: good enough for an outer cell (operations, depth), best ranks first."""
    elites, n_inputs = bench.elites, bench.grammar.n_inputs
    held: dict[tuple[int, int], list[float]] = {}
    for position, error in zip(seeds.position.tolist(), seeds.error.tolist(), strict=True):
        held.setdefault(_outer_cell(parents[position]), []).append(error)
    fresh = np.flatnonzero((elites.is_fresh == 1) & np.isfinite(elites.error))
    ranked = []
    for slot in fresh[np.argsort(elites.error[fresh], kind="stable")].tolist():
        n = int(elites.length[slot])
        cell = (n, int(depth_of(elites.code[slot], n, n_inputs, bench.drawing.scratch)))
        error, others = float(elites.error[slot]), held.setdefault(cell, [])
        rank = sum(other < error for other in others)
        known = any(abs(other - error) <= SAME_ERROR * error for other in others)
        if rank < PER_OUTER_CELL and not known:
            others.append(error)
            ranked.append((rank, n, slot))
    return [slot for _, _, slot in sorted(ranked)[:n_children]]


def _outer_cell(program: Program) -> tuple[int, int]:
    """Operations and depth of a parent; every instruction of a normal form counts."""
    depths = [0] * len(program.inputs)
    for instruction in program.instructions:
        depths.append(1 + max((depths[a] for a in instruction.arguments if a >= 0), default=-1))
    return len(program.instructions), depths[program.output] if program.output >= 0 else 0


@dataclass(frozen=True, slots=True)
class _Draft:
    """A found program before its constants are levelled, and the positions of its parents."""

    program: Program
    parents: tuple[int, ...]


def _names(parents: Sequence[Program], n_inputs: int) -> tuple[str, tuple[str, ...]]:
    """The name of a child and of its inputs: those of the first parent with as many."""
    for parent in parents:
        if len(parent.inputs) == n_inputs:
            return parent.name, parent.inputs
    return "f", ("x",) if n_inputs == 1 else tuple(f"x{i}" for i in range(n_inputs))


def _program(bench: Bench, slot: int, name: str, inputs: tuple[str, ...]) -> Program:
    elites, n = bench.elites, int(bench.elites.length[slot])
    return read_genome(elites.code[slot], elites.constants[slot], n, bench.vocabulary, name=name, inputs=inputs)


def _parents_of(bench: Bench, slot: int) -> tuple[int, ...]:
    return tuple(int(i) for i in bench.elites.parents[slot] if i >= 0)


def _finish(
    bench: Bench, drafts: Sequence[_Draft], known: Sequence[Program], errors: Sequence[float], target: FitTarget
) -> tuple[Child, ...]:
    """The drafts, levelled on all points; those that show a pole are left out."""
    vocabulary, ticks = bench.vocabulary, bench.full_work.ticks
    children = []
    for draft in drafts:
        code, constants = np.zeros((len(bench.drawing.code), 3), np.int64), np.zeros((len(bench.drawing.code), 2))
        n = write_genome(draft.program, vocabulary, code, constants)
        finisher = Finisher(
            bench.full_work, bench.drawing, bench.full, bench.weighted, vocabulary, target, draft.program
        )
        finished = finisher.finish(code, constants, n)
        if finished is not None:
            children.append(Child(program=finished[0], error=finished[1], parent_indices=draft.parents))
    least = least_errors(known, errors, vocabulary, target)
    return tuple(with_short_constants(children, least, vocabulary, target, ticks))
