"""Quantities are what the exact verifiers compute, their slopes are derivatives, and their steps keep what they say."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from evaluators.constructions.registry import verify
from sandbox.toolbox import entropies, intervals, loads, patterns, polygons, profiles, zeros
from sandbox.toolbox.adaptation import adapted
from sandbox.toolbox.base import found_by
from sandbox.toolbox.charges import Charges, Coulomb, HullVolume, icosahedral_rotations, orbits_of
from sandbox.toolbox.laguerre import double_roots, hermite_coefficients
from sandbox.toolbox.vectors import Quantity, Vectors
from tests.unit.toolbox.makers_continuous import CASES, Case

each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def score_of(case: Case, x: Any) -> float:
    verdict = verify(case.verifier, case.construction(x), case.parameters)
    assert verdict.valid, verdict.reason
    assert verdict.score is not None
    return verdict.score


@each_case
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_vector_is_worth_what_the_verifier_says(case: Case, seed: int) -> None:
    toolbox = Vectors(case.quantity, work=10.0, seed=seed)
    x = toolbox.random()
    expected = case.score(toolbox.value(x))

    found = score_of(case, x)

    if case.may_be_worth_more:
        assert found >= expected - 1e-9
    else:
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.is_smooth], ids=[case.name for case in CASES if case.is_smooth]
)
def test_slopes_are_derivatives(case: Case) -> None:
    toolbox = Vectors(case.quantity, work=1e9, seed=5)
    low, high = toolbox.box(toolbox.random())
    x = np.maximum(toolbox.jitter(toolbox.random(), size=1e-4), low + 1e-3 * (high - low))
    which = np.argsort(case.quantity.terms(x), kind="stable")[:12]
    plain = Quantity(
        low=case.quantity.low, high=case.quantity.high, start=case.quantity.start, terms=case.quantity.terms
    )

    given, by_differences = toolbox.slopes(x, which), Vectors(plain, work=1e9, seed=5).slopes(x, which)

    assert given == pytest.approx(by_differences, rel=1e-4, abs=1e-5 * (1.0 + np.abs(by_differences).max()))


@each_case
def test_solvers_never_show_less_than_they_were_given_nor_leave_the_bounds(case: Case) -> None:
    toolbox = Vectors(case.quantity, work=1e9, seed=4)
    x = toolbox.random()
    before = toolbox.value(x)
    low, high = toolbox.box(x)

    found = (
        toolbox.ascend(x, rounds=3),
        toolbox.soften(x, rounds=5),
        toolbox.simplex(x, rounds=15),
        toolbox.adapt(x, rounds=3),
        toolbox.balance(x, rounds=2),
    )

    assert toolbox.best_value >= before
    assert found[0] is x or toolbox.value(found[0]) >= before
    for moved in found:
        assert (moved >= low - 1e-12).all()
        assert (moved <= high + 1e-12).all()


@pytest.mark.parametrize(
    ("vector", "there_and_back"),
    [
        (loads.edges_and_triangles(30), lambda x: loads.edge_densities(loads.multipartite_weights(x))),
        (polygons.squares_in_square(4), lambda x: polygons.square_vector(polygons.square_rows(x))),
        (polygons.hexagons_in_hexagon(4), lambda x: polygons.hexagon_vector(polygons.hexagon_rows(x))),  # type: ignore[arg-type]
        (intervals.maximal_function(9), lambda x: intervals.mass_vector(intervals.mass_rows(x))),
        (patterns.turan_tetrahedron(4), lambda x: patterns.pattern_vector(patterns.pattern_of(x, 4), 4)),
        (profiles.young_convolution(12), lambda x: profiles.profile_vector(profiles.young_pair(x))),
        (entropies.arithmetic_kakeya(4, "three"), lambda x: entropies.masses(entropies.atoms(x), 4)),
        (zeros.distance_to_critical(5, "sendov"), lambda x: zeros.zero_vector(zeros.zero_rows(x, 5))),
        (zeros.smale_quotients(5), lambda x: zeros.coefficient_vector(zeros.coefficient_rows(x))),
    ],
    ids=["edges", "squares", "hexagons", "masses", "pattern", "young", "entropies", "zeros", "smale"],
)
def test_what_a_run_hands_on_is_worth_what_it_was(vector: Quantity, there_and_back: Any) -> None:
    toolbox = Vectors(vector, work=1.0, seed=2)
    x = toolbox.random()

    assert toolbox.value(toolbox.inside(there_and_back(x))) == pytest.approx(toolbox.value(x), rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_the_farthest_stack_reaches_half_of_a_harmonic_number_exactly(n: int) -> None:
    toolbox = Vectors(loads.block_stacking(n), work=50, seed=1)
    found = found_by(lambda t: t.soften(t.random()), toolbox)

    verdict = verify("block_stacking", loads.block_centres(found), {"n": n})

    assert verdict.value == sum((Fraction(1, 2 * k) for k in range(1, n + 1)), Fraction(0))


def test_turans_pattern_is_found_and_worth_five_ninths_exactly() -> None:
    toolbox = Vectors(patterns.turan_tetrahedron(3), work=50, seed=1)
    found = found_by(lambda t: [t.soften(t.random()) for _ in range(30)], toolbox)

    verdict = verify("turan_tetrahedron", patterns.pattern_of(found, 3), {"n": 3})

    assert verdict.value == Fraction(5, 9)


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_a_turned_polygon_of_zeros_reaches_what_sendov_conjectured(n: int) -> None:
    toolbox = zeros.Zeros(n, "sendov", work=50, seed=1)
    x = toolbox.rim(toolbox.symmetrise(toolbox.orbit(), order=1))

    verdict = verify("sendov", zeros.zero_rows(x, n), {"n": n})

    assert verdict.score == pytest.approx(1.0, abs=1e-12)


def test_points_on_the_rim_are_written_inside_of_it() -> None:
    rows = zeros.zero_rows(np.array([1.0, 1.0, 1.0, 0.0, 1.0 / 3.0, 0.123456789]), 3)

    for row in rows:
        square = sum((Fraction(part) ** 2 for part in row), Fraction(0))
        assert 1 - Fraction(1, 10**60) < square <= 1


def test_hermite_coefficients_keep_the_double_root() -> None:
    toolbox = Vectors(double_roots(1), work=100, seed=1)
    found = found_by(lambda t: [t.simplex(t.random(), rounds=60, size=0.01) for _ in range(4)], toolbox)

    verdict = verify("uncertainty_hermite", hermite_coefficients(found, 3), {"n": 3})

    assert verdict.score == pytest.approx(toolbox.best_value, abs=1e-12)


def test_symmetrised_zeros_turn_into_themselves() -> None:
    toolbox = zeros.Zeros(6, "sendov", work=1.0, seed=3)
    x = toolbox.symmetrise(toolbox.random(), order=3)

    turned = x.copy()
    turned[6:] = np.mod(x[6:] + 1.0 / 3.0, 1.0)

    def points(vector: Any) -> Any:
        return np.sort_complex(np.round(vector[:6] * np.exp(2j * np.pi * vector[6:]), 9))

    assert points(turned) == pytest.approx(points(x), abs=1e-8)


def test_the_icosahedron_has_sixty_rotations_and_its_orbits_are_symmetric() -> None:
    group = icosahedral_rotations()
    points = Charges(72, 3, Coulomb(), work=10, seed=1).icosahedral()

    assert group.shape == (60, 3, 3)
    assert np.einsum("nij,nkj->nik", group, group) == pytest.approx(np.tile(np.eye(3), (60, 1, 1)), abs=1e-12)
    assert orbits_of(282) == ((1, 0, 1), 4)
    assert orbits_of(13) is None
    for rotation in group[:7]:
        nearest = np.linalg.norm((points @ rotation.T)[:, None] - points, axis=2).min(1)
        assert nearest.max() < 1e-9


@pytest.mark.parametrize(
    ("n", "smooth", "optimum"), [(12, Coulomb(), -49.16525305763), (6, HullVolume(), 4.0 / 3.0)], ids=["12", "6"]
)
def test_relaxed_points_reach_the_known_optimum(n: int, smooth: Any, optimum: float) -> None:
    toolbox = Charges(n, 3, smooth, work=100, seed=1)
    found_by(lambda t: [t.relax(t.random(), rounds=200) for _ in range(5)], toolbox)

    assert toolbox.best_value == pytest.approx(optimum, abs=1e-9)


@pytest.mark.parametrize("smooth", [Coulomb(), HullVolume()], ids=["energy", "volume"])
def test_slopes_of_smooth_values_are_derivatives(smooth: Any) -> None:
    rng = np.random.default_rng(1)
    points, move = rng.normal(size=(9, 3)), rng.normal(size=(9, 3))

    change = (smooth.worth(points + 1e-6 * move)[0] - smooth.worth(points - 1e-6 * move)[0]) / 2e-6

    assert (smooth.worth(points)[1] * move).sum() == pytest.approx(change, rel=1e-6)


def test_adaptation_finds_the_bottom_of_a_long_valley() -> None:
    scales = np.array([1.0, 10.0, 100.0])

    found = adapted(lambda x: -float((scales * (x - 0.5) ** 2).sum()), np.zeros(3), 0.3, 150, np.random.default_rng(1))

    assert found == pytest.approx(np.full(3, 0.5), abs=1e-6)


def test_slsqp_makes_the_least_of_two_slopes_as_large_as_it_can_be() -> None:
    tent = Quantity(
        low=0.0,
        high=1.0,
        start=lambda rng: rng.random(2),
        terms=lambda x: np.array([x[0] + x[1], 2.0 - 3.0 * x[0] - x[1]]),
    )
    toolbox = Vectors(tent, work=1e9, seed=1)

    found = toolbox.slsqp(toolbox.random(), rounds=50)

    assert toolbox.value(found) == pytest.approx(1.0, abs=1e-7)  # x = (0, 1)


@pytest.mark.parametrize("steps", [5, 30])
def test_resampled_functions_have_so_many_steps_each(steps: int) -> None:
    pair = profiles.Profiles(20, profiles.young_convolution(20), n_parts=2, work=1.0, seed=1)

    moved = pair.resample(pair.bump(steps=10), steps=steps)

    assert len(moved) == 2 * min(steps, 20)
    assert moved[: len(moved) // 2] == pytest.approx(moved[len(moved) // 2 :])


@pytest.mark.parametrize(
    "make",
    [
        lambda: loads.ring_loading(17, "all"),
        lambda: zeros.Zeros(4, "gauss", work=1.0, seed=1),
        lambda: entropies.arithmetic_kakeya(4, "five"),
        lambda: double_roots(0),
    ],
)
def test_what_a_quantity_does_not_know_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        make()
