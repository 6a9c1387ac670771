"""Wrong, cheating and hostile constructions are refused, and the reason says what was found."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from evaluators.constructions import reading
from evaluators.constructions.registry import MODULES, verifier_named, verify
from evaluators.constructions.verdict import RejectedError
from evaluators.errors import EvaluatorError
from tests.unit.constructions.refusals import LATER

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
FOUR = {"n": 4, "d": 2}
ONE_PRODUCT = {"n": 1, "m": 1, "p": 1}


class Sly:
    """An object whose comparisons all hold."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ge__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def strassen(**changed: Any) -> dict[str, Any]:
    """Strassen's seven products, with the result's transpose."""
    u = [[1, 0, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1], [1, 1, 0, 0], [-1, 0, 1, 0], [0, 1, 0, -1]]
    v = [[1, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, -1], [-1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [0, 0, 1, 1]]
    w = [[1, 0, 0, 1], [0, 1, 0, -1], [0, 0, 1, 1], [1, 1, 0, 0], [-1, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
    return {"u": u, "v": v, "w": w, **changed}


def two_by_two(ring: str) -> dict[str, Any]:
    return {"n": 2, "m": 2, "p": 2, "ring": ring}


REFUSED: list[tuple[str, str, Any, dict[str, Any], str]] = [
    ("coinciding points", "minmax_distance_ratio", [[0, 0], [1, 0], [0, 0]], {"n": 3, "d": 2}, "two points coincide"),
    ("a point too few", "minmax_distance_ratio", SQUARE[:3], FOUR, "has 3 entries, expected 4"),
    ("not a number", "minmax_distance_ratio", [*SQUARE[:3], [math.nan, 0.0]], FOUR, "is nan, expected a finite"),
    ("infinity", "minmax_distance_ratio", [*SQUARE[:3], [math.inf, 0.0]], FOUR, "is inf, expected a finite"),
    ("a truth value", "minmax_distance_ratio", [*SQUARE[:3], [True, 0.0]], FOUR, "a truth value, expected a number"),
    ("a sly object", "minmax_distance_ratio", [*SQUARE[:3], [Sly(), 0.0]], FOUR, "a Sly, expected a number"),
    ("complex numbers", "minmax_distance_ratio", np.ones((4, 2), dtype=complex), FOUR, "array of complex128"),
    ("a claimed value", "minmax_distance_ratio", {"points": SQUARE, "score": 99}, FOUR, "a dict, expected a list"),
    ("a direction of length 0", "tammes", [[0, 0], [1, 0], [0, 1]], {"n": 3, "d": 2}, "the zero vector"),
    ("two equal directions", "tammes", [[1, 0], [2, 0], [0, 1]], {"n": 3, "d": 2}, "coincide"),
    ("directions too near", "spherical_code", [[1, 0], [1, 1e-200], [0, 1]], {"n": 3, "d": 2}, "too near to tell"),
    ("charges that coincide", "thomson", [[1, 0], [1, 0], [0, 1]], {"n": 3, "d": 2}, "coincide"),
    (
        "outside of the triangle",
        "heilbronn_triangle",
        [*SQUARE[:2], [0.6, 0.5], [0, 1]],
        {"n": 4},
        "point 3 is outside",
    ),
    ("outside of the square", "heilbronn_square", [*SQUARE[:3], [0.0, 1.001]], {"n": 4}, "outside of the unit square"),
    ("all on a line", "heilbronn_convex", [[0, 0], [1, 1], [2, 2], [3, 3]], {"n": 4}, "on one line"),
    ("a flat isosceles triangle", "no_isosceles", [[0, 0], [1, 0], [2, 0]], {"n": 3}, "isosceles"),
    ("an isosceles triangle", "no_isosceles", [[0, 0], [1, 2], [2, 0]], {"n": 3}, "isosceles"),
    ("outside of the grid", "no_isosceles", [[0, 0], [3, 1]], {"n": 3}, "is 3, expected 0 to 2"),
    ("a point twice", "no_isosceles", [[0, 0], [0, 0]], {"n": 3}, "are equal"),
    ("half a point", "no_isosceles", [[0, 0.5]], {"n": 3}, "expected a whole number"),
    ("three in line", "no_three_in_line", [[0, 0], [1, 2], [2, 4]], {"n": 5}, "three points on a line"),
    ("more than a grid holds", "no_three_in_line", [[0, 0]] * 11, {"n": 5}, "at most 10"),
    (
        "five on a plane",
        "no_five_on_a_sphere",
        [[0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 2, 1], [2, 2, 1]],
        {"n": 3},
        "five",
    ),
    (
        "five on a sphere",
        "no_five_on_a_sphere",
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]],
        {"n": 2},
        "five",
    ),
    ("a convex quadrilateral", "happy_ending", [[0, 0], [9, 1], [8, 9], [1, 7]], {"k": 4}, "corners of a convex"),
    ("three on a line", "happy_ending", [[0, 0], [1, 1], [2, 2]], {"k": 4}, "three points on a line"),
    ("a negative height", "first_autocorrelation", [1.0, -1e-9], {"n": 9, "support": "half"}, "step 2 is negative"),
    ("no integral", "first_autocorrelation", [0.0, 0.0], {"n": 9, "support": "half"}, "not positive"),
    ("too many steps", "first_autocorrelation", [1.0] * 10, {"n": 9, "support": "half"}, "at most 9"),
    ("a vanishing integral", "third_autocorrelation", [1, -1], {"n": 9, "peak": "signed"}, "not positive"),
    ("a negative integral", "third_autocorrelation", [1, -3], {"n": 9, "peak": "signed"}, "not positive"),
    ("h above 1", "erdos_overlap", [0.5, 1.01], {"n": 9}, "expected a height from 0 to 1"),
    ("h below 0", "erdos_overlap", [-0.01, 1.0], {"n": 9}, "expected a height from 0 to 1"),
    ("nothing", "erdos_overlap", [], {"n": 9}, "there is no step"),
    ("a claimed bound", "erdos_overlap", {"h": [0.5], "bound": 0.380856}, {"n": 9}, "a dict, expected a list"),
    ("a negative radius", "circles_in_square", [[0.5, 0.5, -0.1]], {"n": 1}, "negative radius"),
    ("a radius that is no number", "circles_in_square", [[0.5, 0.5, math.nan]], {"n": 1}, "is nan"),
    ("two circles at one place", "circles_in_square", [[0.5, 0.5, 0.4]] * 2, {"n": 2}, "overlap or stick out too much"),
    ("a circle outside", "circles_in_square", [[1.5, 0.5, 0.1]], {"n": 1}, "overlap or stick out too much"),
    ("a rectangle too long", "circles_in_rectangle", [[0, 0, 0.1], [3, 0, 0.1]], {"n": 2}, "stick out too much"),
    (
        "one product too few",
        "matrix_multiplication",
        {k: x[:6] for k, x in strassen().items()},
        two_by_two("z"),
        "do not add",
    ),
    ("factors of unequal length", "matrix_multiplication", strassen(w=[[1] * 4] * 6), two_by_two("z"), "has 6 entries"),
    ("a form too short", "matrix_multiplication", strassen(u=[[1] * 3] * 7), two_by_two("z"), "has 3 entries"),
    (
        "not in the ring",
        "matrix_multiplication",
        {"u": [[0.5]], "v": [[2]], "w": [[1]]},
        ONE_PRODUCT | {"ring": "z"},
        "ring",
    ),
    (
        "thirds",
        "matrix_multiplication",
        {"u": [["1/3"]], "v": [[3]], "w": [[1]]},
        ONE_PRODUCT | {"ring": "half"},
        "ring",
    ),
    (
        "nearly",
        "matrix_multiplication",
        {"u": [[1 + 1e-9]], "v": [[1]], "w": [[1]]},
        ONE_PRODUCT | {"ring": "q"},
        "do not add",
    ),
    (
        "imaginary rest",
        "matrix_multiplication",
        {"u": [[[1, 1]]], "v": [[1]], "w": [[1]]},
        ONE_PRODUCT | {"ring": "c"},
        "do not",
    ),
    ("no products", "matrix_multiplication", {"u": [], "v": [], "w": []}, ONE_PRODUCT | {"ring": "q"}, "no products"),
    ("a number too large", "more_sums_than_differences", [0, 30], {"n": 30}, "is 30, expected 0 to 29"),
    ("a number twice", "more_sums_than_differences", [0, 3, 3], {"n": 30}, "are equal"),
    ("zero is missing", "sums_differences", [1, 2, 4], {"n": 9}, "expected 0 in the set"),
    ("all differences", "sums_differences", [0, 1, 2], {"n": 9}, "every number up to the largest"),
    ("too wide a set", "sum_difference_one", [0, 100], {"n": 9, "span": 50}, "is 100, at most 50"),
    ("a gap at once", "difference_basis", [0, 2, 4], {"n": 9}, "1 is no difference"),
    ("a distance twice", "golomb_ruler", [0, 1, 2], {"n": 3}, "the distance 1 is there twice"),
    ("a mark too few", "golomb_ruler", [0, 1], {"n": 3}, "has 2 marks"),
    ("a square modulus", "square_free_differences", {"m": 12, "residues": [0]}, {"n": 99}, "divisible by a square"),
    ("a square difference", "square_free_differences", {"m": 5, "residues": [0, 1]}, {"n": 99}, "differ by a square"),
    ("a squarefree product", "no_squarefree_products", [7, 8], {"n": 99}, "is squarefree"),
]

UPRIGHT = [1, 0, 0, 0]
MORE_REFUSED: list[tuple[str, str, Any, dict[str, Any], str]] = [
    ("squares at one place", "squares_in_square", [[0.5, 0.5, 0.1, 1, 0]] * 2, {"n": 2}, "one centre"),
    ("a square outside", "squares_in_square", [[1.5, 0.5, 0.1, 1, 0]], {"n": 1}, "not inside"),
    ("a negative side", "squares_in_square", [[0.5, 0.5, -0.1, 1, 0]], {"n": 1}, "negative side"),
    ("no direction", "squares_in_square", [[0.5, 0.5, 0.1, 0, 0]], {"n": 1}, "direction (0, 0)"),
    ("cubes at one place", "cubes_in_cube", [[0, 0, 0, *UPRIGHT]] * 2, {"n": 2}, "one centre"),
    ("no rotation", "cubes_in_cube", [[0, 0, 0, 0, 0, 0, 0]], {"n": 1}, "quaternion 0"),
    ("angles for a quaternion", "cubes_in_cube", [[0, 0, 0, 1, 2, 3]], {"n": 1}, "has 6 entries"),
    (
        "hexagons at one place",
        "hexagons_in_hexagon",
        {"inner": [[0, 0, 0]] * 2, "outer": [0, 0, 0]},
        {"n": 2},
        "one centre",
    ),
    ("no outer hexagon", "hexagons_in_hexagon", {"inner": [[0, 0, 0]]}, {"n": 1}, "has no 'outer'"),
    ("a claimed side", "hexagons_in_hexagon", {"inner": [[0, 0, 0]], "outer": 1.0}, {"n": 1}, "expected a list"),
    ("a triangle", "girth_five", [[0, 1], [1, 2], [2, 0]], {"n": 5}, "a triangle"),
    ("a cycle of four", "girth_five", [[0, 1], [1, 2], [2, 3], [3, 0]], {"n": 5}, "a cycle of four"),
    ("an edge twice", "girth_five", [[0, 1], [1, 0]], {"n": 5}, "are equal"),
    ("a loop", "girth_five", [[1, 1]], {"n": 5}, "is a loop"),
    ("words that can be confused", "cycle_power_independent", [[0, 0], [6, 1]], {"n": 7, "d": 2}, "can be confused"),
    ("no symmetry", "sidorenko", [[0.5, 0.2], [0.3, 0.5]], {"n": 2}, "not symmetric"),
    ("above 1", "sidorenko", [[1.5]], {"n": 2}, "not from 0 to 1"),
    ("a density of 1", "sidorenko", [[1.0]], {"n": 2}, "all entries are 0 or all are 1"),
    ("a tetrahedron", "turan_tetrahedron", {"weights": [1], "triples": [[0, 0, 0]]}, {"n": 4}, "a tetrahedron"),
    ("negative weights", "turan_tetrahedron", {"weights": [2, -1], "triples": []}, {"n": 4}, "0 or more"),
    (
        "a triple twice",
        "turan_tetrahedron",
        {"weights": [1, 1], "triples": [[0, 0, 1], [1, 0, 0]]},
        {"n": 4},
        "are equal",
    ),
    ("a coefficient 0", "flat_polynomial", [1, 0, 1, 1], {"n": 4, "divisor": "one"}, "entry 2"),
    ("a coefficient 2", "flat_polynomial", [1, 2, 1, 1], {"n": 4, "divisor": "one"}, "expected -1 to 1"),
    ("a sequence too short", "merit_factor", [1, 1, 1], {"n": 4}, "has 3 entries"),
    ("an empty sequence", "low_discrepancy", [], {"d": 1}, "is empty"),
    ("half a sign", "largest_determinant", [[0.5, 1], [1, 1]], {"n": 2}, "expected a whole number"),
    ("not a square", "matrix_discrepancy", [[1, 1], [1]], {"n": 2}, "has 1 entries"),
    ("too near", "kissing", [[2, 0], [1, 1]], {"d": 2}, "nearer to each other"),
    ("a vector twice", "kissing", [[2, 0], [2, 0]], {"d": 2}, "nearer to each other"),
    ("the zero vector", "kissing", [[0, 0]], {"d": 2}, "is zero"),
    ("dependent vectors", "lattice_packing", [[1, 2], [2, 4]], {"d": 2}, "dependent"),
    ("no line", "kakeya", [[0, 0], [1, 1]], {"p": 3, "d": 2}, "no line in the direction"),
    ("no field", "kakeya", [[0, 0]], {"p": 4, "d": 2}, "no prime"),
    ("a space too large", "kakeya", [[0] * 6], {"p": 251, "d": 6}, "points, at most"),
    ("a point that is not reached", "nikodym", [[0, 0], [1, 0], [2, 0]], {"p": 3, "d": 2}, "no line through the point"),
    ("zero", "sum_product", [0, 1], {"p": 7, "n": 2}, "expected 1 to 6"),
    ("u + v above 1", "ring_loading", [[0.6, 0.6], [0, 0]], {"m": 2, "cuts": "all"}, "sum of at most 1"),
    ("a negative load", "ring_loading", [[-0.1, 0.6], [0, 0]], {"m": 2, "cuts": "all"}, "0 or more"),
    ("a stack that topples", "block_stacking", [0.6, 0.0, -0.6], {"n": 3}, "topple"),
    ("a stack off the table", "block_stacking", [0.1], {"n": 1}, "beyond the table's edge"),
    ("a negative mass", "beat_the_average", [[0, 2], [1, -1]], {"n": 5}, "0 or more"),
    ("a negative atom", "beat_the_average", [[-1, 1], [1, 1]], {"n": 5}, "below 0"),
    ("an atom twice", "arithmetic_kakeya", [[0, 0, 1], [0, 0, 1]], {"n": 5, "slopes": "three"}, "are equal"),
    ("one atom", "arithmetic_kakeya", [[0, 0, 1]], {"n": 5, "slopes": "three"}, "in one place"),
    ("negative weights", "edges_and_triangles", [[1, -1]], {"n": 5}, "0 or more"),
    ("no sign change", "uncertainty_hermite", [0, 0, 0], {"n": 3}, "not positive at last"),
    ("a root at 0", "uncertainty_laguerre", [0, 3], {"n": 2}, "is not above 0"),
    ("a root too large", "uncertainty_laguerre", [3, 500], {"n": 2}, "at most 400"),
    ("a root twice", "uncertainty_laguerre", [3, 3], {"n": 2}, "are equal"),
    ("a needle too few", "kakeya_needle", [0.1], {"n": 2, "shape": "triangles"}, "has 1 entries"),
    ("tiles that overlap", "rectangle_tiling", [[0, 1, 2, 2], [0, 1, 1, 2]], {"n": 2}, "two tiles cover"),
    ("two cells free", "rectangle_tiling", [[0, 0, 1, 1]], {"n": 3}, "free cells, expected one"),
    ("a tile of nothing", "rectangle_tiling", [[0, 0, 0, 1]], {"n": 3}, "is empty"),
    ("a flat polyhedron", "polyhedron_volume", [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], {"n": 4}, "in one plane"),
    ("a long period", "prime_number_certificate", [[9999991, 1], [2, 1]], {"n": 9}, "expected 1 to 3000000"),
    ("no weight", "prime_number_certificate", [[1, 1]], {"n": 9}, "no key above 1"),
    ("no divisor", "factorial_factors", [3, 3, 3], {"n": 3}, "does not divide"),
    ("a negative mass", "maximal_function", [[0, -1]], {"n": 3}, "negative"),
    ("a negative function", "young_convolution", {"f": [1], "g": [-1]}, {"n": 3}, "is negative"),
    ("one function", "young_convolution", {"f": [1]}, {"n": 3}, "has no 'g'"),
    (
        "a line twice",
        "incidences",
        {"points": [[0, 0]], "lines": [[1, 2, 3], [-2, -4, -6]]},
        {"n": 1, "m": 2},
        "are equal",
    ),
    ("no line", "incidences", {"points": [[0, 0]], "lines": [[0, 0, 1]]}, {"n": 1, "m": 1}, "a = b = 0"),
    ("a zero too few", "sendov", [[1, 0]], {"n": 2}, "has 1 entries"),
    ("negative weights", "schmeisser", {"zeros": [[1, 0], [0, 1]], "weights": [2, -1]}, {"n": 2}, "0 or more"),
    ("another degree", "smale", [[1, 0], [0, 0]], {"n": 3}, "the degree is not 3"),
    ("nothing", "gagliardo_nirenberg", [0, 0], {"n": 3}, "f is zero"),
]


ALL = [*REFUSED, *MORE_REFUSED, *LATER]


@pytest.mark.parametrize(
    ("verifier", "data", "parameters", "reason"),
    [case[1:] for case in ALL],
    ids=[f"{case[1]}, {case[0]}" for case in ALL],
)
def test_what_is_no_such_construction_is_refused_with_the_reason(
    verifier: str, data: Any, parameters: dict[str, Any], reason: str
) -> None:
    verdict = verify(verifier, data, parameters)

    assert not verdict.valid
    assert verdict.score is None
    assert reason in verdict.reason


HOSTILE: list[tuple[str, Any]] = [
    ("a number of a million digits", 10**1_000_000),
    ("text of a million digits", "1" * 1_000_000),
    ("a fraction with nothing below", "1/0"),
    ("a decimal in text", "0.1"),
    ("an expression", "2**9999"),
    ("a hexadecimal float that is too large", "0x1p99999"),
    ("an exponent", "1e5"),
    ("an underscore", "1_000"),
    ("digits of another script", "\N{ARABIC-INDIC DIGIT ONE}"),
    ("a list", [1.0]),
    ("an object", {"value": 1}),
    ("nothing", None),
    ("bytes", b"1"),
]


@pytest.mark.parametrize("value", [case[1] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile_values_are_refused_in_a_few_words(value: Any) -> None:
    with pytest.raises(RejectedError) as caught:
        reading.rational(value, "the number")

    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.1, "3602879701896397/36028797018963968"), ("-7/14", "-1/2"), ("0x1.8p-1", "3/4"), ("12", "12"), (3, "3")],
)
def test_numbers_are_taken_for_exactly_what_they_are(value: Any, expected: str) -> None:
    assert str(reading.rational(value, "the number")) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 2}', "a key twice"),
        ("[NaN]", "the number NaN"),
        ("[-Infinity]", "the number -Infinity"),
        ("[" * 200_000, "nested too deeply"),
        ("1" * 5000, "whole number of 5000 digits"),
        ("{", "not JSON"),
        (b"\xff\xfe\xfd", "not UTF-8"),
    ],
    ids=["two keys", "NaN", "infinity", "nesting", "digits", "no JSON", "no text"],
)
def test_traps_in_a_file_are_refused(text: str | bytes, reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        reading.parse_json(text)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 10)
    (tmp_path / "big.json").write_text("[" + "1," * 20 + "1]", encoding="utf-8")

    with pytest.raises(RejectedError, match="at most 10 are read"):
        reading.read_json(tmp_path / "big.json")


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("no_such_thing", {}, "there is no verifier"),
        ("tammes", {"n": 10}, "d is missing"),
        ("tammes", {"n": 10, "d": 3, "m": 1}, "m is unknown"),
        ("tammes", {"n": 2, "d": 3}, "n is 2, expected a whole number from 3"),
        ("tammes", {"n": True, "d": 3}, "n is True"),
        ("third_autocorrelation", {"n": 10, "peak": "any"}, "expected one of signed, absolute"),
    ],
)
def test_wrong_parameters_are_the_problems_mistake(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        verify(name, [], parameters)


def test_strassens_algorithm_is_right_over_every_ring() -> None:
    signs = {
        ring: verify("matrix_multiplication", strassen(), two_by_two(ring)) for ring in ("zt", "z", "half", "q", "c")
    }
    odd = {name: [[abs(value) for value in row] for row in rows] for name, rows in strassen().items()}

    assert {verdict.score for verdict in signs.values()} == {-7.0}
    assert verify("matrix_multiplication", odd, two_by_two("f2")).score == -7.0
    assert not verify("matrix_multiplication", odd, two_by_two("z")).valid


def test_three_constructions_at_least_are_refused_by_every_checker_family() -> None:
    counts = Counter(verifier_named(case[1]).checker for case in ALL)
    families = {verifier_named(name).checker for name in MODULES}

    assert {family: counts[family] for family in families if counts[family] < 3} == {}


def test_critical_points_that_coincide_are_enclosed_together() -> None:
    # Given z^4 - 1, whose derivative has one zero three times
    zeros = [[1, 0], [0, 1], [-1, 0], [0, -1]]

    verdict = verify("sendov", zeros, {"n": 4})

    assert verdict.score is not None
    assert 1 - 1e-9 < verdict.score <= 1


def test_a_zero_outside_of_the_disk_is_pulled_onto_its_rim() -> None:
    verdict = verify("sendov", [[5, 0], [-1, 0]], {"n": 2})

    assert verdict.construction == [["1", "0"], ["-1", "0"]]
    assert verdict.score is not None
    assert 1 - 1e-9 < verdict.score <= 1


@pytest.mark.parametrize(
    ("name", "parameters", "row"),
    [
        ("first_autocorrelation", {"n": 2000, "support": "half"}, lambda number: number),
        ("circles_in_square", {"n": 200}, lambda number: [number, number, number]),
    ],
    ids=["one list", "rows"],
)
def test_numbers_that_would_take_hours_are_refused(name: str, parameters: Any, row: Any) -> None:
    data = [row(f"1/{(1 << 4000) + 2 * k + 1}") for k in range(parameters["n"])]

    verdict = verify(name, data, parameters)

    assert not verdict.valid
    assert "least common multiple" in verdict.reason


def test_numbers_with_long_denominators_in_common_are_taken() -> None:
    data = [f"{2 * k + 1}/{3**2500}" for k in range(300)]

    assert verify("first_autocorrelation", data, {"n": 300, "support": "half"}).valid
