"""Values from the literature against what can be computed here: formulas, bounds that are reached, small searches."""

import csv
import math
from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
import pytest

from evaluators.constructions.registry import verify
from evolve.config.locate import shipped_problems
from tests.extent import ALL_TESTS

FOLDERS = shipped_problems()


def known(name: str) -> list[dict[str, str]]:
    with (FOLDERS[name] / "known.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def by(name: str, parameter: str = "n") -> dict[int, float]:
    return {int(row[parameter]): float(row["value"]) for row in known(name)}


def shortest_ruler(n: int) -> int:
    """The length of the shortest Golomb ruler with n marks, by search with all distances so far as bits."""
    length = n * (n - 1) // 2
    while not any(True for _ in rulers(n, length, 0, 1, 0)):
        length += 1
    return length


def rulers(n: int, length: int, last: int, marks: int, distances: int) -> Iterator[None]:
    """Rulers of at most a length; `marks` and `distances` are sets of bits, the mark `last` the lowest bit."""
    left = n - marks.bit_count()
    if left == 0:
        yield None
        return
    for step in range(1, length - last - left * (left - 1) // 2 + 1):
        new = marks << step
        if not new & distances:
            yield from rulers(n, length, last + step, new | 1, distances | new)


@pytest.mark.parametrize("n", range(4, 10 if ALL_TESTS else 8))
def test_the_shortest_golomb_rulers_are_as_short_as_a_search_finds(n: int) -> None:
    assert by("golomb_ruler")[n] == shortest_ruler(n)


def test_longer_golomb_rulers_obey_what_shorter_ones_allow() -> None:
    lengths = by("golomb_ruler")

    for n in range(5, 21):
        assert lengths[n - 1] < lengths[n] < n * n
        # The distances over k steps are different numbers: their sum is at most what the ends allow.
        assert lengths[n] > n * n - 2 * n * math.sqrt(n) + math.sqrt(n) - 2


def determinant_bound(n: int) -> float:
    """Hadamard's bound, and those of Barba and of Ehlich and Wojtas for other orders."""
    if n % 4 == 0:
        return math.pow(n, n / 2)
    if n % 2:
        return math.sqrt(2 * n - 1) * math.pow(n - 1, (n - 1) / 2)
    return 2.0 * (n - 1) * math.pow(n - 2, n / 2 - 1)


def test_largest_determinants_obey_the_bounds_and_reach_those_that_can_be_reached() -> None:
    values = {int(row["n"]): int(row["value"]) for row in known("largest_determinant")}

    for n, value in values.items():
        assert value % 2 ** (n - 1) == 0
        assert value <= determinant_bound(n) * (1 + 1e-12)
    assert {n for n, value in values.items() if value > determinant_bound(n) * (1 - 1e-12)} >= {4, 5, 6, 8, 10, 12}
    assert values[29] == 320 * 7**12 * 2**28


@pytest.mark.parametrize("n", [3, 4])
def test_the_largest_determinants_of_small_orders_are_those_of_all_matrices(n: int) -> None:
    rows = list(product((1, -1), repeat=n - 1))
    # The first row and column may be made all 1.
    matrices = (np.array([[1] * n, *([1, *row] for row in chosen)]) for chosen in product(rows, repeat=n - 1))

    assert max(round(abs(np.linalg.det(matrix))) for matrix in matrices) == by("largest_determinant")[n]


def root_lattice(d: int) -> list[list[int]]:
    """Bases of D3, D4, D5 and of twice E8."""
    if d == 8:
        return [[4, *[0] * 7], *([0] * k + [-2, 2] + [0] * (6 - k) for k in range(6)), [1] * 8]
    return [[1, 1, *[0] * (d - 2)], *([0] * k + [1, -1] + [0] * (d - 2 - k) for k in range(d - 1))]


@pytest.mark.parametrize("d", [3, 4, 5, 8])
def test_the_densest_lattices_have_the_densities_of_root_lattices(d: int) -> None:
    verdict = verify("lattice_packing", root_lattice(d), {"d": d})

    assert verdict.value is not None
    assert float(verdict.value) == pytest.approx(by("lattice_packing", "d")[d], rel=1e-14)


@pytest.mark.parametrize(("d", "gram_determinant"), [(2, 3), (6, 3), (7, 2)])
def test_the_densities_of_other_root_lattices_follow_from_their_determinants(d: int, gram_determinant: int) -> None:
    # A2, E6 and E7 have shortest vectors of the squared length 2.
    radius = math.sqrt(2) / 2
    density = math.pi ** (d / 2) / math.gamma(d / 2 + 1) * radius**d / math.sqrt(gram_determinant)

    assert by("lattice_packing", "d")[d] == pytest.approx(density, rel=1e-14)


def test_barkers_sequence_has_the_best_merit_factor_of_its_length() -> None:
    # All sequences of length 13 that begin with 1; the others are their negatives
    signs = 1 - 2 * ((np.arange(2**12)[:, None] >> np.arange(13)) & 1)
    energy = sum((signs[:, :-shift] * signs[:, shift:]).sum(1) ** 2 for shift in range(1, 13))

    assert 169 / (2 * int(np.min(energy))) == pytest.approx(by("merit_factor")[13], rel=1e-15)
    assert by("merit_factor")[27] == pytest.approx(27**2 / (2 * 37), rel=1e-14)


def test_the_largest_polyhedra_have_the_volumes_of_their_formulas() -> None:
    volumes = {
        4: 8 / (9 * math.sqrt(3)),
        5: math.sqrt(3) / 2,
        6: 4 / 3,
        7: 5 / 3 * math.sin(2 * math.pi / 5),
        8: math.sqrt((475 + 29 * math.sqrt(145)) / 250),
    }
    golden = (1 + math.sqrt(5)) / 2
    edge = 2 / math.sqrt(golden * golden + 1)  # of the icosahedron in the unit ball
    volumes[12] = 5 / 12 * (3 + math.sqrt(5)) * edge**3

    for n, value in by("polyhedron_volume").items():
        assert value == pytest.approx(volumes[n], rel=1e-13), n


def test_closed_forms_stand_where_they_are_known() -> None:
    for n, value in by("rectangle_tiling").items():
        assert value == n + 2 * math.isqrt(n) - 3
    for n, value in by("block_stacking").items():
        assert value == pytest.approx(sum(1 / k for k in range(1, n + 1)) / 2, rel=1e-14)
    for n, value in by("smale").items():
        assert value == pytest.approx((n - 1) / n, rel=1e-15)
    for k, value in by("happy_ending", "k").items():
        assert value == 2 ** (k - 2)
    for row in known("kakeya_finite_field"):
        p = int(row["p"])
        if row["d"] == "2":
            assert float(row["value"]) == p * (p + 1) // 2 + (p - 1) // 2
    for n, value in by("squares_in_square").items():
        assert n == value**2 + 1


def test_regular_bodies_have_the_energies_and_distances_that_are_told() -> None:
    golden = (1 + math.sqrt(5)) / 2
    corners = [[0.0, a, b * golden] for a in (1, -1) for b in (1, -1)]
    icosahedron = [corner[-turn:] + corner[:-turn] for corner in corners for turn in range(3)]

    energy = verify("thomson", icosahedron, {"n": 12, "d": 3}).value

    assert energy is not None
    assert float(energy) == pytest.approx(by("thomson")[12], rel=1e-11)


HEILBRONN: dict[int, tuple[float, ...]] = {
    # Polynomials whose root the value is, from the constant term on
    5: (-1.0, 0.0, 27.0),
    6: (-1.0, 8.0),
    7: (1.0, -14.0, 12.0, 152.0),
    8: (-12.0, 72.0, 1296.0),
    9: (-2240.0, 35200.0, 102400.0),
    10: (-9.0, 268.0, -1764.0, 3456.0),
    11: (-1.0, 27.0),
    12: (-1.0, 28.0, 80.0, 64.0),
    14: (1.0, -60.0, 768.0, 320.0),
    15: (-29.0, 1395.0),
    16: (-7.0, 341.0),
}


def test_heilbronns_values_in_the_square_are_roots_of_their_polynomials() -> None:
    values = by("heilbronn_square")

    assert set(values) == set(HEILBRONN)
    for n, coefficients in HEILBRONN.items():
        slope = sum(k * c * values[n] ** (k - 1) for k, c in enumerate(coefficients) if k)
        assert abs(np.polynomial.polynomial.polyval(values[n], coefficients) / slope) < 1e-14, n
    assert list(values.values()) == sorted(values.values(), reverse=True)


def test_small_spherical_designs_are_no_smaller_than_the_bound_of_delsarte_goethals_and_seidel() -> None:
    for t, value in by("spherical_design", "t").items():
        half = t // 2
        bound = (half + 1) * (half + 2) if t % 2 else (half + 1) ** 2
        assert value >= bound
        if t in (1, 2, 3, 5):
            assert value == bound


def test_regular_polygons_have_the_smallest_triangles_that_are_told() -> None:
    for n, value in by("heilbronn_disk").items():
        angles = 2 * math.pi * np.arange(n) / n
        places = np.column_stack([np.cos(angles), np.sin(angles)])
        areas = [abs(np.linalg.det([b - a, c - a])) / 2 for a, b, c in combinations(places, 3)]
        assert min(areas) / math.pi == pytest.approx(value, rel=1e-13)
