"""Polishing and shortening constants: the published minimax errors of exp2, rational baselines, the judge's word."""

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.approximation.family import FunctionApproximation
from evaluators.contract import Certainty
from evolve.symbolic.contract import FitTarget
from evolve.symbolic.exact_algebra import least_squares
from evolve.symbolic.extremes import Curve, Extremes
from evolve.symbolic.finish import polish
from evolve.symbolic.rounding import exact_residuals
from evolve.symbolic.shorten import simplest
from sandbox.symbolic.parse import parse
from sandbox.symbolic.precise import exact_value
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY

LITERAL = re.compile(r"\d+\.\d+(?:e-?\d+)?")


def judge_of(function: str, low: float, high: float) -> FunctionApproximation:
    return FunctionApproximation({"function": function, "interval": [low, high]}, ARITHMETIC)


def target_of(judge: FunctionApproximation) -> FitTarget:
    points, values, relative = judge.fit_target()
    return FitTarget(points=points, values=values, relative=relative, values_low=judge.fit_target_low())


def published(k: int) -> Program:
    """(a + b / (c / t + d + t))^(2^k), t = x + e / x, with constants of four digits that scale with 2^k."""
    scale = 2.0**k
    a, b, c, d, e = 1.0, 62.73 * scale, 237.0 * scale**2, -31.36 * scale, 90.49 * scale**2
    lines = ["def f(x):", f"    t = x + {e!r} / x", f"    y = {a!r} + {b!r} / ({c!r} / t + {d!r} + t)"]
    return parse("\n".join([*lines, *["    y = y * y"] * k, "    return y", ""]), ARITHMETIC)


@pytest.fixture(scope="module")
def exp2() -> FunctionApproximation:
    return judge_of("exp2", 0, 1)


@pytest.mark.parametrize(
    ("k", "wanted"), [(3, 2.192e-15), (4, 3.4254e-17), (5, 5.3525e-19), (6, 8.3634e-21), (7, 1.3068e-22)]
)
def test_the_published_structure_reaches_its_minimax_error(exp2: FunctionApproximation, k: int, wanted: float) -> None:
    polished = polish(published(k), ARITHMETIC, target_of(exp2))

    error = exp2.evaluate(polished).metrics["max_relative_error"]
    verdict = exp2.verify(polished)
    assert error == pytest.approx(wanted, rel=1e-3)
    assert polished.constants_low is not None
    assert verdict.verdict is Certainty.CERTIFIED
    assert verdict.value is not None
    assert error * 0.9999 <= verdict.value <= error * 1.006


@pytest.mark.parametrize(
    ("function", "high", "body", "wanted"),
    [
        ("exp", 1.0, "1.63 + 19.6 / (x - 6.52 + 12.1 / (x - 0.486))", 2.7128e-06),
        ("exp", 1.0, "-1.63 + -39.3 / (x - 12.5 + 50.2 / (x - 0.49 + 10.0 / (x - 0.49)))", 1.211e-09),
        ("log2_1p", 1.0, "x * (0.0645 + 3.99 / (x + 4.37 + -4.77 / (x + 3.4 + -0.257 / (x + 1.45))))", 9.4003e-10),
        ("sin", 1.5707963267948966, "x * (6.65 + -731.0 / (u + 53.0 + 1210.0 / (u + 15.9)))", 5.2743e-09),
        ("erf", 2.0, "x * (0.171 + 1.6 / (u - 0.0954 + 8.98 / (u + 5.09)))", 4.7798e-05),
    ],
)
def test_continued_fractions_reach_the_errors_of_the_baselines(
    function: str, high: float, body: str, wanted: float
) -> None:
    judge = judge_of(function, 0, high)
    rough = parse(f"def f(x):\n    u = x * x\n    return {body}\n", ARITHMETIC)

    polished = polish(rough, ARITHMETIC, target_of(judge))

    assert judge.evaluate(polished).metrics["max_relative_error"] == pytest.approx(wanted, rel=1e-3)
    assert judge.verify(polished).verdict is Certainty.CERTIFIED


def test_constants_are_as_short_as_the_error_allows() -> None:
    # e^x on [0, 1] in powers of x - 1/2: the centre is 1/2 and e^(1/2) comes out, both of few digits
    judge = judge_of("exp", 0, 1)
    rough = parse("def f(x):\n    return 1.63 + 19.6 / (x - 6.52 + 12.1 / (x - 0.486))\n", ARITHMETIC)

    polished = polish(rough, ARITHMETIC, target_of(judge))

    lengths = [len(Decimal(literal).as_tuple().digits) for literal in LITERAL.findall(render(polished, ARITHMETIC))]
    assert 0.5 in polished.constants or -0.5 in polished.constants
    assert max(lengths) <= 10
    assert polished.constants_low is None


def test_polishing_twice_changes_nothing_that_counts(exp2: FunctionApproximation) -> None:
    target = target_of(exp2)
    once = polish(published(5), ARITHMETIC, target)

    twice = polish(once, ARITHMETIC, target)

    errors = [float(np.abs(exact_residuals(program, ARITHMETIC, target)).max()) for program in (once, twice)]
    assert errors[1] == pytest.approx(errors[0], rel=4e-4)
    assert polish(published(5), ARITHMETIC, target) == once


def test_constants_that_depend_on_each_other_are_polished_too() -> None:
    # a * b * x + c: only the product counts
    points = np.linspace(1.0, 2.0, 65)
    target = FitTarget(points=points, values=np.sqrt(points))
    redundant = parse("def f(x):\n    return x * 0.7 * 0.6 + 0.58\n", ARITHMETIC)
    plain = parse("def f(x):\n    return x * 0.42 + 0.58\n", ARITHMETIC)

    errors = [
        float(np.abs(exact_residuals(polish(program, ARITHMETIC, target), ARITHMETIC, target)).max())
        for program in (redundant, plain)
    ]

    assert errors[0] == pytest.approx(errors[1], rel=5e-4)
    # (a x + b) / sqrt(x) has equal ends on [1, 2] for b = sqrt(2) a, and is least at x = sqrt(2)
    least = 2.0 * 2.0**0.25 / (1.0 + np.sqrt(2.0))
    assert errors[1] == pytest.approx((1.0 - least) / (1.0 + least), rel=2e-3)


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    return x\n",
        "def f(x):\n    return x * x\n",
        "def f(x):\n    return 1.0\n",
    ],
)
def test_what_cannot_be_polished_comes_back_as_it_was(exp2: FunctionApproximation, text: str) -> None:
    program = parse(text, ARITHMETIC)

    polished = polish(program, ARITHMETIC, target_of(exp2))

    assert polished == program


def test_other_vocabularies_and_other_inputs_are_left_alone(exp2: FunctionApproximation) -> None:
    plain, two = "def f(x):\n    return x * 1.7 + 0.9\n", "def f(x, y):\n    return x * 1.7 + y\n"

    for text, vocabulary in ((plain, ELEMENTARY), (two, ARITHMETIC)):
        program = parse(text, vocabulary)
        assert polish(program, vocabulary, target_of(exp2)) == program


@pytest.mark.parametrize("ends", [True, False])
def test_extremes_are_found_between_the_points_and_at_the_ends(ends: bool) -> None:
    # given the Chebyshev polynomial of degree 9 on points that leave out its ends, or do not
    angles = np.linspace(0.0, np.pi, 128) if ends else (np.arange(128) + 0.5) * np.pi / 128
    points = -np.cos(angles)

    extremes = Curve(points).extremes(np.cos(9 * np.arccos(points)))

    assert len(extremes.errors) == 10
    np.testing.assert_allclose(np.abs(extremes.errors), 1.0, atol=5e-4)
    np.testing.assert_allclose(np.diff(np.sign(extremes.errors)), np.tile([2.0, -2.0], 5)[:9])


@given(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=12), st.integers(2, 12))
def test_chosen_extremes_alternate_and_keep_the_largest(sizes: list[float], most: int) -> None:
    errors = np.array(sizes) * (-1.0) ** np.arange(len(sizes))
    places = np.zeros((len(sizes), 3), np.intp)

    chosen = Extremes(places, np.zeros(places.shape), errors).alternating(most)

    assert len(chosen.errors) <= most
    assert (np.diff(np.sign(chosen.errors)) != 0).all()
    assert chosen.largest == max(sizes) or len(chosen.errors) == most


def test_dependent_to_all_digits_of_float64_is_not_dependent_here() -> None:
    # two columns that differ by 1e-20 of themselves: factors 3 and 1 come back from 3 u + v, v = u + 1e-20 w
    rng = np.random.default_rng(0)
    u, w = rng.normal(size=20), rng.normal(size=20)
    columns, lows = np.stack([u, u]), np.stack([np.zeros(20), 1e-20 * w])

    highs, _, dependent = least_squares(columns, lows, 1e-20 * w)

    assert dependent.size == 0
    np.testing.assert_allclose(highs, [-1.0, 1.0], rtol=1e-9)
    assert least_squares(np.stack([u, 2.0 * u]), np.zeros((2, 20)), u).dependent.size == 1


@given(st.fractions(-100, 100), st.fractions(0, 1), st.fractions(0, 1))
def test_the_simplest_number_lies_where_it_may(number: Fraction, below: Fraction, above: Fraction) -> None:
    value = exact_value(*simplest(number, number - below / 1000, number + above / 1000))

    slack = abs(number) * Fraction(1, 10**31)  # a number that no pair holds is rounded
    assert number - below / 1000 - slack <= value <= number + above / 1000 + slack


@pytest.mark.parametrize(
    ("number", "least", "most", "wanted"),
    [
        ("0.4999", "0.499", "0.51", "0.5"),
        ("1.0000001", "0.9", "1.1", "1"),
        ("0.31416", "0.31412", "0.3142", "0.3142"),
        ("0.31416", "0.31411", "0.31419", "0.31416"),
        ("123.456", "123", "124", "123"),
    ],
)
def test_short_numbers_are_preferred(number: str, least: str, most: str, wanted: str) -> None:
    found = simplest(Fraction(number), Fraction(least), Fraction(most))

    assert found == (float(wanted), 0.0)
