"""A shard of the enumeration: fits its share of all structures of one size and offers the best as elites."""

from functools import cache

import numpy as np

from evolve.symbolic.bench import Bench
from evolve.symbolic.contract import BurstSettings
from evolve.symbolic.elites import Elites
from evolve.symbolic.enumerate_fit import Effort, Fits, Roots, fit_structures, no_fits, roots_of
from evolve.symbolic.enumerate_rank import allocate_probe
from evolve.symbolic.enumerate_seen import brought_to_normal_form
from evolve.symbolic.enumerate_signs import CodeArray
from evolve.symbolic.enumerate_structures import allocate_growing, grow
from evolve.symbolic.laws import Laws, lawful
from evolve.symbolic.least_squares import Table, Workspace, allocate, evaluate
from evolve.symbolic.normal_form import CONSTANT, link, normalise, unlink
from evolve.symbolic.randomness import RandomState
from evolve.symbolic.search import Drawing, offer
from evolve.symbolic.tape import FloatArray, IntArray

COARSE_POINTS = 16  # a multiple of the lanes that compiled sums have
N_ROOTS = 3
OFFERED = 60
FEWEST = 300
"""How many structures every round keeps of a size, all shards together, if they are not hopeless."""

ROUNDS = (  # the share of the structures, what each gets, and how many times the best known error is hopeless
    (1.0, Effort(1, 16, 0, 12, 0.0), np.inf),
    (0.25, Effort(4, 16, 0, 12, 0.0), 1e4),
    (0.06, Effort(12, 16, 24, 12, 100.0), 3e3),
    (0.015, Effort(48, 16, 40, 12, 1e3), 300.0),
    (0.004, Effort(200, 16, 40, 12, 1e3), 30.0),
    (0.001, Effort(400, 16, 40, 12, 1e3), 10.0),
)
N_COARSE_ROUNDS = 2
MOST_THOROUGH = 6
"""How many times as many starts the first rounds give where laws leave fewer structures."""


@cache
def structures(size: int, n_inputs: int) -> CodeArray:
    """All structures of `size` operations over + - * /, as code of genomes; computed once in a process."""
    codes, seen, n_seen = _nothing(0), np.zeros(1 << 16, np.uint64), 0
    for n in range(1, size + 1):
        growing, probe, tally = allocate_growing(n, n_inputs), allocate_probe(n, n_inputs), np.zeros(8, np.int64)
        codes, found, seen, n_seen = grow(growing, probe, n, n_inputs, _nothing(n), seen, n_seen, tally)
        codes = codes[:found]
    return codes[: brought_to_normal_form(codes, n_inputs)].copy()


def _nothing(n: int) -> CodeArray:
    return np.zeros((1 << 10, n, 3), np.int8)


def shard_of(settings: BurstSettings, n_inputs: int, laws: Laws) -> CodeArray:
    """Every `n_shards`-th structure that keeps the laws, so that each shard has some of each kind."""
    codes = structures(settings.size, n_inputs)[settings.shard :: settings.n_shards]
    codes = codes[lawful(codes, laws)] if n_inputs == 1 else codes
    n_constants = (codes[:, :, 1:] == CONSTANT).sum(axis=(1, 2))
    return np.ascontiguousarray(codes[n_constants <= settings.max_constants])


def search_shard(settings: BurstSettings, bench: Bench, laws: Laws, rng: RandomState) -> None:
    """Fit the structures of a shard in rounds and offer the best. Work is counted in `work.ticks`."""
    elites, drawing, work, table = bench.elites, bench.drawing, bench.work, bench.search
    n_inputs, n = table.inputs.shape[0], settings.size
    codes = shard_of(settings, n_inputs, laws)
    everything = len(structures(n, n_inputs)) // settings.n_shards
    times = max(1, min(everything // max(len(codes), 1), MOST_THOROUGH))
    fits = no_fits(len(codes), n)
    coarse = _coarse(table)
    room = allocate(n_inputs, n, coarse.target.size)
    room.values[:n_inputs] = coarse.inputs
    known = _best_known(elites, n)
    alive = np.arange(len(codes))
    for number, (share, effort, hopeless) in enumerate(ROUNDS):
        if number:
            alive = _survivors(fits, alive, max(int(share * len(codes)), FEWEST // settings.n_shards), hopeless * known)
        on_coarse = number < N_COARSE_ROUNDS
        roots, place = _roots(coarse if on_coarse else table), room if on_coarse else work
        if number == N_COARSE_ROUNDS:  # errors on other points are not comparable
            fits.cost[alive], fits.error[alive] = np.inf, np.inf
        fit_structures(codes, alive, fits, effort._replace(starts=times * effort.starts), roots, place, rng)
        known = min(known, float(fits.error[alive].min(initial=np.inf)))
    work.ticks[0] += room.ticks[0]
    for at in alive[np.argsort(fits.error[alive], kind="stable")][:OFFERED].tolist():
        _offer(codes[at], fits.constants[at], elites, drawing, work, table)


def _coarse(table: Table) -> Table:
    """Some of the points of a table."""
    n = int((table.weights > 0.0).sum())
    chosen = np.round(np.linspace(0, n - 1, COARSE_POINTS)).astype(np.int64)
    return Table(np.ascontiguousarray(table.inputs[:, chosen]), table.target[chosen], table.weights[chosen])


def _roots(table: Table) -> Roots:
    return roots_of(table, n_roots=N_ROOTS)


def _best_known(elites: Elites, n: int) -> float:
    """The least error of an elite of at most `n` operations."""
    errors = elites.error[(elites.length <= n) & (elites.error < np.inf)]
    return float(errors.min(initial=np.inf))


def _survivors(fits: Fits, alive: IntArray, n_kept: int, limit: float) -> IntArray:
    """The best, without those beyond the limit, in the order of their errors."""
    ranked = alive[np.argsort(fits.error[alive], kind="stable")][:n_kept]
    return ranked[fits.error[ranked] <= limit]


def _offer(
    code: CodeArray, constants: FloatArray, elites: Elites, drawing: Drawing, work: Workspace, table: Table
) -> None:
    """Offer a structure with its best constants."""
    n, n_inputs = len(code), table.inputs.shape[0]
    drawing.code[:n] = code
    drawing.lineage[:] = -1
    drawing.constants[:n] = 1.0
    n_constants = link(drawing.code, drawing.constants, n, n_inputs, work.tape, drawing.flat)
    drawing.flat[:n_constants] = constants[:n_constants]
    unlink(drawing.code, drawing.constants, n, drawing.flat)
    if normalise(drawing.code, drawing.constants, n, n_inputs, drawing.scratch, True) != n:
        return
    link(drawing.code, drawing.constants, n, n_inputs, work.tape, drawing.flat)
    evaluate(work, n, n_constants, drawing.flat, table)
    error = float(np.abs(work.residual).max())
    if error < np.inf:
        offer(elites, work, drawing, n, n_constants, n_inputs, error)
