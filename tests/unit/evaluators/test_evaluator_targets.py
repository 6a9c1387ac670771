"""The reference functions against mpmath, their power series against independent derivatives, and interval ends."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import pytest
from flint import arb, arb_series, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.approximation.functions import TARGETS, Target, ball, end_of_interval, target_named, taylor
from evaluators.approximation.precision import working
from evaluators.approximation.sup_error import ErrorCurve
from evaluators.errors import EvaluatorError
from tests.extent import examples

BITS = 160
DIGITS = 60

ORACLES: Mapping[str, tuple[Callable[[Any], Any], float, float]] = {
    "exp2": (lambda x: mpmath.mpf(2) ** x, -3.0, 3.0),
    "exp": (mpmath.exp, -3.0, 3.0),
    "expm1": (mpmath.expm1, -2.0, 2.0),
    "log2": (lambda x: mpmath.log(x) / mpmath.log(2), 0.1, 5.0),
    "log10": (mpmath.log10, 0.1, 5.0),
    "log": (mpmath.log, 0.1, 5.0),
    "log2_1p": (lambda x: mpmath.log1p(x) / mpmath.log(2), -0.7, 3.0),
    "log1p": (mpmath.log1p, -0.7, 3.0),
    "sqrt": (mpmath.sqrt, 0.1, 5.0),
    "cbrt": (mpmath.cbrt, 0.1, 5.0),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x), 0.1, 5.0),
    "abs": (abs, 0.1, 5.0),
    "sin": (mpmath.sin, -3.0, 3.0),
    "cos": (mpmath.cos, -3.0, 3.0),
    "tan": (mpmath.tan, -1.4, 1.4),
    "cot": (mpmath.cot, 0.1, 3.0),
    "sec": (mpmath.sec, -1.4, 1.4),
    "csc": (mpmath.csc, 0.1, 3.0),
    "sin_pi": (mpmath.sinpi, -1.4, 1.4),
    "cos_pi": (mpmath.cospi, -1.4, 1.4),
    "sinc": (mpmath.sinc, -3.0, 3.0),
    "asin": (mpmath.asin, -0.9, 0.9),
    "acos": (mpmath.acos, -0.9, 0.9),
    "atan": (mpmath.atan, -3.0, 3.0),
    "sinh": (mpmath.sinh, -3.0, 3.0),
    "cosh": (mpmath.cosh, -3.0, 3.0),
    "tanh": (mpmath.tanh, -3.0, 3.0),
    "coth": (mpmath.coth, 0.2, 3.0),
    "asinh": (mpmath.asinh, -3.0, 3.0),
    "acosh": (mpmath.acosh, 1.2, 3.0),
    "atanh": (mpmath.atanh, -0.8, 0.8),
    "erf": (mpmath.erf, -3.0, 3.0),
    "erfc": (mpmath.erfc, -3.0, 3.0),
    "erfi": (mpmath.erfi, -2.0, 2.0),
    "erfinv": (mpmath.erfinv, -0.9, 0.9),
    "erfcinv": (lambda x: mpmath.erfinv(1 - x), 0.1, 1.9),
    "norm_cdf": (mpmath.ncdf, -3.0, 3.0),
    "norm_ppf": (lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1), 0.05, 0.95),
    "gamma": (mpmath.gamma, 0.3, 4.0),
    "rgamma": (mpmath.rgamma, 0.3, 4.0),
    "lgamma": (mpmath.loggamma, 0.3, 4.0),
    "digamma": (mpmath.digamma, 0.3, 4.0),
    "zeta": (mpmath.zeta, 1.3, 4.0),
    "airy_ai": (mpmath.airyai, -3.0, 3.0),
    "airy_bi": (mpmath.airybi, -3.0, 2.0),
    "airy_ai_prime": (lambda x: mpmath.airyai(x, 1), -3.0, 3.0),
    "airy_bi_prime": (lambda x: mpmath.airybi(x, 1), -3.0, 2.0),
    "bessel_j0": (lambda x: mpmath.besselj(0, x), -3.0, 3.0),
    "bessel_j1": (lambda x: mpmath.besselj(1, x), -3.0, 3.0),
    "bessel_y0": (lambda x: mpmath.bessely(0, x), 0.3, 3.0),
    "bessel_y1": (lambda x: mpmath.bessely(1, x), 0.3, 3.0),
    "bessel_i0": (lambda x: mpmath.besseli(0, x), -2.0, 2.0),
    "bessel_i1": (lambda x: mpmath.besseli(1, x), -2.0, 2.0),
    "bessel_k0": (lambda x: mpmath.besselk(0, x), 0.3, 3.0),
    "bessel_k1": (lambda x: mpmath.besselk(1, x), 0.3, 3.0),
    "lambertw": (mpmath.lambertw, -0.3, 3.0),
    "ei": (mpmath.ei, 0.3, 3.0),
    "li": (mpmath.li, 1.3, 4.0),
    "si": (mpmath.si, -3.0, 3.0),
    "ci": (mpmath.ci, 0.3, 3.0),
    "shi": (mpmath.shi, -2.0, 2.0),
    "chi": (mpmath.chi, 0.3, 3.0),
    "fresnel_s": (mpmath.fresnels, -2.0, 2.0),
    "fresnel_c": (mpmath.fresnelc, -2.0, 2.0),
    "elliptic_k": (mpmath.ellipk, -1.0, 0.9),
    "elliptic_e": (mpmath.ellipe, -1.0, 0.9),
}
"""The function in mpmath, and an interval on which it is analytic."""

WITH_SERIES = sorted(name for name, target in TARGETS.items() if target.series is not None)


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
        for point in points_in(low, high, 9):
            assert encloses(TARGETS[name].value(arb(point)), mpmath.re(compute(mpmath.mpf(point)))), point


@pytest.mark.parametrize("name", [name for name in WITH_SERIES if not name.startswith("bessel_")])
def test_a_reference_functions_series_has_the_derivatives_that_mpmath_computes(name: str) -> None:
    compute, low, high = ORACLES[name]
    centre = low + 0.61 * (high - low)
    with mpmath.workdps(DIGITS):
        expected = [mpmath.re(each) for each in mpmath.taylor(compute, mpmath.mpf(centre), 4)]
    with mpmath.workdps(DIGITS), working(bits=BITS, length=8):
        found = taylor(TARGETS[name], arb(centre), 5)
        assert len(found) == 5
        for coefficient, wanted in zip(found, expected, strict=True):
            assert encloses(coefficient, wanted, tolerance=1e-9)


@pytest.mark.parametrize(("kind", "sign"), [("j", 1), ("y", 1), ("i", -1), ("k", -1)])
def test_a_bessel_series_starts_with_the_known_slope_and_solves_the_differential_equation(kind: str, sign: int) -> None:
    x = arb(0.8125)
    with working(bits=BITS, length=12):
        series = arb_series(taylor(TARGETS[f"bessel_{kind}0"], x, 12), prec=12)
        slope = TARGETS[f"bessel_{kind}1"].value(x) * (1 if kind == "i" else -1)
        assert (series.coeffs()[1] - slope).contains(0)
        variable, first = arb_series([x, 1], prec=12), series.derivative()
        residual = variable * first.derivative() + first + sign * variable * series
        assert residual.prec >= 10
        assert all(each.contains(0) and each.rad() < 1e-36 for each in list(residual.coeffs())[:10])


@pytest.mark.parametrize("name", WITH_SERIES)
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


@pytest.mark.parametrize("name", WITH_SERIES)
def test_the_zero_at_the_origin_is_found_and_proved_exactly_where_it_is_simple(name: str) -> None:
    compute, low, high = ORACLES[name]
    if not low < 0.0 < high:
        return
    zeros = ErrorCurve(TARGETS[name], 0.0, high, relative=True).zeros
    value, slope = mpmath.re(compute(mpmath.mpf(0))), mpmath.re(mpmath.diff(compute, mpmath.mpf(0)))
    found = [zero for zero in zeros if zero.point == 0.0]
    is_simple = bool(value == 0 and abs(slope) > 1e-20)
    assert [zero.is_proved for zero in found if zero.order == 1] == ([True] if is_simple else [])
    assert all(zero.order == 1 for zero in found) == (value != 0 or is_simple)


@pytest.mark.parametrize("name", ["sin", "erf", "log2_1p", "bessel_j1", "erfinv", "lambertw"])
def test_the_series_at_a_zero_starts_with_nothing_and_then_the_slope(name: str) -> None:
    with mpmath.workdps(DIGITS), working(bits=BITS, length=8):
        constant, slope = taylor(TARGETS[name], arb(0), 2)
        assert constant.is_zero()
        assert encloses(slope, mpmath.re(mpmath.diff(ORACLES[name][0], mpmath.mpf(0))), tolerance=1e-20)


def test_a_short_series_is_filled_up_with_zeros() -> None:
    line = Target(name="line", written="3 x", value=lambda x: 3 * x, series=lambda x: 3 * x)
    with working(bits=BITS, length=8):
        assert [float(each) for each in taylor(line, arb(2), 5)] == [6.0, 3.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("name", "nearest"), [("exp_2", "exp2"), ("SIN", None), ("log2_1", "log2_1p"), ("airya", "airy_ai"), (7, None)]
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
        ("2", 2.0),
        ("--pi", math.pi),
        ("pi/-2", -math.pi / 2),
        ("e", math.e),
        ("log(2)", math.log(2)),
        ("sqrt(2) - 1", math.sqrt(2) - 1),
    ],
)
def test_an_end_of_an_interval_is_a_number_or_a_formula_without_x(written: object, value: float) -> None:
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
        "x",
        "pi2",
        "2pi",
        "pi/",
        "log(-1)",
        "sin(pi)",
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


@settings(deadline=None, max_examples=examples(60))
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_the_ball_around_an_interval_holds_both_ends_and_everything_between(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    around = ball(low, high)
    assert around.contains(arb(low))
    assert around.contains(arb(high))
    assert around.contains(arb(low + (high - low) / 3))


@settings(deadline=None, max_examples=examples(30))
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
