"""The reference functions against mpmath, their power series against independent derivatives, and interval ends."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.approximation.functions import TARGETS, ball, end_of_interval, target_named, taylor
from evaluators.approximation.precision import working
from evaluators.errors import EvaluatorError

BITS = 160
DIGITS = 60

ORACLES: Mapping[str, tuple[Callable[[Any], Any], float, float]] = {
    "exp2": (lambda x: mpmath.mpf(2) ** x, -3.0, 3.0),
    "exp": (mpmath.exp, -3.0, 3.0),
    "expm1": (mpmath.expm1, -2.0, 2.0),
    "log2": (lambda x: mpmath.log(x) / mpmath.log(2), 0.1, 5.0),
    "log": (mpmath.log, 0.1, 5.0),
    "log2_1p": (lambda x: mpmath.log1p(x) / mpmath.log(2), -0.7, 3.0),
    "log1p": (mpmath.log1p, -0.7, 3.0),
    "sqrt": (mpmath.sqrt, 0.1, 5.0),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x), 0.1, 5.0),
    "sin": (mpmath.sin, -3.0, 3.0),
    "cos": (mpmath.cos, -3.0, 3.0),
    "tan": (mpmath.tan, -1.4, 1.4),
    "asin": (mpmath.asin, -0.9, 0.9),
    "atan": (mpmath.atan, -3.0, 3.0),
    "erf": (mpmath.erf, -3.0, 3.0),
    "erfc": (mpmath.erfc, -3.0, 3.0),
    "gamma": (mpmath.gamma, 0.3, 4.0),
    "lgamma": (mpmath.loggamma, 0.3, 4.0),
    "airy_ai": (mpmath.airyai, -3.0, 3.0),
}
"""The function in mpmath, and an interval on which it is analytic."""


def as_mpf(exact_number: Any) -> Any:
    """The midpoint of a ball as an mpmath number, through its exact mantissa and exponent."""
    mantissa, exponent = exact_number.mid().man_exp()
    return mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent))


def encloses(enclosure: Any, number: Any, *, tolerance: float = 1e-40) -> bool:
    """Whether a ball holds an mpmath number, up to mpmath's own rounding; a ball much wider than that does not."""
    radius = mpmath.mpf(float(enclosure.rad()))
    room = mpmath.mpf(tolerance) * (1 + abs(number))
    return bool(radius < room and abs(as_mpf(enclosure) - number) <= radius + room)


def points_in(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * (k + 0.37) / count for k in range(count)]


def test_every_reference_function_has_an_oracle_here() -> None:
    assert set(ORACLES) == set(TARGETS)
    assert all(target.name == name for name, target in TARGETS.items())


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_reference_function_has_the_values_that_mpmath_computes(name: str) -> None:
    compute, low, high = ORACLES[name]
    with mpmath.workdps(DIGITS), working(bits=BITS):
        for point in points_in(low, high, 40):
            assert encloses(TARGETS[name].value(arb(point)), compute(mpmath.mpf(point))), point


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_reference_functions_series_has_the_derivatives_that_mpmath_computes(name: str) -> None:
    compute, low, high = ORACLES[name]
    centre = low + 0.61 * (high - low)
    with mpmath.workdps(DIGITS):
        expected = mpmath.taylor(compute, mpmath.mpf(centre), 4)
    with mpmath.workdps(DIGITS), working(bits=BITS, length=8):
        found = taylor(TARGETS[name], arb(centre), 5)
        assert len(found) == 5
        for coefficient, wanted in zip(found, expected, strict=True):
            assert encloses(coefficient, wanted, tolerance=1e-9)


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_series_around_a_ball_encloses_the_series_at_every_point_in_it(name: str) -> None:
    _, low, high = ORACLES[name]
    left = low + 0.4 * (high - low)
    right = left + 0.01 * (high - low)
    with working(bits=BITS, length=8):
        wide = taylor(TARGETS[name], ball(left, right), 5)
        for point in points_in(left, right, 7):
            narrow = taylor(TARGETS[name], arb(point), 5)
            for around, at in zip(wide, narrow, strict=True):
                assert around.overlaps(at)
                assert around.rad() >= at.rad()


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_the_zero_at_the_origin_is_claimed_exactly_where_it_is_simple(name: str) -> None:
    compute, low, high = ORACLES[name]
    if not low <= 0.0 <= high:
        assert not TARGETS[name].zero_at_0
        return
    value, slope = compute(mpmath.mpf(0)), mpmath.diff(compute, mpmath.mpf(0))
    assert TARGETS[name].zero_at_0 == (value == 0 and slope != 0)


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if target.zero_at_0])
def test_the_series_at_a_zero_starts_with_nothing_and_then_the_slope(name: str) -> None:
    with mpmath.workdps(DIGITS), working(bits=BITS, length=8):
        constant, slope = taylor(TARGETS[name], arb(0), 2)
        assert constant.contains(0)
        assert float(constant.abs_upper()) < 1e-40
        assert encloses(slope, mpmath.diff(ORACLES[name][0], mpmath.mpf(0)), tolerance=1e-20)


def test_a_short_series_is_filled_up_with_zeros() -> None:
    from evaluators.approximation.functions import Target

    line = Target(name="line", written="3 x", value=lambda x: 3 * x, series=lambda x: 3 * x)
    with working(bits=BITS, length=8):
        assert [float(each) for each in taylor(line, arb(2), 5)] == [6.0, 3.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("name", "nearest"), [("exp_2", "exp2"), ("SIN", None), ("log2_1", "log2_1p"), ("airy", "airy_ai"), (7, None)]
)
def test_an_unknown_function_is_told_with_all_that_there_are(name: object, nearest: str | None) -> None:
    with pytest.raises(EvaluatorError) as told:
        target_named(name)
    text = str(told.value)
    assert text.startswith(f"evaluator.options.function is {name!r}, expected one of exp2, exp, ")
    assert ("did you mean" in text) == (nearest is not None)
    if nearest is not None:
        assert text.endswith(f"did you mean {nearest!r}?")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (0, 0.0),
        (-2, -2.0),
        (0.1, 0.1),
        ("pi", math.pi),
        ("-pi", -math.pi),
        ("pi/2", math.pi / 2),
        (" - pi / 4 ", -math.pi / 4),
        ("3*pi/4", 3 * math.pi / 4),
        ("0.5*pi", 0.5 * math.pi),
        ("-1.5*pi/2.5", -1.5 * math.pi / 2.5),
        ("0*pi", 0.0),
    ],
)
def test_an_end_of_an_interval_is_a_number_or_a_multiple_of_pi(written: object, value: float) -> None:
    assert end_of_interval(written) == pytest.approx(value, rel=1e-15, abs=0.0)


HUGE = "9" * 400


@pytest.mark.parametrize(
    "written",
    [
        math.nan,
        math.inf,
        -math.inf,
        True,
        None,
        [],
        "",
        "2",
        "pi2",
        "2pi",
        "--pi",
        "pi/",
        "pi/-2",
        "e",
        "pi;1",
        10**400,
        -(10**400),
        "pi/0",
        "pi/0.0",
        f"{HUGE}*pi",
    ],
    ids=lambda written: repr(written)[:12],
)
def test_anything_else_is_no_end_of_an_interval(written: object) -> None:
    with pytest.raises(EvaluatorError, match="expected a number or text like 'pi/2'"):
        end_of_interval(written)


@settings(deadline=None, max_examples=60)
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_the_ball_around_an_interval_holds_both_ends_and_everything_between(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    around = ball(low, high)
    assert around.contains(arb(low))
    assert around.contains(arb(high))
    assert around.contains(arb(low + (high - low) / 3))


@settings(deadline=None, max_examples=30)
@given(st.integers(20, 400), st.integers(3, 40))
def test_the_working_precision_holds_inside_the_block_and_is_restored_after_it(bits: int, length: int) -> None:
    before = ctx.prec, ctx.cap
    with working(bits=bits, length=length):
        assert (ctx.prec, ctx.cap) == (bits, length)
        third = arb(1) / 3
        with working(bits=2 * bits):
            assert ctx.prec == 2 * bits
        assert (ctx.prec, ctx.cap) == (bits, length)
    assert (ctx.prec, ctx.cap) == before
    assert (3 * third).contains(1)
    assert float(third.rad()) <= 2.0 ** (2 - bits)


def test_the_working_precision_is_restored_after_an_error_too() -> None:
    before = ctx.prec, ctx.cap
    with pytest.raises(ZeroDivisionError), working(bits=999):
        raise ZeroDivisionError
    assert (ctx.prec, ctx.cap) == before
