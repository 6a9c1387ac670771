"""Steps on sets, choices, tilings and signs: what they promise, and small optima that everybody knows."""

from collections.abc import Callable
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest

from evaluators.constructions.registry import verify
from sandbox.toolbox.base import found_by
from sandbox.toolbox.choices import SmallUnion, lines_by_direction, punctured_lines
from sandbox.toolbox.conflicts import (
    ConflictFree,
    blocks_in_conflict,
    conflicts_of,
    products_in_conflict,
    words_in_conflict,
)
from sandbox.toolbox.convexity import NoConvex, erdos_szekeres, largest_convex
from sandbox.toolbox.graphons import Sidorenko
from sandbox.toolbox.graphs import ShortCycleFree, pencils, repaired
from sandbox.toolbox.grids import GridPoints, images_of
from sandbox.toolbox.residues import SquareFreeResidues, square_conflicts
from sandbox.toolbox.signs import SignSequence
from sandbox.toolbox.tilings import FreeCells, tiles
from tests.unit.toolbox.makers_discrete import words


def worth(verifier: str, construction: Any, **parameters: int | str) -> float:
    """What the exact verifier says."""
    verdict = verify(verifier, construction, parameters)
    assert verdict.valid, verdict.reason
    assert verdict.score is not None
    return verdict.score


@pytest.mark.parametrize(
    ("figure", "n", "solve"),
    [("three_in_line", 6, 12), ("isosceles", 5, 6), ("five_on_a_sphere", 3, 8)],
)
@pytest.mark.parametrize("symmetry", range(5))
def test_grid_points_hold_no_figure_and_are_worth_what_the_verifier_says(
    figure: str, n: int, solve: int, symmetry: int
) -> None:
    verifier = {"three_in_line": "no_three_in_line", "isosceles": "no_isosceles"}.get(figure, "no_five_on_a_sphere")
    toolbox = GridPoints(n, figure, work=1e9, seed=symmetry)

    chosen = toolbox.recreate(toolbox.greedy(symmetry=symmetry), rounds=60, ruin=2, symmetry=symmetry)

    assert worth(verifier, toolbox.cells[chosen == 1].tolist(), n=n) == toolbox.value(chosen)
    if symmetry == 0:
        assert toolbox.value(chosen) >= solve - 1
    kept = set(np.flatnonzero(chosen).tolist())
    assert all(set(row.tolist()) <= kept for row in images_of(toolbox.cells, n, symmetry)[sorted(kept)])


def test_grid_points_with_the_figure_are_worth_nothing() -> None:
    toolbox = GridPoints(4, "three_in_line", work=1.0, seed=1)

    assert toolbox.value(np.ones(16, np.int8)) == -np.inf


@pytest.mark.parametrize("symmetry", range(5))
@pytest.mark.parametrize("dimension", [2, 3])
def test_images_are_the_orbits_of_a_group(dimension: int, symmetry: int) -> None:
    n = 3
    cells = np.array(list(np.ndindex(*(n,) * dimension)))
    images = images_of(cells, n, symmetry)

    assert (images[:, 0] == np.arange(n**dimension)).all()
    orbits = {frozenset(row.tolist()) for row in images}
    assert sum(len(orbit) for orbit in orbits) == n**dimension


def test_shannons_five_words_are_found_and_no_two_are_confused() -> None:
    toolbox = words(5, 2, work=50, seed=1)
    found = found_by(lambda t: [t.swap(t.greedy(), swaps=200) for _ in range(10)], toolbox)

    letters = np.flatnonzero(found)[:, None] // [5, 1] % 5
    assert worth("cycle_power_independent", letters.tolist(), n=5, d=2) == toolbox.best_value == 5.0


def test_two_items_in_conflict_are_worth_nothing() -> None:
    assert words(5, 2, work=1.0, seed=1).value(np.ones(25, np.int8)) == -np.inf


def test_swaps_mend_a_set_with_conflicts() -> None:
    toolbox = words(7, 2, work=1e9, seed=1)

    assert toolbox.value(toolbox.swap(np.ones(49, np.int8), swaps=2000)) == 10.0


def test_numbers_that_fit_have_products_before_no_squarefree_number() -> None:
    conflicts, numbers = products_in_conflict(120)
    toolbox = ConflictFree(conflicts, work=50, seed=2)
    found = found_by(lambda t: t.swap(t.greedy(), swaps=1000), toolbox)

    assert worth("no_squarefree_products", numbers[found == 1].tolist(), n=120) == toolbox.best_value >= 4.0


def test_conflicts_are_listed_from_a_table() -> None:
    starts, neighbours = conflicts_of(np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]], bool))

    assert starts.tolist() == [0, 2, 3, 4]
    assert neighbours.tolist() == [1, 2, 0, 0]


def test_too_many_words_are_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        words_in_conflict(15, 6)


@pytest.mark.parametrize(
    ("blocks", "verifier", "least"),
    [(lines_by_direction(3, 2), "kakeya", 7), (punctured_lines(3, 2), "nikodym", 7)],
    ids=["kakeya", "nikodym"],
)
def test_unions_hold_what_they_must_and_are_small(blocks: Any, verifier: str, least: int) -> None:
    toolbox = SmallUnion(blocks, work=100, seed=1)
    best = found_by(lambda t: [t.anneal(t.greedy(), changes=2000) for _ in range(8)], toolbox)

    points = toolbox.covered(best)[:, None] // [3, 1] % 3
    assert worth(verifier, points.tolist(), p=3, d=2) == toolbox.best_value
    assert toolbox.best_value >= -least


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 12])
def test_tiles_leave_the_free_cells_and_nothing_else(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(10):
        free = rng.permutation(n)
        left = np.ones((n, n), int)
        for top, first, bottom, last in tiles(free):
            left[top:bottom, first:last] -= 1
        assert np.array_equal(left, np.eye(n, dtype=int)[free])


@pytest.mark.parametrize(("n", "fewest"), [(4, 5), (9, 12), (16, 21), (25, 32)])
def test_multiples_of_the_root_have_the_fewest_tiles(n: int, fewest: int) -> None:
    toolbox = FreeCells(n, work=10.0, seed=1)
    free = toolbox.multiples(factor=round(n**0.5))

    assert worth("rectangle_tiling", tiles(free), n=n) == toolbox.value(free) == -fewest


def test_no_permutation_of_four_does_with_fewer_than_five_tiles() -> None:
    assert min(len(tiles(np.array(free))) for free in permutations(range(4))) == 5


def test_a_graphon_is_worth_what_the_verifier_says_and_a_constant_fifteen() -> None:
    toolbox = Sidorenko(3, work=1e9, seed=1)
    graphon = toolbox.random()

    assert worth("sidorenko", graphon.tolist(), n=3) == pytest.approx(toolbox.value(graphon), abs=1e-12)
    assert toolbox.value(toolbox.constant(density=0.3)) == pytest.approx(15.0, abs=1e-12)
    assert toolbox.value(toolbox.climb(graphon, rounds=3)) > toolbox.value(graphon)


def test_twelve_residues_modulo_205_are_found() -> None:
    toolbox = SquareFreeResidues(210, work=1e9, seed=1)
    found = toolbox.swap(np.array([205, 0]), swaps=20000)

    construction = {"m": int(found[0]), "residues": found[1:].tolist()}
    assert len(found) == 13
    assert worth("square_free_differences", construction, n=210) == pytest.approx(toolbox.best_value, abs=1e-12)
    assert toolbox.best_value == pytest.approx(0.7334117970402727, abs=1e-12)


def test_conflicts_of_residues_go_both_ways() -> None:
    starts, neighbours = square_conflicts(7)

    assert (np.diff(starts) == 6).all()  # modulo 7 every number or its negative is a square
    assert sorted(neighbours[:6].tolist()) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("pairs", [0, 1])
@pytest.mark.parametrize(("goal", "verifier"), [("merit", "merit_factor"), ("flat", "flat_polynomial")])
def test_signs_are_worth_what_the_verifier_says(goal: str, verifier: str, pairs: int) -> None:
    toolbox = SignSequence(13, goal, work=1e9, seed=pairs)
    parameters: dict[str, int | str] = {"n": 13} if goal == "merit" else {"n": 13, "divisor": "coefficients"}

    signs = toolbox.anneal(toolbox.mirrored(), flips=3000, pairs=pairs)

    assert worth(verifier, signs.tolist(), **parameters) == pytest.approx(toolbox.value(signs), rel=1e-3)
    assert toolbox.best_value == toolbox.value(signs)


def test_barkers_seven_signs_are_found() -> None:
    toolbox = SignSequence(7, "merit", work=1e9, seed=1)
    found_by(lambda t: [t.anneal(t.random(), flips=500, hot=0.3, cold=0.03) for _ in range(30)], toolbox)

    assert toolbox.best_value == pytest.approx(49 / 6)


def test_mirrored_pairs_keep_the_mirror() -> None:
    toolbox = SignSequence(21, "merit", work=1e9, seed=1)
    signs = toolbox.anneal(toolbox.mirrored(), flips=500, pairs=1)

    turned = signs[::-1] * signs
    assert (turned[:9] == -turned[1:10]).all()


@pytest.mark.parametrize("n", [16, 64, 128])
def test_rudin_and_shapiros_polynomials_stay_below_the_root_of_two_n(n: int) -> None:
    toolbox = SignSequence(n, "flat", work=1.0, seed=1)

    assert toolbox.value(toolbox.shapiro()) >= -np.sqrt(2.0) - 1e-9


@pytest.mark.parametrize("k", [4, 5, 6])
def test_towers_are_as_many_as_erdos_and_szekeres_say(k: int) -> None:
    assert worth("happy_ending", erdos_szekeres(k).tolist(), k=k) == 2 ** (k - 2)


def test_random_points_that_fit_have_no_convex_polygon() -> None:
    toolbox = NoConvex(5, work=1e9, seed=1)
    points = toolbox.add(toolbox.scatter(tries=15), tries=15)

    assert worth("happy_ending", points.tolist(), k=5) == toolbox.value(points) >= 5


@pytest.mark.parametrize(
    ("points", "corners"),
    [
        ([(0, 0), (4, 0), (4, 5), (0, 4)], 4),
        ([(0, 0), (4, 0), (1, 1), (0, 4)], 3),
        ([(0, 0), (10, 1), (13, 9), (5, 15), (-4, 8), (4, 6)], 5),
    ],
)
def test_corners_of_the_largest_convex_polygon_are_counted(points: list[tuple[int, int]], corners: int) -> None:
    assert largest_convex(np.array(points)) == corners


def test_three_points_on_a_line_are_no_set() -> None:
    assert NoConvex(5, work=1.0, seed=1).value(np.array([[0, 0], [1, 1], [2, 2], [3, 3], [9, 0]])) == -np.inf


@pytest.mark.parametrize(("d", "most"), [(8, 14), (9, 18), (10, 30), (11, 35)])
def test_blocks_of_four_that_share_at_most_two_places_are_found(d: int, most: int) -> None:
    conflicts, blocks = blocks_in_conflict(d)
    toolbox = ConflictFree(conflicts, work=1e9, seed=1)
    found_by(lambda t: [t.swap(t.greedy(), swaps=20000) for _ in range(4)], toolbox)

    assert toolbox.best is not None
    assert toolbox.best_value == most
    shared = [len({*a} & {*b}) for a, b in combinations(blocks[toolbox.best == 1].tolist(), 2)]
    assert max(shared) <= 2


def test_points_and_lines_of_five_give_the_graph_of_hoffman_and_singleton() -> None:
    graph = pencils(5, 2)

    assert graph.sum() == 350
    assert np.array_equal(repaired(graph), graph)
    assert ShortCycleFree(50, work=10.0, seed=1).plane(order=5).sum() == 350


@pytest.mark.parametrize("start", ["climb", "descend"])
def test_a_way_through_other_sizes_ends_with_a_graph_of_all_vertices(start: str) -> None:
    toolbox = ShortCycleFree(10, work=1e9, seed=1)
    graph = getattr(toolbox, start)(flips=500)

    assert graph.shape == (10, 10)
    assert toolbox.best_value == toolbox.value(graph) >= 13.0


@pytest.mark.parametrize(
    "make",
    [lambda: GridPoints(4, "squares", work=1.0, seed=1), lambda: SignSequence(9, "loud", work=1.0, seed=1)],
)
def test_goals_that_a_toolbox_does_not_know_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        make()
