"""The small archive inside a burst: cells by operations, divisions and constants, several elites each.

Two rules keep a cell diverse: one elite for a structure, and one for an error (two errors that agree to 1 % are nearly
always the same approximation written in two ways).
"""

from typing import NamedTuple

import numpy as np

from evolve.symbolic.kernel import compiled
from evolve.symbolic.normal_form import CONSTANT
from evolve.symbolic.randomness import RandomState, below, uniform
from evolve.symbolic.tape import FloatArray, IntArray
from sandbox.symbolic.vocabulary import OP_DIV

PER_CELL = 8
DIVISION_CELLS = 6
CONSTANT_CELLS = 9
SAME_ERROR = 0.01
TOURNAMENT = 4  # of so many elites of a length the best becomes a parent
TOURNAMENT_TRIES = 60
STEPS = ("seed", "refit", "square", "mutate", "shrink", "grow", "fraction")
TICKS, FITS, ENTRIES, NEWS = 0, 1, 2, 3


class Elites(NamedTuple):
    """Elites in slots; slot // PER_CELL is the cell. An empty slot has infinite error."""

    code: IntArray  # (slots, operations, 3)
    constants: FloatArray  # (slots, operations, 2)
    length: IntArray
    error: FloatArray
    structure: IntArray
    parents: IntArray  # (slots, 2): positions of the burst's parents it descends from, -1 for none
    is_fresh: IntArray  # 1 when the burst made it
    cells: IntArray  # occupied cells, in order of occupation
    counts: IntArray  # [0] occupied cells, [1] offers, [2] entries, [3] fits, [4] refits, [5] repeats, [6] poles
    tally: IntArray  # (kinds of step, 4): ticks, fits, entries, entries that were news for their length


def allocate_elites(max_operations: int) -> Elites:
    """An empty archive."""
    cells = (max_operations + 1) * DIVISION_CELLS * CONSTANT_CELLS
    slots = cells * PER_CELL
    return Elites(
        np.zeros((slots, max(max_operations, 1), 3), np.int64),
        np.zeros((slots, max(max_operations, 1), 2)),
        np.zeros(slots, np.int64),
        np.full(slots, np.inf),
        np.zeros(slots, np.int64),
        np.full((slots, 2), -1, np.int64),
        np.zeros(slots, np.int64),
        np.zeros(cells, np.int64),
        np.zeros(8, np.int64),
        np.zeros((len(STEPS), 4), np.int64),
    )


@compiled
def cell_of(code: IntArray, n: int) -> int:
    """The cell of a normalised genome."""
    divisions, n_constants = 0, 0
    for i in range(n):
        if code[i, 0] >= OP_DIV:
            divisions += 1
        for side in (1, 2):
            if code[i, side] == CONSTANT:
                n_constants += 1
    divisions = min(divisions, DIVISION_CELLS - 1)
    n_constants = min(n_constants, CONSTANT_CELLS - 1)
    return (n * DIVISION_CELLS + divisions) * CONSTANT_CELLS + n_constants


@compiled
def worst_error(elites: Elites, cell: int) -> float:
    """The error a newcomer must beat to enter a cell (infinite while there is room)."""
    worst = 0.0
    for slot in range(cell * PER_CELL, (cell + 1) * PER_CELL):
        worst = max(worst, elites.error[slot])
    return worst


@compiled
def slot_for(elites: Elites, cell: int, structure: int, error: float) -> int:
    """The slot a newcomer takes, or -1: the one of its own structure, of its equal in error, or the worst."""
    worst = -1
    for slot in range(cell * PER_CELL, (cell + 1) * PER_CELL):
        held = elites.error[slot]
        if held < np.inf and elites.structure[slot] == structure:
            return slot if error < held else -1
    for slot in range(cell * PER_CELL, (cell + 1) * PER_CELL):
        held = elites.error[slot]
        if held < np.inf and abs(held - error) <= SAME_ERROR * held:
            return slot if error < held else -1
        if worst < 0 or held > elites.error[worst]:
            worst = slot
    return worst if error < elites.error[worst] else -1


@compiled
def store(elites: Elites, slot: int, code: IntArray, constants: FloatArray, n: int) -> None:
    """Write a genome into a slot and note its cell as occupied."""
    if elites.error[slot] == np.inf:
        cell = slot // PER_CELL
        known = False
        for other in range(cell * PER_CELL, (cell + 1) * PER_CELL):
            known = known or elites.error[other] < np.inf
        if not known:
            elites.cells[elites.counts[0]] = cell
            elites.counts[0] += 1
    for i in range(n):
        for j in range(3):
            elites.code[slot, i, j] = code[i, j]
        for j in range(2):
            elites.constants[slot, i, j] = constants[i, j]
    elites.length[slot] = n


@compiled
def random_slot(elites: Elites, rng: RandomState) -> int:
    """An elite: uniform over occupied cells, then over the cell."""
    cell = int(elites.cells[below(rng, elites.counts[0])])
    slots = 0
    for slot in range(cell * PER_CELL, (cell + 1) * PER_CELL):
        if elites.error[slot] < np.inf:
            slots += 1
    pick = below(rng, slots)
    for slot in range(cell * PER_CELL, (cell + 1) * PER_CELL):
        if elites.error[slot] < np.inf:
            if pick == 0:
                return slot
            pick -= 1
    return cell * PER_CELL


@compiled
def parent_slot(elites: Elites, max_operations: int, front: float, rng: RandomState) -> int:
    """A parent: any elite, or in a part `front` of all cases one of the best of some length."""
    if uniform(rng) >= front:
        return random_slot(elites, rng)
    n, best = 1 + below(rng, max_operations), -1
    per_length = len(elites.error) // (max_operations + 1)
    found = 0
    for _ in range(TOURNAMENT_TRIES):
        slot = n * per_length + below(rng, per_length)
        if elites.error[slot] < np.inf:
            found += 1
            if best < 0 or elites.error[slot] < elites.error[best]:
                best = slot
            if found == TOURNAMENT:
                break
    return best if best >= 0 else random_slot(elites, rng)


@compiled
def copy_genome(
    code: IntArray, constants: FloatArray, length: IntArray, k: int, to_code: IntArray, to_constants: FloatArray
) -> int:
    """Copy genome `k` of a list of genomes; returns its length."""
    n = length[k]
    for i in range(n):
        for j in range(3):
            to_code[i, j] = code[k, i, j]
        for j in range(2):
            to_constants[i, j] = constants[k, i, j]
    return int(n)
