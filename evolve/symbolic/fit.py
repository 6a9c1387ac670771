"""Fits the constants of one given structure: for programs that were written, not grown."""

from collections.abc import Sequence

import numpy as np

from evolve.symbolic.bench import Bench, prepare
from evolve.symbolic.burst import LEAPS, TICKS_PER_WORK
from evolve.symbolic.contract import BurstResult, Child, FitTarget
from evolve.symbolic.finish import Finisher
from evolve.symbolic.genomes import write_genome
from evolve.symbolic.normal_form import link, unlink
from evolve.symbolic.search import MUTATE, REFIT, search_constants
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

NO_LIMIT = 1e300


def fit_constants(program: Program, vocabulary: Vocabulary, target: FitTarget, rng_seed: Sequence[int]) -> BurstResult:
    """The program with the best constants that fits from its own and from random ones lead to; or no child.

    There is none where the program has no constants, cannot be held by the compiled search, or has a pole. The same
    arguments give the same child bit for bit.
    """
    bench = prepare(vocabulary, target, max(len(program.instructions), 1))
    rng = np.array([np.random.default_rng(list(rng_seed)).integers(0, 2**63)], np.uint64)
    drawing, work, n_inputs = bench.drawing, bench.work, bench.grammar.n_inputs
    n = write_genome(program, vocabulary, drawing.code, drawing.constants) if len(program.inputs) == n_inputs else 0
    n_constants = link(drawing.code, drawing.constants, n, n_inputs, work.tape, drawing.inherited) if n > 0 else 0
    if n_constants == 0:
        return BurstResult(children=(), work=0.0)
    best, flat = np.inf, drawing.inherited[:n_constants].copy()
    for mode in (MUTATE, REFIT):  # a few starts, the first from the constants as written; then random ones
        error = search_constants(work, drawing, n, n_constants, bench.search, mode, LEAPS, NO_LIMIT, rng)
        if error < best:
            best, flat = error, drawing.flat[:n_constants].copy()
    unlink(drawing.code, drawing.constants, n, flat)
    child = _finished(bench, program, n, target)
    ticks = int(work.ticks[0] + bench.full_work.ticks[0])
    return BurstResult(children=() if child is None else (child,), work=ticks / TICKS_PER_WORK)


def _finished(bench: Bench, program: Program, n: int, target: FitTarget) -> Child | None:
    finisher = Finisher(bench.full_work, bench.drawing, bench.full, bench.weighted, bench.vocabulary, target, program)
    code, constants = bench.drawing.code.copy(), bench.drawing.constants.copy()
    with np.errstate(all="ignore"):  # constants of a hopeless fit may be huge; what comes out is checked
        finished = finisher.finish(code, constants, n)
    if finished is None or not np.isfinite(finished[1]):
        return None
    return Child(program=finished[0], error=finished[1], parent_indices=(0,))
