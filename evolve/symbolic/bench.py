"""The arrays that one burst works in, and its parents as genomes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.elites import Elites, allocate_elites
from evolve.symbolic.genomes import grammar_of, write_genome
from evolve.symbolic.least_squares import Table, Workspace, allocate
from evolve.symbolic.moves import Grammar
from evolve.symbolic.search import Drawing, Seeds
from evolve.symbolic.tables import blank_like, check_band, full_table, search_table
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

VISIT_TABLE = 1 << 18


@dataclass(frozen=True, slots=True)
class Bench:
    """The arrays of one burst; `search` holds the points of its fits, `full` all points."""

    vocabulary: Vocabulary
    grammar: Grammar
    work: Workspace
    full_work: Workspace
    drawing: Drawing
    search: Table
    full: Table
    weighted: Table
    elites: Elites


def prepare(vocabulary: Vocabulary, target: FitTarget, max_operations: int) -> Bench:
    """Empty arrays for programs of so many operations."""
    n_inputs = np.atleast_2d(target.points).shape[0]
    grammar = grammar_of(vocabulary, n_inputs=n_inputs, max_operations=max_operations)
    search, full = search_table(target), full_table(target)
    capacity = 2 * max_operations + 4
    work = allocate(n_inputs, capacity, search.target.size)
    full_work = allocate(n_inputs, capacity, full.target.size)
    work.values[:n_inputs], full_work.values[:n_inputs] = search.inputs, full.inputs
    drawing = _drawing(n_inputs, capacity, target)
    elites = allocate_elites(max_operations)
    return Bench(vocabulary, grammar, work, full_work, drawing, search, full, blank_like(full), elites)


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
        marks=np.zeros((2, capacity + n_inputs), np.int64),
        system=np.zeros((2 * rows, rows + 1)),
        lineage=np.zeros(2, np.int64),
        check_values=check_values,
        check_low=low,
        check_high=high,
        check_scale=np.array([(1.0 / target.scale).max()]),
        visits=np.zeros(VISIT_TABLE, np.int64),
    )


def seeds_of(bench: Bench, parents: Sequence[Program]) -> Seeds:
    """The parents that a genome can hold; their errors are not known yet."""
    limit = bench.grammar.max_operations
    code = np.zeros((len(parents), limit, 3), np.int64)
    constants = np.zeros((len(parents), limit, 2))
    length: list[int] = []
    index: list[int] = []
    for position, program in enumerate(parents):
        n = write_genome(program, bench.vocabulary, code[len(length)], constants[len(length)])
        if n > 0 and len(program.inputs) == bench.grammar.n_inputs:
            length.append(n)
            index.append(position)
    errors = np.full(len(length), np.inf)
    return Seeds(code, constants, np.array(length, np.int64), np.array(index, np.int64), errors)
