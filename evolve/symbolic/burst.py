"""One search burst: a pure function of parents, target, settings and `rng_seed`, safe to run in any process."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evolve.symbolic.contract import BurstKind, BurstResult, BurstSettings, Child, FitTarget
from evolve.symbolic.elites import Elites, allocate_elites
from evolve.symbolic.exchange import exchange, lawson
from evolve.symbolic.genomes import grammar_of, has_arithmetic, read_genome, write_genome
from evolve.symbolic.least_squares import Table, Workspace, allocate, differentiate, evaluate, fit
from evolve.symbolic.moves import Grammar
from evolve.symbolic.normal_form import depth_of, link, unlink
from evolve.symbolic.rounding import SETTLE_BELOW, exact_residuals, settle
from evolve.symbolic.search import Drawing, Plan, Seeds, run, stays_between
from evolve.symbolic.tables import blank_like, check_band, full_table, search_table
from evolve.symbolic.tape import FloatArray
from sandbox.symbolic.double_double import has_double_double
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

TICKS_PER_WORK = 110_000_000
VISIT_TABLE = 1 << 18
PER_OUTER_CELL = 6
SAME_ERROR = 0.01
EXCHANGE_ABOVE = 1e-13
FINISHING_TICKS = 200_000
_MIX = {  # refit, crossover, square, shrink: probabilities of a step
    BurstKind.MUTATE: (0.12, 0.1, 0.03, 0.06),
    BurstKind.REFIT: (0.75, 0.0, 0.02, 0.2),
    BurstKind.CROSSOVER: (0.12, 0.8, 0.03, 0.06),
}


@dataclass(frozen=True, slots=True)
class _Bench:
    """The arrays of one burst."""

    grammar: Grammar
    work: Workspace
    full_work: Workspace
    drawing: Drawing
    search: Table
    full: Table
    weighted: Table
    elites: Elites


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
    rng = np.array([np.random.default_rng(list(rng_seed)).integers(0, 2**63)], np.uint64)
    bench = _prepare(vocabulary, target, settings)
    plan = Plan(
        *_MIX[BurstKind(settings.kind)], settings.max_constants, int(settings.work * TICKS_PER_WORK),
        has_arithmetic(vocabulary), bool((target.values > 0).all()),
    )  # fmt: skip
    seeds = _seeds(bench, parents, vocabulary)
    steps = run(bench.elites, bench.work, bench.drawing, bench.search, bench.grammar, plan, seeds, rng)
    chosen = _choose(bench, parents, seeds, settings.n_children)
    with np.errstate(all="ignore"):  # constants of a hopeless fit may be huge; what comes out is checked
        children = tuple(_finish(bench, slot, parents, vocabulary, target) for slot in chosen)
    finished = tuple(child for child in children if child is not None)
    ticks = int(bench.work.ticks[0] + bench.full_work.ticks[0])
    names = ("cells", "offers", "entries", "fits", "refits", "repeats", "poles")
    statistics = dict(zip(names, map(float, bench.elites.counts[:7]), strict=True)) | {"steps": float(steps)}
    return BurstResult(children=finished, work=ticks / TICKS_PER_WORK, statistics=statistics)


def _prepare(vocabulary: Vocabulary, target: FitTarget, settings: BurstSettings) -> _Bench:
    n_inputs = np.atleast_2d(target.points).shape[0]
    grammar = grammar_of(vocabulary, n_inputs=n_inputs, max_operations=settings.max_operations)
    search, full = search_table(target), full_table(target)
    capacity = 2 * settings.max_operations + 4
    work = allocate(n_inputs, capacity, search.target.size)
    full_work = allocate(n_inputs, capacity, full.target.size)
    work.values[:n_inputs], full_work.values[:n_inputs] = search.inputs, full.inputs
    drawing = _drawing(n_inputs, capacity, target)
    elites = allocate_elites(settings.max_operations)
    return _Bench(grammar, work, full_work, drawing, search, full, blank_like(full), elites)


def _drawing(n_inputs: int, capacity: int, target: FitTarget) -> Drawing:
    between, low, high = check_band(target)
    rows = n_inputs + 3 * capacity
    check_values = np.zeros((rows, between.size))
    if between.size:
        check_values[0] = between
    return Drawing(
        code=np.zeros((capacity, 3), np.int64),
        constants=np.zeros((capacity, 2)),
        donor=np.zeros((capacity, 3), np.int64),
        donor_constants=np.zeros((capacity, 2)),
        flat=np.zeros(2 * capacity),
        best=np.zeros(2 * capacity),
        inherited=np.zeros(2 * capacity),
        scratch=np.zeros(capacity + n_inputs, np.int64),
        system=np.zeros((2 * rows, rows + 1)),
        lineage=np.zeros(2, np.int64),
        check_values=check_values,
        check_low=low,
        check_high=high,
        check_scale=np.array([np.abs(target.values).max() if target.relative else 1.0]),
        visits=np.zeros(VISIT_TABLE, np.int64),
    )


def _seeds(bench: _Bench, parents: Sequence[Program], vocabulary: Vocabulary) -> Seeds:
    """The parents that a genome can hold."""
    limit = bench.grammar.max_operations
    code = np.zeros((len(parents), limit, 3), np.int64)
    constants = np.zeros((len(parents), limit, 2))
    length: list[int] = []
    index: list[int] = []
    for position, program in enumerate(parents):
        n = write_genome(program, vocabulary, code[len(length)], constants[len(length)])
        if n > 0 and len(program.inputs) == bench.grammar.n_inputs:
            length.append(n)
            index.append(position)
    errors = np.full(len(length), np.inf)
    return Seeds(code, constants, np.array(length, np.int64), np.array(index, np.int64), errors)


def _choose(bench: _Bench, parents: Sequence[Program], seeds: Seeds, n_children: int) -> list[int]:
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


def _finish(
    bench: _Bench, slot: int, parents: Sequence[Program], vocabulary: Vocabulary, target: FitTarget
) -> Child | None:
    """Level a chosen elite on all points and make it a program; None if levelling shows a pole."""
    elites, drawing, work, n_inputs = bench.elites, bench.drawing, bench.full_work, bench.grammar.n_inputs
    n, n_points = int(elites.length[slot]), target.values.size
    code, constants = elites.code[slot], elites.constants[slot].copy()
    n_constants = link(code, constants, n, n_inputs, work.tape, drawing.flat)

    def residuals_of(flat: FloatArray) -> FloatArray:
        evaluate(work, n, n_constants, flat, bench.full)
        return work.residual[:n_points].copy()

    def derivatives_of(flat: FloatArray) -> FloatArray:
        evaluate(work, n, n_constants, flat, bench.full)
        differentiate(work, n, n_constants, bench.full)
        rows = work.adjoints[n_inputs + n : n_inputs + n + n_constants, :n_points].T.copy()
        return np.where(np.isfinite(rows), rows, 0.0)

    def refit(flat: FloatArray, importance: FloatArray, iterations: int) -> None:
        bench.weighted.weights[:n_points] = bench.full.weights[:n_points] * np.sqrt(importance)
        fit(work, n, n_constants, flat, bench.weighted, iterations, False)

    flat = drawing.flat[:n_constants].copy()
    work.ticks[0] += FINISHING_TICKS
    if n_constants:
        flat = lawson(flat, n_points, residuals_of, refit)
        if np.abs(residuals_of(flat)).max() > EXCHANGE_ABOVE:
            flat = exchange(flat, residuals_of, derivatives_of)
    error = float(np.abs(residuals_of(flat)).max())
    if not np.isfinite(error) or not stays_between(work, drawing, n, n_constants, n_inputs, flat, error):
        return None
    alike = next((parent for parent in parents if len(parent.inputs) == n_inputs), None)
    name, inputs = (alike.name, alike.inputs) if alike is not None else ("f", _input_names(n_inputs))

    def program_of(flat: FloatArray) -> Program:
        unlink(code, constants, n, flat)
        return read_genome(code, constants, n, vocabulary, name=name, inputs=inputs)

    program = program_of(flat)
    if error < SETTLE_BELOW and n_constants and has_double_double(program, vocabulary):
        flat = exchange(flat, lambda moved: exact_residuals(program_of(moved), vocabulary, target), derivatives_of)
        derivatives = derivatives_of(flat)
        program, error = settle(program_of(flat), vocabulary, target, derivatives.T, np.random.default_rng(n))
    indices = tuple(int(i) for i in elites.parents[slot] if i >= 0)
    return Child(program=program, error=error, parent_indices=indices)


def _input_names(n: int) -> tuple[str, ...]:
    return ("x",) if n == 1 else tuple(f"x{i}" for i in range(n))
