"""The circle judge against an independent checker in fractions, on random packings and under symmetries."""

import hashlib
import importlib.util
import json
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.extent import examples

FOLDER = Path(__file__).parents[2] / "problems" / "circle_packing_26"
N = 26

Row = list[float]
Circle = tuple[Fraction, Fraction, Fraction]


def load_evaluator() -> Any:
    spec = importlib.util.spec_from_file_location("_circle_packing_laws", FOLDER / "evaluate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


judge = load_evaluator()


class Answering:
    """A candidate whose pack() returns what the test says."""

    def __init__(self, answer: object, text: str = "x = 1\n") -> None:
        self.files = {"seed.py": text}
        self.answer = answer

    def call(self, name: str) -> object:
        assert name == "pack"
        return self.answer


def is_packing(circles: list[Circle]) -> bool:
    """Whether circles lie in the unit square with disjoint interiors: squares of fractions, no root is taken."""
    for i, (x, y, r) in enumerate(circles):
        if r < 0 or x - r < 0 or y - r < 0 or x + r > 1 or y + r > 1:
            return False
        for a, b, c in circles[:i]:
            if (x - a) * (x - a) + (y - b) * (y - b) < (r + c) * (r + c):
                return False
    return True


def exactly(rows: list[Row], *, less: Fraction = Fraction(0)) -> list[Circle]:
    """The rows as fractions, all radii reduced by the same amount."""
    return [(Fraction(x), Fraction(y), Fraction(r) - less) for x, y, r in rows]


@st.composite
def packings(draw: st.DrawFn) -> list[Row]:
    """26 circles on a shaken 6 by 6 grid, with radii that may overlap a little or not at all."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shake = draw(st.sampled_from([0.0, 1e-9, 1e-3, 0.02]))
    radius = draw(st.sampled_from([0.03, 0.06, 1 / 12, 0.09, 0.12]))
    spread = draw(st.sampled_from([0.0, 1e-12, 1e-3, 0.02]))
    cells = rng.permutation(36)[:N]
    rows = []
    for cell in cells:
        x, y = (2 * (cell % 6) + 1) / 12, (2 * (cell // 6) + 1) / 12
        rows.append(
            [x + shake * rng.uniform(-1, 1), y + shake * rng.uniform(-1, 1), radius + spread * rng.uniform(-1, 1)]
        )
    return [[float(value) for value in row] for row in rows]


def accepted(rows: list[Row]) -> Any:
    """The judge's packing; examples that it refuses are left to other tests."""
    try:
        return judge.Packing(rows)
    except judge.WrongAnswerError:
        assume(False)


@settings(deadline=None, max_examples=examples(40))
@given(packings())
def test_a_packing_is_left_as_it_is_exactly_if_it_is_one(rows: list[Row]) -> None:
    packing = accepted(rows)
    assert (packing.shrink == 0) == is_packing(exactly(rows))
    assert packing.shrink >= 0


@settings(deadline=None, max_examples=examples(40))
@given(packings())
def test_a_repaired_packing_is_one_and_nothing_but_the_radii_has_changed(rows: list[Row]) -> None:
    packing = accepted(rows)
    repaired = [tuple(map(Fraction, row)) for row in packing.exact_rows()]
    assert is_packing(repaired)  # type: ignore[arg-type]
    assert repaired == exactly(rows, less=packing.shrink)


@settings(deadline=None, max_examples=examples(40))
@given(packings())
def test_a_repair_takes_the_least_amount_to_a_hundred_bits(rows: list[Row]) -> None:
    packing = accepted(rows)
    assume(packing.shrink > 0)
    assert not is_packing(exactly(rows, less=packing.shrink - Fraction(1, 2**100)))


@settings(deadline=None, max_examples=examples(30))
@given(packings())
def test_a_packing_is_refused_only_where_no_repair_leaves_every_circle_a_radius(rows: list[Row]) -> None:
    smallest = min(Fraction(row[2]) for row in rows)
    refusal = judge.evaluate(Answering(rows)).get("failure")
    if refusal is not None:
        assert "overlap or stick out too much" in refusal
        assert not is_packing(exactly(rows, less=smallest - Fraction(1, 2**90)))
        return
    packing = judge.Packing(rows)
    assert min(packing.radii) >= 0
    assert packing.shrink == 0 or min(packing.radii) > 0


@settings(deadline=None, max_examples=examples(40))
@given(packings())
def test_the_score_is_the_largest_float_not_above_the_exact_sum(rows: list[Row]) -> None:
    packing = accepted(rows)
    score = judge.evaluate(Answering(rows))["score"]
    exact_sum = sum((Fraction(row[2]) for row in rows), Fraction(0)) - N * packing.shrink
    assert Fraction(score) <= exact_sum < Fraction(math.nextafter(score, math.inf))


QUARTERS: list[Callable[[Row], Row]] = [
    lambda row: [row[1], row[0], row[2]],
    lambda row: [1 - row[0], row[1], row[2]],
    lambda row: [row[0], 1 - row[1], row[2]],
    lambda row: [1 - row[1], row[0], row[2]],
]
"""Symmetries of the square; exact for coordinates that are multiples of 2**-40."""


@settings(deadline=None, max_examples=examples(30))
@given(packings(), st.sampled_from(QUARTERS), st.integers(0, 10**6))
def test_turning_mirroring_and_reordering_change_nothing(
    rows: list[Row], move: Callable[[Row], Row], order: int
) -> None:
    rounded = [[round(value * 2**40) / 2**40 for value in row] for row in rows]
    moved = [move(rounded[k]) for k in np.random.default_rng(order).permutation(N)]
    first, second = accepted(rounded), accepted(moved)
    assert first.shrink == second.shrink
    assert first.total == second.total
    assert first.contacts() == second.contacts()
    assert first.radius_spread() == pytest.approx(second.radius_spread(), rel=1e-9, abs=1e-15)


@settings(deadline=None, max_examples=examples(30))
@given(packings(), st.sampled_from([1e-12, 1e-6, 1e-3]))
def test_asking_for_more_never_pays_where_everything_touches(rows: list[Row], more: float) -> None:
    packing = accepted(rows)
    assume(packing.shrink > 0)
    greedy = accepted([[x, y, r + more] for x, y, r in rows])
    assert greedy.shrink >= packing.shrink
    # adding floats rounds, so the comparison allows for the last bit of each radius
    assert greedy.total <= packing.total + N * Fraction(1, 2**52)


@settings(deadline=None, max_examples=examples(30))
@given(packings(), st.integers(0, N - 1), st.floats(0.0, 0.02))
def test_a_smaller_circle_never_makes_the_repair_larger(rows: list[Row], which: int, less: float) -> None:
    packing = accepted(rows)
    smaller = [list(row) for row in rows]
    smaller[which][2] = max(smaller[which][2] - less, float(packing.shrink) * 2)
    assume(smaller[which][2] <= rows[which][2])
    assert accepted(smaller).shrink <= packing.shrink


@settings(deadline=None, max_examples=examples(25))
@given(packings())
def test_lists_and_arrays_in_any_nesting_are_the_same_answer(rows: list[Row]) -> None:
    whole = judge.evaluate(Answering(rows))
    assert judge.evaluate(Answering(np.array(rows))) == whole
    assert judge.evaluate(Answering([np.array(row) for row in rows])) == whole
    assert judge.evaluate(Answering(np.array(rows, order="F"))) == whole


@settings(deadline=None, max_examples=examples(25))
@given(packings())
def test_a_certificate_can_be_checked_by_anyone(rows: list[Row]) -> None:
    answer = judge.verify(Answering(rows))
    evaluation = judge.evaluate(Answering(rows))
    assert (answer["verdict"] == "certified") == ("score" in evaluation)
    if "score" not in evaluation:
        assert answer["detail"] == evaluation["failure"]
        return
    # when it is read by a stranger
    certificate = json.loads(json.dumps(answer["certificate"]))
    circles = [tuple(map(Fraction, row)) for row in certificate["circles"]]
    # then
    assert len(circles) == N
    assert is_packing(circles)  # type: ignore[arg-type]
    total = sum((circle[2] for circle in circles), Fraction(0))
    assert total == Fraction(certificate["sum"])
    assert Fraction(certificate["sum_at_least"]) <= total
    assert answer["value"] == answer["score"] == certificate["sum_at_least"] == evaluation["score"]
    assert hashlib.sha256(repr(certificate["circles"]).encode()).hexdigest() == certificate["sha256"]
    assert Fraction(certificate["shrink"]) == Fraction(rows[0][2]) - circles[0][2]


@settings(deadline=None, max_examples=examples(25))
@given(packings())
def test_the_metrics_are_what_numpy_computes_from_the_repaired_circles(rows: list[Row]) -> None:
    evaluation = judge.evaluate(Answering(rows))
    assume("score" in evaluation)
    packing, metrics = judge.Packing(rows), evaluation["metrics"]
    x, y, raw = np.array(rows).T
    radii = raw - float(packing.shrink)
    assert evaluation["score"] == pytest.approx(radii.sum(), abs=1e-13)
    assert evaluation["descriptor"]["radius_spread"] == pytest.approx(radii.std() / radii.mean(), abs=1e-7)
    assert metrics["raw_sum"] == pytest.approx(raw.sum(), abs=1e-13)
    assert metrics["smallest_radius"] == pytest.approx(radii.min(), abs=1e-15)
    assert metrics["largest_radius"] == pytest.approx(radii.max(), abs=1e-15)
    apart = np.hypot(x[:, None] - x, y[:, None] - y) - radii[:, None] - radii
    walls = np.minimum.reduce([x, y, 1 - x, 1 - y]) - radii
    assert apart[np.triu_indices(N, 1)].min() >= -1e-12
    assert walls.min() >= -1e-12
    assert all(math.isfinite(value) for value in metrics.values())


def grid(radius: float = 0.08) -> list[Row]:
    return [[(2 * (k % 6) + 1) / 12, (2 * (k // 6) + 1) / 12, radius] for k in range(N)]


@pytest.mark.parametrize(("gap", "contacts"), [(0.0, 1), (5e-8, 1), (9.9e-8, 1), (1.1e-7, 0), (1e-3, 0)])
def test_two_circles_touch_up_to_a_gap_of_one_ten_millionth(gap: float, contacts: int) -> None:
    rows = [[(2 * (k % 6) + 1) / 12, (2 * (k // 6) + 1) / 12, 0.01] for k in range(N)]
    rows[0], rows[1] = [0.05, 0.05, 0.03], [0.05 + 0.06 + gap, 0.05, 0.03]
    assert judge.Packing(rows).contacts() == contacts


@pytest.mark.parametrize("corner", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_a_point_in_a_corner_is_a_circle_that_touches_two_walls(corner: tuple[float, float]) -> None:
    rows = [*grid(0.01)[:25], [*corner, 0.0]]
    packing = judge.Packing(rows)
    assert packing.shrink == 0
    assert packing.contacts() == 2


def test_a_circle_of_no_radius_allows_no_repair() -> None:
    rows = [*grid(1 / 12 + 1e-6)[:25], [0.98, 0.98, 0.0]]
    with pytest.raises(judge.WrongAnswerError, match="the smallest is 0"):
        judge.Packing(rows)


def test_the_largest_single_circle_has_the_score_one_half() -> None:
    rows = [[0.5, 0.5, 0.5], *([0.0, 0.0, 0.0] for _ in range(25))]
    assert judge.evaluate(Answering(rows))["score"] == 0.5
    assert judge.evaluate(Answering(rows))["descriptor"]["radius_spread"] == pytest.approx(5.0)


def test_points_may_lie_on_top_of_each_other_and_score_nothing() -> None:
    result = judge.evaluate(Answering([[0.5, 0.5, 0.0]] * N))
    assert result["score"] == 0.0
    assert result["descriptor"]["radius_spread"] == 0.0
    assert judge.verify(Answering([[0.5, 0.5, 0.0]] * N))["verdict"] == "certified"


@settings(deadline=None, max_examples=examples(60))
@given(st.fractions(min_value=-10, max_value=10))
def test_rounding_down_is_never_above_and_never_a_float_too_low(number: Fraction) -> None:
    down = judge.rounded_down(number)
    assert Fraction(down) <= number < Fraction(math.nextafter(down, math.inf))


ROW_LIKE = [(0.1, 0.1, 0.01), "abc", {"x": 0.1}, b"abc", [0.1, 0.1], [0.1, 0.1, 0.01, 0.0], [], None, np.zeros(2), 3]


@pytest.mark.parametrize("row", ROW_LIKE, ids=repr)
@pytest.mark.parametrize("number", [0, 25])
def test_a_row_that_is_none_is_named_by_its_number(row: object, number: int) -> None:
    rows: list[object] = [*grid()]
    rows[number] = row
    assert judge.evaluate(Answering(rows))["failure"] == f"circle {number + 1} is not a row of x, y, radius"


NUMBER_LIKE = [
    math.nan,
    -math.inf,
    -5e-324,
    1.0000000000000002,
    2,
    -1,
    10**5000,
    np.float32(0.1),
    1j,
    True,
    "0.1",
    None,
]


@pytest.mark.parametrize("value", NUMBER_LIKE, ids=lambda value: f"{type(value).__name__}")
@pytest.mark.parametrize(("column", "name"), [(0, "x"), (1, "y"), (2, "radius")])
def test_a_number_that_is_none_is_named_by_its_place(value: object, column: int, name: str) -> None:
    rows: list[list[Any]] = [list(row) for row in grid()]
    rows[7][column] = value
    text = judge.evaluate(Answering(rows))["failure"]
    assert text.startswith(f"the {name} of circle 8 is ")
    assert len(text) < 200


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", 0),
        ("\n\n  \n\t\n", 0),
        ("# a\n  # b\nx = 1  # c\n", 1),
        ("def f():\n    return 1\n\n\n", 2),
        ('"""two\nlines"""\n', 2),
        ("a = 1\r\nb = 2\r\n", 2),
    ],
)
def test_lines_of_a_program_are_those_with_code_or_text_on_them(text: str, lines: int) -> None:
    assert judge.evaluate(Answering(grid(), text))["descriptor"]["program_lines"] == lines


@pytest.mark.parametrize(
    "error", [ValueError("no"), ArithmeticError("exact"), KeyError("k")], ids=lambda error: type(error).__name__
)
def test_what_the_program_raises_is_not_swallowed(error: Exception) -> None:
    class Raising(Answering):
        def call(self, name: str) -> object:
            raise error

    for function in (judge.evaluate, judge.verify):
        with pytest.raises(type(error)):
            function(Raising(None))
