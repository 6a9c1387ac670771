"""A screen of millions of programs: all pairs of small expressions, joined by + - * /, under a few outermost functions.

No constant is fitted while programs are screened but one factor and one term, whose least squares need no search; the
best of every length are then fitted like any other program. Which programs are the best is decided by the same bits on
every device, so a run does not depend on where its screens ran.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from evolve.symbolic.bench import Bench
from evolve.symbolic.contract import BurstSettings, FitTarget
from evolve.symbolic.genomes import has_arithmetic
from evolve.symbolic.normal_form import link, normalise, unlink
from evolve.symbolic.randomness import RandomState
from evolve.symbolic.screen_genome import Found, genomes
from evolve.symbolic.screen_pairs import FIRST_ALONE, PAIRED, Scorer, blocks, scorer_for
from evolve.symbolic.screen_table import SYMMETRIC, ValueTable, chosen_points, value_table
from evolve.symbolic.screen_targets import Targets, targets_of
from evolve.symbolic.search import MUTATE, offer, search_constants
from evolve.symbolic.tape import FloatArray, IntArray

KEPT: Final = 512
"""Programs of each number of operations that a screen keeps, before those that are the same function are dropped."""

FITTED: Final = 24
"""Of each number of operations."""

LEAPS: Final = 12
NO_LIMIT: Final = 1e300
TICKS_PER_SCORE: Final = 5
_EXACT: Final = 1e-12  # what the score of an exact fit misses by rounding


def search_screen(
    settings: BurstSettings, bench: Bench, target: FitTarget, numbers: np.random.Generator, rng: RandomState
) -> None:
    """Screen the pairs of a table of `settings.screen_rows` expressions and offer the best, fitted, as elites.

    Work is counted in `work.ticks`.

    Raises:
        DeviceError: torch or the device is not there.
    """
    table = value_table(target, bench.grammar, n_rows=settings.screen_rows, rng=numbers)
    targets = targets_of(target.values[chosen_points(target)], bench.grammar)
    scorer = scorer_for(settings.device)
    for size in range(2 * int(table.size.max(initial=0)) + 2):
        best, n_scores = _best_of_size(size, table, targets, scorer, bench)
        bench.work.ticks[0] += TICKS_PER_SCORE * n_scores * len(targets.outer)
        for found in best:
            for drawn in genomes(found, table, targets):
                _fit_and_offer(*drawn, bench, settings, rng)


def _best_of_size(
    size: int, table: ValueTable, targets: Targets, scorer: Scorer, bench: Bench
) -> tuple[list[Found], int]:
    """The best pairs with `size` operations altogether, one of each function; and how many there were."""
    kept: list[Found] = []
    n_scores = 0
    for opcode, first, second in _jobs(size, table, bench):
        for rows in blocks(scorer, first, table.values.shape[1], len(second)):
            scores, best = scorer.score(opcode, table.values[rows], table.values[second], targets.centred)
            n_scores += scores.size
            least = 0.0 if len(kept) < KEPT else kept[-1].score  # pairs come in order: of equal ones the first stays
            places = np.argwhere(scores > least)
            chosen = places[np.argsort(-scores[tuple(places.T)], kind="stable")[:KEPT]]
            kept += [
                Found(
                    score=float(scores[a, b]),
                    opcode=opcode,
                    left=int(rows[a]),
                    right=int(second[b]),
                    target=int(best[a, b]),
                )
                for a, b in chosen.tolist()
            ]
            kept = sorted(kept, key=_order)[:KEPT]
    return _different(kept), n_scores


def _order(found: Found) -> tuple[float, int, int, int]:
    return -found.score, found.opcode, found.left, found.right


def _different(ranked: list[Found]) -> list[Found]:
    """The first of those that explain the same target equally well, up to so many."""
    chosen: dict[tuple[int, float], Found] = {}
    for found in ranked:
        mark = round(float(np.log(max(1.0 - found.score, 0.0) + _EXACT)), 3)
        chosen.setdefault((found.target, mark), found)
    return list(chosen.values())[:FITTED]


def _jobs(size: int, table: ValueTable, bench: Bench) -> Iterator[tuple[int, IntArray, IntArray]]:
    """Opcodes with the first and second rows of pairs that have `size` operations altogether."""
    varying = table.varying
    of_size = {k: varying[table.size[varying] == k] for k in range(size + 1)}
    yield FIRST_ALONE, of_size[size], varying[:1]
    known = set(bench.grammar.binary.tolist())
    for opcode in PAIRED:
        for k in range(size if opcode in known else 0):
            if opcode in SYMMETRIC and k > size - 1 - k:
                continue
            yield opcode, of_size[k], of_size[size - 1 - k]


def _fit_and_offer(
    code: IntArray, constants: FloatArray, bench: Bench, settings: BurstSettings, rng: RandomState
) -> None:
    """Fit a program from its constants and some others, and offer it."""
    drawing, work, table = bench.drawing, bench.work, bench.search
    n, n_inputs = len(code), table.inputs.shape[0]
    if not 0 < n <= len(drawing.code):
        return
    drawing.code[:n], drawing.constants[:n] = code, constants
    drawing.lineage[:] = -1
    n = int(normalise(drawing.code, drawing.constants, n, n_inputs, drawing.scratch, has_arithmetic(bench.vocabulary)))
    if not 0 < n <= bench.grammar.max_operations:
        return
    n_constants = link(drawing.code, drawing.constants, n, n_inputs, work.tape, drawing.inherited)
    if n_constants > settings.max_constants:
        return
    error = search_constants(work, drawing, n, n_constants, table, MUTATE, LEAPS, NO_LIMIT, rng)
    if error < np.inf:
        unlink(drawing.code, drawing.constants, n, drawing.flat)
        offer(bench.elites, work, drawing, n, n_constants, n_inputs, error)
