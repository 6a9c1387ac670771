"""Families that came later: known extremals have their values, symmetries keep them, tampering is noticed."""

import copy
import csv
import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.constructions.registry import verify
from tests.extent import ALL_TESTS
from tests.unit.constructions.checked import certificate, confirm, of_verdict
from tests.unit.constructions.plain import Floats, unit
from tests.unit.constructions.published import FOLDER, needs_records, record, verified

REFUSED = (ValueError, KeyError, TypeError, ZeroDivisionError, IndexError)
ON_A_LINE = [[float(x), 0.0] for x in (1, 2, 4, 7, -3, -5, 0, 2)]
BARS = [[0, 0, 0, 1, 0, 0], [0, 0, 2, 0, 1, 0], [2, 2, 0, 0, 0, 1]]
SNUB_CUBE = [0.8662468181078206, 0.4225186537611115, 0.2666354015167047]


def valued(name: str, data: Any, **parameters: Any) -> float:
    """What a construction is worth; it has to be worth something, and its certificate has to hold."""
    verdict = verify(name, data, parameters)
    assert verdict.valid, verdict.reason
    assert verdict.value is not None
    confirm(of_verdict(name, verdict, parameters))
    return float(verdict.value)


def half_circle(n: int, radius: float) -> Floats:
    angle = 4.0 * np.arctan(np.arange(n + 1) / n)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def sampled(function: Callable[[Floats], Floats], n: int, reach: float) -> list[float]:
    return [float(x) for x in function(np.linspace(-reach, reach, n + 2)[1:-1])]


KNOWN: list[tuple[str, Any, dict[str, Any], float, float]] = [
    # z^4 - 1, with exact zeros: all critical points are 0
    ("borcea", [[1, 0], [0, 1], [-1, 0], [0, -1]], {"n": 4, "p": 2}, 1.0, 1e-9),
    ("de_bruin_sharma", ON_A_LINE, {"n": 8, "tenths": 5}, 2 / 64, 1e-12),
    ("hausdorff_young", [1, 5, -3], {"n": 3, "k": 1}, 1.0, 1e-12),
    ("hausdorff_young", [1], {"n": 3, "k": 2}, (2 / 3) ** 0.25, 1e-12),  # a block's convolution is a tent
    ("interpolation_inequality", [1], {"n": 3, "inequality": "agmon"}, 0.75, 1e-12),
    ("interpolation_inequality", [1, 2, 3, 2, 1], {"n": 5, "inequality": "landau"}, 2.0, 1e-12),
    ("oval_eigenvalue", {"curve": [], "function": [[3, 0]]}, {"n": 4}, 1.0, 1e-13),
    ("harmonic_norm", [0, 0, 5], {"degree": 1}, 1.8**0.25, 1e-12),  # the mean of z^4 is 1/5, that of z^2 is 1/3
    ("crouzeix", {"matrix": [[[0, 0], [7, 0]], [[0, 0], [0, 0]]], "polynomial": [[0, 0], [1, 0]]},
     {"n": 2, "cuts": 512}, 2.0, 4e-5),
    ("matrix_mean", [[[2, 1], [0, 1]]] * 3, {"n": 3, "m": 3, "d": 2, "norm": "frobenius"}, 1.0, 1e-12),
    ("spherical_design", {"group": "octahedral", "points": [SNUB_CUBE], "axes": []}, {"t": 7}, 24.0, 0.0),
    ("spherical_design", {"group": "octahedral", "points": [], "axes": [[1, 0, 0]]}, {"t": 3}, 6.0, 0.0),
    ("spherical_design", {"group": "tetrahedral", "points": [], "axes": [[1, 1, 1]]}, {"t": 2}, 4.0, 0.0),
    ("touching_cylinders", BARS, {"n": 3}, 1.0, 0.0),
    ("kakeya_space", [[0, 0]] * 4, {"n": 2}, 7 / 12, 0.0),  # at height t a square of side 1/2 + t/2
    ("heilbronn_disk", [[1, 0], [0, 1], [-1, 0], [0, -1]], {"n": 4}, 1 / math.pi, 1e-12),
    ("sidon_subset", [0, 1, 3, 7], {"n": 9}, 1.0, 0.0),
    ("sidon_subset", [0, 1, 2, 10], {"n": 9}, 0.75, 0.0),  # 0, 1, 2 have 1 twice
    ("moving_sofa", half_circle(60, 2 / math.pi), {"n": 60, "turns": "one"}, math.pi / 2 + 2 / math.pi, 4e-3),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "parameters", "value", "gap"), KNOWN, ids=[f"{c[0]}{c[2]}" for c in KNOWN])
def test_a_construction_known_from_a_book_has_its_value(
    name: str, data: Any, parameters: dict[str, Any], value: float, gap: float
) -> None:
    found = valued(name, data, **parameters)

    assert found == pytest.approx(value, rel=0.0, abs=gap + 1e-15)


CLOSE: list[tuple[str, list[float], dict[str, Any], float]] = [
    ("interpolation_inequality", sampled(lambda x: 1 + np.cos(np.pi * x), 99, 1.0), {"inequality": "nash"},
     27 / (16 * math.pi**2)),
    ("interpolation_inequality", sampled(lambda x: np.cosh(x) ** -0.5, 199, 12.0), {"inequality": "sextic"},
     4 / math.pi**2),
    ("interpolation_inequality", sampled(lambda x: np.exp(-np.abs(x)), 199, 8.0), {"inequality": "agmon"}, 1.0),
    ("hausdorff_young", sampled(lambda x: np.exp(-np.pi * x * x), 60, 2.2), {"k": 3}, 0.9292792681498123),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "parameters", "bound"), CLOSE, ids=[str(case[2]) for case in CLOSE])
def test_an_extremal_function_comes_close_to_its_inequality_and_never_above(
    name: str, values: list[float], parameters: dict[str, Any], bound: float
) -> None:
    found = valued(name, values, n=200, **parameters)

    assert 0.99 * bound < found <= bound


WAVES = st.lists(st.floats(-9, 9, allow_nan=False), min_size=1, max_size=12).filter(
    lambda row: max(map(abs, row)) > 0.1
)


@given(values=WAVES, inequality=st.sampled_from(["nash", "agmon", "sextic", "landau"]))
@settings(max_examples=30, deadline=None)
def test_no_function_breaks_a_proved_inequality_and_scale_and_sign_do_not_matter(
    values: list[float], inequality: str
) -> None:
    parameters = {"n": 12, "inequality": inequality}
    bound = {"nash": 27 / (16 * math.pi**2), "agmon": 1.0, "sextic": 4 / math.pi**2, "landau": 2.0}[inequality]

    found = verify("interpolation_inequality", values, parameters).value
    turned = verify("interpolation_inequality", [-4 * value for value in values[::-1]], parameters).value

    assert found is not None
    assert found == turned
    assert found <= bound


@given(zeros=st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=4, max_size=6, unique=True))
@settings(max_examples=15, deadline=None)
def test_the_inequality_of_de_bruin_and_sharma_holds_for_all_zeros(zeros: list[tuple[int, int]]) -> None:
    n = len(zeros)
    rows = [list(zero) for zero in zeros]

    moved = [[x + 3, y - 1] for x, y in rows]
    found = verify("de_bruin_sharma", rows, {"n": n, "tenths": 10}).value
    same = verify("de_bruin_sharma", moved, {"n": n, "tenths": 10}).value

    assert found is not None
    assert found == same
    # It is weaker for a = 1 than for a = (n - 4) / n.
    assert found <= Fraction(2, n * n)


@pytest.mark.parametrize("shift", [[0.25, -1.5], [3, 2]])
def test_moving_all_prisms_changes_nothing(shift: list[float]) -> None:
    rows = [[0.125 * i * j - 0.5, 0.375 - 0.25 * i] for i in range(3) for j in range(3)]

    found = verify("kakeya_space", rows, {"n": 3}).value
    moved = verify("kakeya_space", [[x + shift[0], y + shift[1]] for x, y in rows], {"n": 3}).value
    turned = verify("kakeya_space", [rows[3 * j + i][::-1] for i in range(3) for j in range(3)], {"n": 3}).value

    assert found == moved == turned


def test_prisms_have_the_volume_that_random_points_estimate() -> None:
    rng = np.random.default_rng(5)
    rows = rng.random((9, 2)) * 0.6
    points = rng.random((200_000, 3)) * [1.6, 1.6, 1.0]
    inside = np.zeros(len(points), dtype=bool)
    for index, (x, y) in enumerate(rows):
        i, j = divmod(index, 3)
        across = points[:, 0] - x - points[:, 2] * i / 3, points[:, 1] - y - points[:, 2] * j / 3
        inside |= (np.abs(across[0] - 1 / 6) < 1 / 6) & (np.abs(across[1] - 1 / 6) < 1 / 6)

    assert valued("kakeya_space", rows.tolist(), n=3) == pytest.approx(2.56 * inside.mean(), abs=0.01)


@pytest.mark.parametrize("turns", ["one", "both"])
def test_every_point_of_a_sofa_stays_in_the_corridor_at_angles_between_the_poses(turns: str) -> None:
    # Given a jagged path
    n = 10
    path = half_circle(n, 0.4 if turns == "one" else 0.25) + 0.02 * np.sin(9.0 * np.arange(2 * n + 2)).reshape(-1, 2)
    verdict = verify("moving_sofa", path, {"n": n, "turns": turns})
    assert verdict.valid, verdict.reason
    assert verdict.picture is not None
    rim = np.array(verdict.picture["polygons"][0])
    corners = np.array([[float(Fraction(x)) for x in row] for row in verdict.construction])
    angles = 2.0 * np.arctan(np.arange(n + 1) / n)
    middle = max(corners[0, 1], corners[-1, 1]) + min(corners[0, 1], corners[-1, 1]) + 1

    # When the corridor takes all positions between two poses, for the rim of the sofa and for its mirror image
    worst = -1.0
    mirrored = np.column_stack([rim[:, 0], middle - rim[:, 1]])
    for points in (rim,) if turns == "one" else (rim, mirrored):
        for k in range(n):
            for share in np.linspace(0.0, 1.0, 25):
                corner = corners[k] + share * (corners[k + 1] - corners[k])
                angle = angles[k] + share * (angles[k + 1] - angles[k])
                across = (points - corner) @ [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
                worst = max(worst, float((across - 1).max()), float(np.minimum(-across[:, 0], -across[:, 1]).max()))

    # Then nothing is in a wall by more than the six digits of the drawing
    assert worst < 4e-6


def test_more_poses_let_a_larger_sofa_pass_along_the_same_path() -> None:
    areas = [verify("moving_sofa", half_circle(n, 0.6), {"n": n, "turns": "one"}).value or 0 for n in (6, 12, 24)]

    assert areas == sorted(areas)
    assert areas[-1] < 2.2195316688719674


def test_a_sofa_that_turns_both_ways_is_smaller_than_one_that_turns_one_way() -> None:
    one, both = (verify("moving_sofa", half_circle(12, 0.3), {"n": 12, "turns": t}).value or 0 for t in ("one", "both"))

    assert 0 < both < one


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_size_of_a_matrix_does_not_matter_for_a_power(scale: float) -> None:
    matrix = [[[scale * (i + 2 * j % 3), scale * (i - j)] for j in range(3)] for i in range(3)]

    found = verify("crouzeix", {"matrix": matrix, "polynomial": [[0, 0], [0, 0], [1, 0]]}, {"n": 3, "cuts": 64})

    assert found.score is not None
    assert 0.9 < found.score <= 2
    assert found.score == pytest.approx(verify("crouzeix", found.construction, {"n": 3, "cuts": 64}).score, abs=0)


def test_more_supporting_lines_raise_the_bound_of_a_quotient() -> None:
    data = {"matrix": [[[0, 0], [1, 0]], [[0, 0], [0, 0]]], "polynomial": [[0, 0], [1, 0]]}

    found = [verify("crouzeix", data, {"n": 2, "cuts": cuts}).score or 0 for cuts in (8, 32, 128)]

    assert found == sorted(found)
    assert found[0] < found[-1] < 2


def test_points_of_the_numerical_range_alone_would_break_crouzeixs_conjecture() -> None:
    # Given the extremal matrix, whose numerical range is the disk of radius 1/2, and four points of its rim
    # When |p| for p = z^4 + 1 / 16 is looked at between them only, where it is 0
    data = {"matrix": [[[0, 0], [1, 0]], [[0, 0], [0, 0]]], "polynomial": [["1/16", 0], [0, 0], [0, 0], [0, 0], [1, 0]]}

    verdict = verify("crouzeix", data, {"n": 2, "cuts": 128})

    # Then the sampled quotient is endless, and the certified one is 1/16 over 1/8
    assert verdict.score == pytest.approx(0.5, abs=2e-2)


def test_rotated_groups_give_designs_that_are_as_large() -> None:
    x, y, z = SNUB_CUBE
    images = [[x, y, z], [y, z, x], [-y, x, z], [x, -y, -z]]

    sizes = {valued("spherical_design", {"group": "octahedral", "points": [p], "axes": []}, t=7) for p in images}

    assert sizes == {24.0}


def test_a_design_that_was_moved_a_little_is_mended_and_one_moved_far_is_refused() -> None:
    near, far = ([[value + step for value in SNUB_CUBE]] for step in (1e-4, 0.2))

    mended = verify("spherical_design", {"group": "octahedral", "points": near, "axes": []}, {"t": 7})
    refused = verify("spherical_design", {"group": "octahedral", "points": far, "axes": []}, {"t": 7})

    assert mended.score == -24.0
    assert not refused.valid


@pytest.mark.parametrize("step", ["1/1000000", "1/100"])
def test_a_certificate_of_touching_cylinders_that_is_off_by_a_little_is_refused(step: str) -> None:
    lines = BARS
    document = certificate("touching_cylinders", lines, {"n": 3})
    document["construction"][0][2] = step

    with pytest.raises(REFUSED):
        confirm(document)


def test_charges_with_a_coordinate_in_common_do_not_coincide() -> None:
    # Given a cube, whose corners have equal coordinates that are no rational numbers
    corners = [[x, y, z] for x in (1, -1) for y in (1, -1) for z in (1, -1)]

    energy = valued("thomson", corners, n=8, d=3)

    assert energy == pytest.approx(math.sqrt(3) * (12 + 12 / math.sqrt(2) + 4 / math.sqrt(3)) / 2, rel=1e-12)


def test_four_parallel_like_lines_do_not_pass_for_touching_cylinders() -> None:
    # Nearly parallel lines, for which both sides of the equations are nearly 0
    lines = [[2.0 * k, 0, 0, 1e-7 * k * k, 1, 1e-7 * k] for k in range(4)]

    verdict = verify("touching_cylinders", lines, {"n": 4})

    assert "nearly parallel" in verdict.reason


TAMPERED: list[tuple[str, Any, dict[str, Any], Callable[[Any], Any]]] = [
    ("oval_eigenvalue", {"curve": [[0.3, 0]], "function": [[1, 0]]}, {"n": 4},
     lambda c: {**c, "curve": [["31/10", "0"]]}),
    ("crouzeix", {"matrix": [[[0, 0], [1, 0]], [[0, 0], [0, 0]]], "polynomial": [[0, 0], [1, 0]]}, {"n": 2, "cuts": 64},
     lambda c: {**c, "polynomial": [["0", "0"]]}),
    ("moving_sofa", half_circle(8, 0.5), {"n": 8, "turns": "one"}, lambda c: [*c[:4], ["0", "1"], *c[5:]]),
    ("sphere_packing_bound", {"roots": [25, 38], "transform_roots": [12.5, 25]}, {"d": 8, "n": 4},
     lambda c: {**c, "transform_roots": ["9", "25"]}),
    ("uncertainty_minus", [25, 38, 50], {"d": 8, "n": 4}, lambda c: ["20", *c[1:]]),
    ("spherical_design", {"group": "octahedral", "points": [SNUB_CUBE], "axes": []}, {"t": 7},
     lambda c: {**c, "points": [["3/5", "4/5", "0"]]}),
    ("sidon_subset", [0, 1, 3, 7], {"n": 9}, lambda c: [*c[:3], 4]),
    ("kakeya_space", [[0, 0]] * 4, {"n": 2}, lambda c: [*c[:3], ["1", "1"]]),
    ("matrix_mean", [[[2, 1], [0, 1]]] * 2, {"n": 2, "m": 2, "d": 2, "norm": "operator"},
     lambda c: [c[0], [["1", "0"], ["0", "1"]]]),
    ("harmonic_norm", unit(9, 8), {"degree": 4}, lambda c: c[::-1]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "parameters", "change"), TAMPERED, ids=[case[0] for case in TAMPERED])
def test_a_certificate_with_another_construction_is_refused(
    name: str, data: Any, parameters: dict[str, Any], change: Callable[[Any], Any]
) -> None:
    document = certificate(name, data, parameters)
    document["construction"] = change(copy.deepcopy(document["construction"]))

    with pytest.raises(REFUSED):
        confirm(document)


@needs_records
def test_seven_published_cylinders_are_proved_to_touch() -> None:
    rows = [[*point, *direction] for point, direction in record("kissing_cylinders_ae_7")["cyl"]]

    verdict = verify("touching_cylinders", rows, {"n": 7})

    assert verdict.value == 1
    confirm(of_verdict("touching_cylinders", verdict, {"n": 7}))


@needs_records
def test_a_published_design_of_which_only_floats_are_known_is_not_taken_for_one() -> None:
    points = np.array(record("spherical_design_ae_2_15_120")["points"])
    halves = [p for index, p in enumerate(points) if not (np.abs(points[:index] + p).max(1) < 1e-6).any()]

    verdict = verify("spherical_design", {"group": "antipodal", "points": np.array(halves), "axes": []}, {"t": 15})

    assert len(halves) == 60
    assert "no exact design" in verdict.reason


@needs_records
@pytest.mark.parametrize("size", ["6_25", "10_35"])
def test_published_roots_bound_the_sign_uncertainty(size: str) -> None:
    n, d = map(int, size.split("_"))

    found = valued("uncertainty_minus", record("sphere_lp_ae_roots")[size], d=d, n=n)

    # The last sign change lies before the first double root, and beyond where the volume of a packing ends.
    assert 1.9 < found < math.sqrt(record("sphere_lp_ae_roots")[size][0] / (2 * math.pi))


@needs_records
@pytest.mark.parametrize("length", ["20", "41", "54"] if not ALL_TESTS else [str(n) for n in range(10, 55)])
def test_published_flat_polynomials_have_the_value_that_others_found(length: str) -> None:
    signs = [int(sign) for sign in record("flat_polynomials_ae")["c_plus"][length][1]]
    table = {n: float(value) for n, _, value in re.findall(r"\((\d+), (\d+), ([0-9.]+)\)", verified_note())}

    found = verify("flat_polynomial", signs, {"n": len(signs), "divisor": "coefficients"}).value

    assert found is not None
    assert float(found) == pytest.approx(table[length], abs=1e-4)


def verified_note() -> str:
    with (FOLDER / "verified_values.csv").open(encoding="utf-8", newline="") as handle:
        return next(row["note"] for row in csv.DictReader(handle) if row["id"] == "flat_polynomials_ae")


@needs_records
def test_the_polynomial_of_rudin_and_shapiro_has_its_certified_bound() -> None:
    signs = [int(sign) for sign in record("littlewood_rudin_shapiro_512")["c"]]

    found = verify("flat_polynomial", signs, {"n": 512, "divisor": "coefficients"}).value

    assert found is not None
    assert 2**0.5 <= float(found) <= verified()["littlewood_rudin_shapiro_512"] * (1 + 1e-6)


@needs_records
@pytest.mark.parametrize("name", ["flat69_ae", "flat69_together"])
def test_a_maximum_over_points_is_below_the_certified_one_and_the_divisor_makes_the_second_digit(name: str) -> None:
    signs = [int(sign) for sign in record(name)["c"]]
    sampled_values = np.abs(np.fft.fft(signs, 4096)) / math.sqrt(70)

    values = {
        divisor: verify("flat_polynomial", signs, {"n": 70, "divisor": divisor}).value or Fraction(0)
        for divisor in ("coefficients", "coefficients_and_one")
    }

    assert sampled_values.max() < float(values["coefficients"]) < sampled_values.max() * (1 + 1e-3)
    assert float(values["coefficients"] / values["coefficients_and_one"]) == pytest.approx(math.sqrt(71 / 70), rel=1e-9)


@needs_records
@pytest.mark.parametrize(
    ("name", "verifier", "key", "parameters"),
    [
        ("difference_basis_ae_360", "difference_basis", "set", {"n": 400}),
        ("erdos_overlap_ae_95", "erdos_overlap", "h", {"n": 600}),
        ("ac2_ae_v1_50", "second_autocorrelation", "steps", {"n": 50}),
    ],
)
def test_a_published_value_that_was_rounded_to_the_better_side_is_not_believed(
    name: str, verifier: str, key: str, parameters: dict[str, Any]
) -> None:
    found = verify(verifier, record(name)[key], parameters)
    claimed = {"difference_basis": 2.639, "erdos_overlap": 0.38092, "second_autocorrelation": 0.89629}[verifier]

    assert found.score is not None
    assert found.score < (claimed if verifier == "second_autocorrelation" else -claimed)
    assert abs(found.score) == pytest.approx(verified()[name], rel=2e-12)


def test_a_claim_beside_the_construction_is_never_read() -> None:
    # Given the step function of a published artifact that claims 0.380856 and is worth more
    heights = [0.0, 0.5, 1.0, 0.5, 0.0, 1.0, 1.0, 0.0]

    claimed = verify("erdos_overlap", {"h": heights, "claimed": 0.380856}, {"n": 9})
    plain = verify("erdos_overlap", heights, {"n": 9})

    assert not claimed.valid
    assert plain.value is not None
    assert plain.value > Fraction(380856, 10**6)


@pytest.mark.parametrize(
    ("verifier", "data", "parameters", "is_valid"),
    [
        ("borcea", [[f"1/{10**200}", 0], [0, 0], [0, f"1/{10**200}"]], {"n": 3, "p": 2}, True),
        (
            "touching_cylinders",
            [[0, 0, 0, 1, 0, 0], [0, 0, f"1/{10**200}", 0, 1, 0], [f"1/{10**200}", f"1/{10**200}", 0, 0, 0, 1]],
            {"n": 3},
            False,
        ),
        (
            "crouzeix",
            {"matrix": [[["1/3", 0], [0, 0]], [[0, 0], ["1/3", 0]]], "polynomial": [["-1/3", 0], [1, 0]]},
            {"n": 2, "cuts": 16},
            True,
        ),
    ],
)
def test_numbers_that_floats_cannot_hold_or_that_cancel_are_judged(
    verifier: str, data: Any, parameters: dict[str, int], is_valid: bool
) -> None:
    assert verify(verifier, data, parameters).valid is is_valid
