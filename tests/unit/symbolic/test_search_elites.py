"""The small archive inside a burst: one elite a structure, one an error, the worst makes room."""

import numpy as np
import pytest

from evolve.symbolic.elites import (
    CONSTANT_CELLS,
    DIVISION_CELLS,
    PER_CELL,
    Elites,
    allocate_elites,
    cell_of,
    copy_genome,
    random_slot,
    slot_for,
    store,
    worst_error,
)
from evolve.symbolic.normal_form import CONSTANT, UNUSED
from evolve.symbolic.tape import FloatArray, IntArray
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_EXP, OP_MUL, OP_SUB

CELL = 5
LIMIT = 6


def line(n: int) -> tuple[IntArray, FloatArray]:
    """A genome of `n` sums, each of the last value and a constant."""
    code, constants = np.zeros((LIMIT, 3), np.int64), np.zeros((LIMIT, 2))
    for i in range(n):
        code[i], constants[i, 1] = (OP_ADD, i, CONSTANT), float(i + 1)
    return code, constants


def offer(elites: Elites, *, error: float, structure: int, cell: int = CELL, n: int = 1) -> int:
    """What the search does with a newcomer: ask for its slot and take it."""
    slot = slot_for(elites, cell, structure, error)
    if slot >= 0:
        store(elites, slot, *line(n), n)
        elites.error[slot], elites.structure[slot] = error, structure
    return slot


def errors_in(elites: Elites, cell: int = CELL) -> list[float]:
    held = elites.error[cell * PER_CELL : (cell + 1) * PER_CELL]
    return sorted(float(error) for error in held if error < np.inf)


def test_a_new_archive_is_empty_and_lets_everybody_in() -> None:
    elites = allocate_elites(LIMIT)

    assert np.isinf(elites.error).all()
    assert not elites.counts.any()
    assert elites.error.size == (LIMIT + 1) * DIVISION_CELLS * CONSTANT_CELLS * PER_CELL
    assert worst_error(elites, CELL) == np.inf


def test_an_archive_for_no_operations_still_has_room_for_the_empty_program() -> None:
    elites = allocate_elites(0)

    assert offer(elites, error=1.0, structure=0, cell=0, n=0) == 0
    assert elites.length[0] == 0


@pytest.mark.parametrize(
    ("rows", "cell"),
    [
        ([], (0, 0, 0)),
        ([(OP_ADD, 0, CONSTANT)], (1, 0, 1)),
        ([(OP_DIV, CONSTANT, 0), (OP_SUB, 1, 0)], (2, 1, 1)),
        ([(OP_MUL, 0, 0)] * 3, (3, 0, 0)),
        ([(OP_DIV, 0, 0)] * 6, (6, 5, 0)),
        ([(OP_EXP, 0, UNUSED), (OP_DIV, CONSTANT, 0)], (2, 2, 1)),  # a function costs what a division does
        ([(OP_ADD, CONSTANT, CONSTANT)] * 6, (6, 0, 8)),
    ],
)
def test_cells_count_operations_costly_ones_and_constants_the_latter_up_to_a_limit(
    rows: list[tuple[int, int, int]], cell: tuple[int, int, int]
) -> None:
    code = np.zeros((LIMIT, 3), np.int64)
    code[: len(rows)] = np.array(rows, np.int64).reshape(-1, 3)
    operations, costly, constants = cell

    found = cell_of(code, len(rows))

    assert found == (operations * DIVISION_CELLS + costly) * CONSTANT_CELLS + constants
    assert found < allocate_elites(LIMIT).cells.size


def test_a_cell_holds_several_structures_and_then_its_worst_makes_room() -> None:
    elites = allocate_elites(LIMIT)
    for k in range(PER_CELL):
        offer(elites, error=2.0**k, structure=k)

    entered = offer(elites, error=3.0, structure=99)

    assert entered >= 0
    assert errors_in(elites) == [1.0, 2.0, 3.0, 4.0, 8.0, 16.0, 32.0, 64.0]
    assert worst_error(elites, CELL) == 64.0


def test_a_newcomer_worse_than_all_of_a_full_cell_stays_out() -> None:
    elites = allocate_elites(LIMIT)
    for k in range(PER_CELL):
        offer(elites, error=2.0**k, structure=k)

    assert offer(elites, error=300.0, structure=99) == -1
    assert len(errors_in(elites)) == PER_CELL


@pytest.mark.parametrize(("error", "enters"), [(0.5, True), (1.0, False), (2.0, False)])
def test_a_structure_is_held_once_and_only_a_lower_error_replaces_it(error: float, enters: bool) -> None:
    elites = allocate_elites(LIMIT)
    held = offer(elites, error=1.0, structure=7)

    slot = offer(elites, error=error, structure=7)

    assert slot == (held if enters else -1)
    assert errors_in(elites) == [min(error, 1.0)]


@pytest.mark.parametrize(
    ("error", "held"), [(0.995, [0.995]), (1.005, [1.0]), (1.02, [1.0, 1.02]), (0.98, [0.98, 1.0])]
)
def test_errors_that_agree_to_a_percent_count_as_one_program(error: float, held: list[float]) -> None:
    elites = allocate_elites(LIMIT)
    offer(elites, error=1.0, structure=7)

    offer(elites, error=error, structure=8)

    assert errors_in(elites) == held


def test_its_own_structure_comes_before_an_equal_error() -> None:
    elites = allocate_elites(LIMIT)
    offer(elites, error=1.0, structure=1)
    own = offer(elites, error=2.0, structure=2)

    assert slot_for(elites, CELL, 2, 1.001) == own


def test_an_error_that_is_no_number_or_infinite_never_enters() -> None:
    elites = allocate_elites(LIMIT)

    assert offer(elites, error=np.inf, structure=1) == -1
    assert offer(elites, error=np.nan, structure=1) == -1
    assert errors_in(elites) == []


def test_cells_do_not_share_their_structures() -> None:
    elites = allocate_elites(LIMIT)

    slots = [offer(elites, error=1.0, structure=3, cell=cell) for cell in (2, 4)]

    assert [slot // PER_CELL for slot in slots] == [2, 4]


def test_a_cell_is_noted_as_occupied_once() -> None:
    elites = allocate_elites(LIMIT)
    for cell, error in ((9, 1.0), (2, 1.0), (9, 5.0), (9, 0.2), (2, 0.5)):
        offer(elites, error=error, structure=int(error * 10), cell=cell)

    assert elites.counts[0] == 2
    assert elites.cells[:2].tolist() == [9, 2]


@pytest.mark.parametrize("n", [0, 1, 4, LIMIT])
def test_a_stored_genome_is_copied_out_as_it_went_in(n: int) -> None:
    elites, (code, constants) = allocate_elites(LIMIT), line(n)
    slot = CELL * PER_CELL
    store(elites, slot, code, constants, n)
    to_code, to_constants = np.full((LIMIT, 3), 77), np.full((LIMIT, 2), 77.0)

    length = copy_genome(elites.code, elites.constants, elites.length, slot, to_code, to_constants)

    assert length == n
    np.testing.assert_array_equal(to_code[:n], code[:n])
    np.testing.assert_array_equal(to_constants[:n], constants[:n])
    assert (to_code[n:] == 77).all()


def test_a_stored_genome_is_a_copy() -> None:
    elites, (code, constants) = allocate_elites(LIMIT), line(3)
    store(elites, 0, code, constants, 3)

    code[:], constants[:] = 0, 0.0

    np.testing.assert_array_equal(elites.code[0, :3], line(3)[0][:3])
    np.testing.assert_array_equal(elites.constants[0, :3], line(3)[1][:3])


def test_elites_are_drawn_evenly_by_cell_and_then_within_it() -> None:
    # given one elite in one cell and three in another
    elites = allocate_elites(LIMIT)
    alone = offer(elites, error=1.0, structure=1, cell=3)
    together = [offer(elites, error=error, structure=int(error), cell=8) for error in (1.0, 2.0, 4.0)]
    state = np.array([1], np.uint64)

    drawn = [random_slot(elites, state) for _ in range(1200)]

    assert set(drawn) == {alone, *together}
    assert drawn.count(alone) == pytest.approx(600, abs=80)
    assert all(drawn.count(slot) == pytest.approx(200, abs=60) for slot in together)


def test_whatever_is_offered_the_rules_of_a_cell_hold() -> None:
    elites, rng = allocate_elites(LIMIT), np.random.default_rng(5)
    best, worst = np.inf, np.inf

    for _ in range(600):
        error, structure = float(rng.lognormal(0.0, 2.0)), int(rng.integers(40))
        offer(elites, error=error, structure=structure)

        held = errors_in(elites)
        best = min(best, error)
        slots = range(CELL * PER_CELL, (CELL + 1) * PER_CELL)
        structures = [int(elites.structure[slot]) for slot in slots if elites.error[slot] < np.inf]
        assert len(set(structures)) == len(structures) <= PER_CELL
        assert held[0] == best
        assert worst_error(elites, CELL) <= worst or len(held) < PER_CELL
        worst = worst_error(elites, CELL)
