# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 compiled: flat arguments, long branches, plain loops
"""The compiled loop of a burst: choose an elite, change it, fit its constants, offer it; until the work is spent.

`run` is one loop with one fit in it, whatever the step: compiled code is copied into each place that calls it, so a
second call would double the time to compile.
"""

from typing import NamedTuple

import numpy as np

from evolve.symbolic.elites import (
    ENTRIES,
    FITS,
    NEWS,
    PER_CELL,
    SAME_ERROR,
    TICKS,
    Elites,
    cell_of,
    copy_genome,
    parent_slot,
    random_slot,
    slot_for,
    store,
    worst_error,
)
from evolve.symbolic.fractions import continue_as_fraction
from evolve.symbolic.grow import grow
from evolve.symbolic.kernel import compiled
from evolve.symbolic.laws import Laws, keeps_laws
from evolve.symbolic.least_squares import Table, Workspace, fit, leap
from evolve.symbolic.moves import (
    Grammar,
    delete,
    graft,
    mutate_genome,
    random_start,
    square,
    trailing_squares,
)
from evolve.symbolic.normal_form import link, normalise, structure_hash, unlink
from evolve.symbolic.randomness import RandomState, below, uniform
from evolve.symbolic.scaling import rescale
from evolve.symbolic.tape import FloatArray, IntArray, forward
from evolve.symbolic.tree import Lineage, adopt, forerunner, reward, reward_of, walk

FIRST_ITERATIONS = 10
MORE_ITERATIONS = 25
LAST_ITERATIONS = 60
NEAR = 100.0  # only errors within this many times the least known for the length get more iterations,
NEARER = 10.0  # and within this many the last ones
LEAPING = 1e4  # leaps begin at sums of squares below this many times the limit
RESTARTS = 12
NEW_STARTS = 3
FAR_BEHIND = 1e4  # a start is left when its sum of squares is this many times the best one's
HOPELESS = 1000.0  # or when its error is this many times the worst that may enter the cell
VISITS = 3
NEWSWORTHY = 0.05  # an error below the best of its length by this part is news
UNSQUARE = 0.3  # how often a square step takes a square away instead
SEED, REFIT, SQUARE, MUTATE, SHRINK, GROW, FRACTION = 0, 1, 2, 3, 4, 5, 6


class Plan(NamedTuple):
    """How a burst spends its work: probabilities of each kind of step, and the limits of what it makes."""

    refit: float
    crossover: float
    square: float
    shrink: float
    grow: float
    fraction: float
    max_constants: int
    max_ticks: int
    rewrite: bool
    powers: bool  # the target is positive, so that squares can be appended by continuation
    laws: Laws
    leaps: int  # how many leaps follow a fit
    front: float  # how often a parent is one of the best of its length
    parity_share: float  # how often a new structure must have the target's parity
    by_tree: bool  # choose elites by upper confidence bounds over their lineage


class Seeds(NamedTuple):
    """The parents as genomes; `error` is filled in with their errors after a short fit."""

    code: IntArray  # (parents, operations, 3)
    constants: FloatArray
    length: IntArray
    position: IntArray
    error: FloatArray


class Drawing(NamedTuple):
    """Genomes under construction and other arrays that steps write into."""

    code: IntArray
    constants: FloatArray
    donor: IntArray
    donor_constants: FloatArray
    flat: FloatArray
    best: FloatArray
    inherited: FloatArray
    scratch: IntArray
    marks: IntArray  # (2, registers)
    system: FloatArray  # equations of dimensional analysis
    lineage: IntArray  # (2,): positions of the parents of the genome under construction
    check_values: FloatArray  # (rows, check points)
    check_low: FloatArray  # (check points,): a program outside low..high here has a pole between the points
    check_high: FloatArray
    check_scale: FloatArray  # [0]: what an error of 1 amounts to
    visits: IntArray


@compiled
def stays_between(
    work: Workspace,
    drawing: Drawing,
    n: int,
    n_constants: int,
    n_inputs: int,
    flat: FloatArray,
    error: float,
) -> bool:
    """Whether the linked program, of a known error at the points, is tame between them: no pole, no NaN."""
    n_points = len(drawing.check_low)
    if n_points == 0:
        return True
    values = drawing.check_values
    for k in range(n_constants):
        for p in range(n_points):
            values[n_inputs + n + k, p] = flat[k]
    forward(work.tape, n, n_inputs, values, n_points)
    last = n_inputs + n - 1
    margin = 3.0 * error * drawing.check_scale[0]
    for p in range(n_points):
        if not drawing.check_low[p] - margin <= values[last, p] <= drawing.check_high[p] + margin:
            return False
    return True


@compiled
def search_constants(
    work: Workspace,
    drawing: Drawing,
    n: int,
    n_constants: int,
    table: Table,
    mode: int,
    leaps: int,
    limit: float,
    rng: RandomState,
) -> float:
    """Fit the linked program from one start or several; the best constants end in `drawing.flat`.

    Returns the largest error there. Every start gets a few iterations; only one that comes near the best so far, and
    whose sum of squares is below `limit`, gets many.
    """
    flat, best, inherited = drawing.flat, drawing.best, drawing.inherited
    best_cost, best_error = np.inf, np.inf
    starts = RESTARTS if mode in (REFIT, SHRINK) else NEW_STARTS if mode == MUTATE else 1
    for start in range(starts if n_constants > 0 else 1):
        if start == 0 and mode != REFIT:
            for k in range(n_constants):
                flat[k] = inherited[k]
        else:
            random_start(flat, n_constants, inherited, rng)
        cost = np.inf
        for stage in range(1 if mode == SEED else 3):
            if stage == 1 and mode != SQUARE and not cost < min(limit, FAR_BEHIND * best_cost):
                break
            if stage == 2 and mode != SQUARE and not cost < min(limit * (NEARER / NEAR) ** 2, FAR_BEHIND * best_cost):
                break
            iterations = FIRST_ITERATIONS if stage == 0 else MORE_ITERATIONS if stage == 1 else LAST_ITERATIONS
            cost = fit(work, n, n_constants, flat, table, iterations, stage == 0)
            if leaps > 0 and mode != SEED and n_constants > 1 and cost < LEAPING * limit:
                error = work.error[0]
                leaped = leap(work, n, n_constants, flat, table, leaps)
                if leaped < cost:
                    cost = leaped
                else:
                    work.error[0] = error
        if cost < best_cost:
            best_cost, best_error = cost, work.error[0]
            for k in range(n_constants):
                best[k] = flat[k]
    for k in range(n_constants):
        flat[k] = best[k]
    return best_error


@compiled
def offer(
    elites: Elites, work: Workspace, drawing: Drawing, n: int, n_constants: int, n_inputs: int, error: float
) -> int:
    """Offer the linked program with the constants in `drawing.flat`; returns its slot or -1."""
    elites.counts[1] += 1
    structure = structure_hash(drawing.code, n, n_inputs, drawing.scratch)
    slot = slot_for(elites, cell_of(drawing.code, n), structure, error)
    if slot < 0:
        return -1
    if not stays_between(work, drawing, n, n_constants, n_inputs, drawing.flat, error):
        elites.counts[6] += 1
        return -1
    unlink(drawing.code, drawing.constants, n, drawing.flat)
    store(elites, slot, drawing.code, drawing.constants, n)
    elites.counts[2] += 1
    elites.error[slot] = error
    elites.structure[slot] = structure
    elites.is_fresh[slot] = 1
    elites.parents[slot, 0], elites.parents[slot, 1] = drawing.lineage[0], drawing.lineage[1]
    return slot


@compiled
def _take(elites: Elites, drawing: Drawing, slot: int) -> int:
    """Begin with an elite; returns its length."""
    drawing.lineage[0], drawing.lineage[1] = elites.parents[slot, 0], elites.parents[slot, 1]
    return copy_genome(elites.code, elites.constants, elites.length, slot, drawing.code, drawing.constants)


@compiled
def _best_of_length(elites: Elites, n: int, max_operations: int) -> int:
    """The slot of the best elite of `n` operations, or -1."""
    per_length = len(elites.error) // (max_operations + 1)
    best = n * per_length
    for slot in range(n * per_length, (n + 1) * per_length):
        if elites.error[slot] < elites.error[best]:
            best = slot
    return best if elites.error[best] < np.inf else -1


@compiled
def _vary(elites: Elites, drawing: Drawing, n: int, grammar: Grammar, plan: Plan, rng: RandomState) -> int:
    """Change the genome under construction into one of another structure; its length, or -1 if that failed."""
    if uniform(rng) < plan.crossover:
        other = random_slot(elites, rng)
        donor, donor_constants = drawing.donor, drawing.donor_constants
        n_donor = copy_genome(elites.code, elites.constants, elites.length, other, donor, donor_constants)
        if drawing.lineage[1] < 0:
            drawing.lineage[1] = elites.parents[other, 0]
        n = graft(drawing.code, drawing.constants, n, donor, donor_constants, n_donor, grammar, rng, drawing.scratch)
    if n >= 0 and uniform(rng) < 1.0 - 0.7 * plan.crossover:
        n = mutate_genome(drawing.code, drawing.constants, n, grammar, rng)
    return n


@compiled
def _admit(elites: Elites, drawing: Drawing, n: int, grammar: Grammar, plan: Plan, rng: RandomState) -> int:
    """The length of a mutated genome whose structure is worth a fit, otherwise -1."""
    if n > grammar.max_operations:
        return -1
    with_parity = uniform(rng) < plan.parity_share
    if not keeps_laws(drawing.code, n, plan.laws, with_parity, drawing.marks):
        return -1
    structure = structure_hash(drawing.code, n, grammar.n_inputs, drawing.scratch)
    index = structure & (len(drawing.visits) - 1)
    drawing.visits[index] += 1
    if drawing.visits[index] > VISITS:
        elites.counts[5] += 1
        return -1
    return n


@compiled
def plant_empty(elites: Elites, drawing: Drawing) -> None:
    """Put the empty program into its cell: every structure can be reached from it."""
    slot = cell_of(drawing.code, 0) * PER_CELL
    store(elites, slot, drawing.code, drawing.constants, 0)
    elites.error[slot] = 1e300


@compiled
def run(
    elites: Elites,
    work: Workspace,
    drawing: Drawing,
    table: Table,
    grammar: Grammar,
    plan: Plan,
    seeds: Seeds,
    tree: Lineage,
    rng: RandomState,
) -> int:
    """Offer the seeds, take steps until `plan.max_ticks` are spent, square the best; returns the number of steps."""
    n_inputs, n_points = table.inputs.shape
    plant_empty(elites, drawing)
    steps, seeded, squared = 0, 0, 1
    chosen, gain = -1, 0.0  # the elite that tree search chose, and what the step brought
    while True:
        if chosen >= 0:
            reward(tree, chosen, gain)
        chosen, gain = -1, 0.0
        slot, before = 0, work.ticks[0]
        if seeded < len(seeds.length):
            mode, n = (
                SEED,
                copy_genome(seeds.code, seeds.constants, seeds.length, seeded, drawing.code, drawing.constants),
            )
            drawing.lineage[0], drawing.lineage[1] = seeds.position[seeded], -1
            seeded += 1
        elif work.ticks[0] < plan.max_ticks:
            work.ticks[0] += 100
            steps += 1
            choice = uniform(rng)
            slot = walk(tree, 0) if plan.by_tree else parent_slot(elites, grammar.max_operations, plan.front, rng)
            mode = REFIT if choice < plan.refit else SQUARE if choice < plan.refit + plan.square else MUTATE
            if plan.refit + plan.square <= choice < plan.refit + plan.square + plan.grow:
                mode = GROW
            elif plan.refit + plan.square + plan.grow <= choice < plan.refit + plan.square + plan.grow + plan.fraction:
                mode = FRACTION
            if choice > 1.0 - plan.shrink:  # one operation less of the best of some length: a redundant one, with luck
                best = _best_of_length(elites, 1 + below(rng, grammar.max_operations), grammar.max_operations)
                mode, slot = SHRINK, best if best >= 0 else slot
            elif plan.by_tree:
                chosen = slot
            n = _take(elites, drawing, slot)
            if mode == SHRINK:
                n = delete(drawing.code, n, n_inputs, rng)
            if mode in (GROW, FRACTION):
                n_constants = link(drawing.code, drawing.constants, n, n_inputs, work.tape, drawing.inherited)
                if n_constants > plan.max_constants - 1 and mode == GROW:
                    continue
                if mode == GROW:
                    n = grow(
                        drawing.code, drawing.constants, n, n_constants, drawing.inherited, work, table, grammar, rng
                    )
                else:
                    n = continue_as_fraction(
                        drawing.code,
                        drawing.constants,
                        n,
                        n_constants,
                        drawing.inherited,
                        work,
                        table,
                        grammar,
                        drawing.marks,
                        rng,
                    )
            if mode == MUTATE:
                n = _vary(elites, drawing, n, grammar, plan, rng)
        elif squared < grammar.max_operations:
            mode, slot = SQUARE, _best_of_length(elites, squared, grammar.max_operations)
            squared += 1
            n = _take(elites, drawing, slot) if slot >= 0 else -1
        else:
            return steps
        if n > 0 and mode != REFIT and mode != SQUARE:
            n = normalise(drawing.code, drawing.constants, n, n_inputs, drawing.scratch, plan.rewrite)
        if mode in (SHRINK, GROW) and n > 0 and not keeps_laws(drawing.code, n, plan.laws, False, drawing.marks):
            n = -1
        if mode in (MUTATE, FRACTION) and n > 0:
            n = _admit(elites, drawing, n, grammar, plan, rng)
        factor = 1.0
        if mode == SQUARE and n > 0:
            factor = 2.0
            if squared == 1 and trailing_squares(drawing.code, n, n_inputs) > 0 and uniform(rng) < UNSQUARE:
                n, factor = n - 1, 0.5
            else:
                n = square(drawing.code, drawing.constants, n, grammar) if plan.powers else -1
        if n < 1:
            continue
        n_constants = link(drawing.code, drawing.constants, n, n_inputs, work.tape, drawing.inherited)
        if factor != 1.0:
            rescale(work.tape, n, n_inputs, n_constants, drawing.inherited, drawing.system, factor)
        if n_constants > plan.max_constants or (mode == REFIT and n_constants == 0):
            continue
        elites.counts[4 if mode == REFIT else 3] += 1
        limit = HOPELESS * (elites.error[slot] if mode == REFIT else worst_error(elites, cell_of(drawing.code, n)))
        near = _best_of_length(elites, n, grammar.max_operations)
        if near >= 0 and mode != REFIT:
            limit = min(limit, NEAR * elites.error[near])
        error = search_constants(work, drawing, n, n_constants, table, mode, plan.leaps, limit * limit * n_points, rng)
        elites.tally[mode, TICKS] += work.ticks[0] - before
        elites.tally[mode, FITS] += 1
        if mode == SEED:
            seeds.error[seeded - 1] = error
        if not error < np.inf or (mode == REFIT and error > elites.error[slot] * (1.0 - SAME_ERROR)):
            continue
        front = _best_of_length(elites, n, grammar.max_operations)
        old = elites.error[front] if front >= 0 else np.inf
        new = offer(elites, work, drawing, n, n_constants, n_inputs, error)
        if new >= 0:
            elites.tally[mode, ENTRIES] += 1
            if error < (1.0 - NEWSWORTHY) * old:
                elites.tally[mode, NEWS] += 1
        if new >= 0 and mode == SEED:
            elites.is_fresh[new] = 0
        if new >= 0 and plan.by_tree:
            adopt(tree, new, forerunner(elites, drawing.scratch, new, n_inputs) if mode == SEED else slot)
            gain = reward_of(old, error)
