"""The largest error against a dense search with mpmath, and what must not change it."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import mpmath
import pytest
from flint import arb, fmpq_poly
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.approximation.functions import TARGETS
from evaluators.approximation.rational import Quotient, exact
from evaluators.approximation.sup_error import ErrorCurve, UnboundedErrorError, chebyshev_points, size_of
from evaluators.contract import Evaluation, Failure
from evaluators.errors import EvaluatorError
from evaluators.judge import Judge
from evaluators.spec import JudgeSpec, SymbolicSpec
from tests.extent import examples

TRUTH: Mapping[str, Callable[[Any], Any]] = {
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "exp": mpmath.exp,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "erf": mpmath.erf,
    "log2_1p": lambda x: mpmath.log1p(x) / mpmath.log(2),
    "sqrt": mpmath.sqrt,
}


def evaluated(body: str, function: str, interval: tuple[float, float], error: str = "relative") -> Evaluation:
    spec = JudgeSpec(
        language="symbolic",
        family="function_approximation",
        options={"function": function, "interval": list(interval), "error": error},
        axes=("operations", "depth"),
        symbolic=SymbolicSpec(max_operations=40, max_constants=40),
    )
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return Judge(spec).evaluate({"f.py": f"def f(x):\n{lines}"})


def error_of(evaluation: Evaluation, kind: str = "relative") -> float:
    assert evaluation.failure is None, evaluation.detail
    return evaluation.metrics[f"max_{kind}_error"]


def running(body: str) -> Callable[[Any], Any]:
    """The program as a Python function: with mpmath numbers its constants are the exact floats."""
    namespace: dict[str, Any] = {}
    exec("def f(x):\n" + "".join(f"    {line}\n" for line in body.splitlines()), namespace)
    program: Callable[[Any], Any] = namespace["f"]
    return program


def densest_error(body: str, function: str, interval: tuple[float, float], error: str) -> float:
    """The largest error on a fine equidistant grid, then on finer ones around its highest point (40 digits)."""
    program, truth = running(body), TRUTH[function]
    with mpmath.workdps(40):
        low, high = mpmath.mpf(interval[0]), mpmath.mpf(interval[1])

        def size(x: Any) -> Any:
            wanted = truth(x)
            if wanted == 0 and error == "relative":
                return mpmath.mpf(0)  # the grid is fine enough to see the limit next to it
            return abs(program(x) - wanted) / (abs(wanted) if error == "relative" else 1)

        left, right, best = low, high, mpmath.mpf(0)
        for count in (600, 40, 40):
            step = (right - left) / count
            heights = [(size(left + k * step), left + k * step) for k in range(count + 1)]
            top, where = max(heights)
            best = max(best, top)
            left, right = max(low, where - step), min(high, where + step)
        return float(best)


KNOWN = [
    ("return 1.0 + x", "exp2", (0.0, 1.0), "relative"),
    ("return 1.0 + x", "exp2", (0.0, 1.0), "absolute"),
    ("return 1.0 + x * (0.6565 + x * 0.3435)", "exp2", (0.0, 1.0), "relative"),
    ("return 1.0 + x * (0.5 + x * (0.3 + x * (0.1 + x * (0.05 + x * 0.05))))", "exp2", (-1.0, 1.0), "relative"),
    ("return 1.0 + x + x * x / 2.0 + x * x * x / 6.0", "exp", (-1.5, 0.5), "absolute"),
    ("y = 1.0 + x / 8.0\ny = y * y\ny = y * y\nreturn y * y", "exp", (0.0, 1.0), "relative"),
    ("y = 1.0 + x / 8.0\ny = y * y\ny = y * y\nreturn y * y", "exp", (-1.0, 1.0), "absolute"),
    ("return (12.0 + x * (6.0 + x)) / (12.0 + x * (x - 6.0))", "exp", (-1.0, 1.0), "relative"),
    ("return x - x * x * x / 6.0", "sin", (-1.0, 1.0), "absolute"),
    ("return x * (1.0 - x * x / 6.0)", "sin", (-1.5, 1.0), "relative"),
    ("return x / (1.0 + x * x / 6.0)", "sin", (0.0, 1.5), "relative"),
    ("return 1.0 - x * x / 2.0", "cos", (-1.0, 1.2), "relative"),
    ("return 1.0 - x * x / 2.0", "cos", (0.0, 2.0), "absolute"),
    ("return x * (1.128 - x * x * 0.2)", "erf", (0.0, 2.0), "relative"),
    ("return x * 1.4 / (1.0 + x * 0.4)", "log2_1p", (0.0, 1.0), "relative"),
    ("return (0.2 + x * (1.2 + x * 0.2)) / (0.6 + x)", "sqrt", (0.05, 2.0), "relative"),
    ("return 1.0 + x + 0.001 / (x + 0.01)", "exp2", (0.0, 1.0), "relative"),
    ("return 1.0 + x + 0.001 / (1.001 - x)", "exp2", (0.0, 1.0), "absolute"),
    ("t = x - 0.3\nreturn 1.0 + x + 0.00001 / (t * t + 0.0001)", "exp2", (0.0, 1.0), "relative"),
]


@pytest.mark.parametrize(("body", "function", "interval", "error"), KNOWN)
def test_the_largest_error_is_the_one_that_a_dense_search_finds(
    body: str, function: str, interval: tuple[float, float], error: str
) -> None:
    found = error_of(evaluated(body, function, interval, error), error)
    assert found == pytest.approx(densest_error(body, function, interval, error), rel=2e-4)


@pytest.mark.parametrize(("body", "function", "interval", "error"), KNOWN[::3])
def test_the_worst_point_that_is_named_has_the_error_that_is_named(
    body: str, function: str, interval: tuple[float, float], error: str
) -> None:
    evaluation = evaluated(body, function, interval, error)
    with mpmath.workdps(40):
        x = mpmath.mpf(evaluation.metrics["worst_x"])
        assert interval[0] <= x <= interval[1]
        wanted = TRUTH[function](x)
        if wanted == 0:
            return
        size = abs(running(body)(x) - wanted) / (abs(wanted) if error == "relative" else 1)
        assert float(size) == pytest.approx(error_of(evaluation, error), rel=1e-9)


COEFFICIENTS = st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=5)


def horner(coefficients: list[float]) -> str:
    text = repr(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        text = f"({coefficient!r} + x * {text})"
    return f"return 0.0 * x + {text}"


@settings(deadline=None, max_examples=examples(15))
@given(COEFFICIENTS, st.sampled_from(["relative", "absolute"]))
def test_a_random_polynomial_has_the_error_that_a_dense_search_finds(coefficients: list[float], error: str) -> None:
    body = horner(coefficients)
    found = error_of(evaluated(body, "exp2", (0.0, 1.0), error), error)
    assert found == pytest.approx(densest_error(body, "exp2", (0.0, 1.0), error), rel=2e-4, abs=1e-300)


EXP2 = ErrorCurve(TARGETS["exp2"], 0.0, 1.0, relative=True)


def polynomial(coefficients: list[float]) -> Quotient:
    return Quotient(fmpq_poly([exact(c) for c in coefficients]), fmpq_poly([1]))


@settings(deadline=None, max_examples=examples(40))
@given(COEFFICIENTS, st.floats(0.0, 0.9), st.floats(0.05, 1.0))
def test_a_part_of_the_interval_never_has_a_larger_error(coefficients: list[float], start: float, part: float) -> None:
    form = polynomial(coefficients)
    end = min(1.0, start + part)
    inner = ErrorCurve(TARGETS["exp2"], start, end, relative=True).largest(form)
    assert inner.error <= EXP2.largest(form).error * (1 + 2e-4)


@settings(deadline=None, max_examples=examples(40))
@given(COEFFICIENTS, COEFFICIENTS)
def test_absolute_errors_obey_the_triangle_inequality(first: list[float], second: list[float]) -> None:
    curve = ErrorCurve(TARGETS["exp2"], 0.0, 1.0, relative=False)
    one, other = polynomial(first), polynomial(second)
    half = Quotient((one.numerator + other.numerator) / 2, fmpq_poly([1]))
    middle = curve.largest(half).error
    assert middle <= (curve.largest(one).error + curve.largest(other).error) / 2 * (1 + 2e-4)


@settings(deadline=None, max_examples=examples(40))
@given(COEFFICIENTS)
def test_a_mirrored_program_has_the_same_error_on_the_mirrored_interval(coefficients: list[float]) -> None:
    mirrored = [-c if k % 2 == 0 else c for k, c in enumerate(coefficients)]
    right = ErrorCurve(TARGETS["sin"], 0.25, 1.5, relative=False).largest(polynomial(coefficients))
    left = ErrorCurve(TARGETS["sin"], -1.5, -0.25, relative=False).largest(polynomial(mirrored))
    assert left.error == pytest.approx(right.error, rel=2e-4)
    assert abs(left.point) <= 1.5


@settings(deadline=None, max_examples=examples(40))
@given(COEFFICIENTS, st.floats(0.0, 1.0))
def test_no_point_has_an_error_above_the_largest_absolute_one(coefficients: list[float], x: float) -> None:
    curve = ErrorCurve(TARGETS["sin"], 0.0, 1.0, relative=False)
    peak = curve.largest(polynomial(coefficients))
    value = sum((Fraction(c) * Fraction(x) ** k for k, c in enumerate(coefficients)), Fraction(0))
    assert abs(float(value) - math.sin(x)) <= peak.error * (1 + 2e-4) + 1e-15


@settings(deadline=None, max_examples=examples(30))
@given(st.floats(0.001, 0.999), st.integers(1, 12))
def test_a_pole_inside_the_interval_is_told_wherever_it_is(pole: float, power: int) -> None:
    below = fmpq_poly([-exact(pole), 1]) ** power
    with pytest.raises(UnboundedErrorError, match="pole in the interval, near x = ") as told:
        EXP2.largest(Quotient(fmpq_poly([1]), below))
    assert float(str(told.value).rsplit("= ", 1)[1]) == pytest.approx(pole, abs=1e-5)


@settings(deadline=None, max_examples=examples(30))
@given(st.floats(1e-9, 0.04), st.floats(1e-6, 1.0))
def test_the_height_of_a_spike_beside_the_interval_is_found(distance: float, height: float) -> None:
    body = f"return 1.0 + x + {height * distance!r} / (x + {distance!r})"
    found = error_of(evaluated(body, "exp2", (0.0, 1.0)))
    at_the_end = float(Fraction(height * distance) / Fraction(distance))
    assert found >= at_the_end * (1 - 1e-12)
    assert found <= at_the_end + 0.0616


@settings(deadline=None, max_examples=examples(40))
@given(st.floats(-5.0, 5.0), st.floats(0.01, 5.0), st.integers(2, 300))
def test_the_sampling_points_cover_the_interval_ends_and_ascend(low: float, width: float, count: int) -> None:
    high = low + width
    points = chebyshev_points(low, high, count)
    assert (points[0], points[-1]) == (low, high)
    assert all(left < right for left, right in pairwise(points))
    assert len(points) <= count
    assert max(right - left for left, right in pairwise(points)) <= width * math.pi / (2 * (count - 1))


def test_the_size_of_an_error_that_is_not_known_is_infinite() -> None:
    assert size_of(arb("nan")) == math.inf
    assert size_of(arb(-3)) == 3.0
    assert 2.0 <= size_of(arb(0, 2)) < 2.0001


def test_a_program_equal_to_its_target_to_the_last_digit_has_the_cap_as_score() -> None:
    evaluation = evaluated("return x * 1.0", "sin", (0.0, 2.0**-70), "absolute")
    assert evaluation.score == 40.0
    assert error_of(evaluation, "absolute") == pytest.approx(2.0**-210 / 6, rel=1e-3)


@pytest.mark.parametrize(("function", "interval"), [("log", (0.0, 1.0)), ("sqrt", (-1.0, 1.0)), ("asin", (0.0, 1.5))])
@pytest.mark.parametrize("relative", [True, False])
def test_a_target_that_is_not_defined_somewhere_is_refused(
    function: str, interval: tuple[float, float], relative: bool
) -> None:
    curve = ErrorCurve(TARGETS[function], *interval, relative=relative)
    with pytest.raises(EvaluatorError, match="is not defined on all of"):
        curve.require_defined()


@pytest.mark.parametrize(
    ("function", "interval"),
    [
        ("tan", (1.0, 2.0)),
        ("tan", (1.57, 1.9)),
        ("tan", (-1.5708, 0.0)),
        ("gamma", (-0.5, 0.6)),
        ("gamma", (-1e-6, 5.0)),
        ("gamma", (-2.5, -0.5)),
    ],
)
@pytest.mark.parametrize("relative", [True, False])
def test_a_target_with_a_pole_between_the_sampling_points_is_refused(
    function: str, interval: tuple[float, float], relative: bool
) -> None:
    with pytest.raises(EvaluatorError, match="is not defined on all of"):
        ErrorCurve(TARGETS[function], *interval, relative=relative).require_defined()


@pytest.mark.parametrize(
    ("function", "interval"),
    [
        ("tan", (0.0, 1.5707)),
        ("gamma", (1e-6, 5.0)),
        ("gamma", (-0.999, -0.001)),
        ("sqrt", (0.0, 1.0)),
        ("asin", (-1.0, 1.0)),
        ("log", (1e-9, 1.0)),
        ("erfc", (-10.0, 30.0)),
        ("airy_ai", (-20.0, 20.0)),
        ("exp", (-700.0, 700.0)),
        ("lgamma", (0.01, 100.0)),
    ],
)
def test_a_target_that_is_steep_or_ends_at_a_branch_point_is_not_refused(
    function: str, interval: tuple[float, float]
) -> None:
    ErrorCurve(TARGETS[function], *interval, relative=False).require_defined()


@pytest.mark.parametrize(
    ("function", "interval"), [("cos", (0.0, 3.0)), ("sin", (1.0, 4.0)), ("sin", (-1.0, 4.0)), ("sqrt", (0.0, 1.0))]
)
def test_a_target_with_a_zero_that_no_program_can_share_has_absolute_errors_only(
    function: str, interval: tuple[float, float]
) -> None:
    with pytest.raises(EvaluatorError, match="is zero inside"):
        ErrorCurve(TARGETS[function], *interval, relative=True).require_defined()
    ErrorCurve(TARGETS[function], *interval, relative=False).require_defined()


@pytest.mark.parametrize("interval", [(-1.0, 1.0), (0.0, 1.0), (-1.0, 0.0)])
def test_the_zero_at_the_origin_is_divided_out_wherever_it_lies_in_the_interval(interval: tuple[float, float]) -> None:
    curve = ErrorCurve(TARGETS["sin"], *interval, relative=True)
    assert curve.has_zero
    peak = curve.largest(polynomial([0.0, 1.0]))
    assert peak.error == pytest.approx(1 / math.sin(1) - 1, rel=1e-9)
    assert abs(peak.point) == 1.0


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ("return 1.0 / (x - 0.25)", Failure.NOT_FINITE),
        ("return x / (x - x)", Failure.NOT_FINITE),
        ("y = x + 1.0\n" + "y = y * y\n" * 7 + "return y + 1.0", Failure.INVALID),
        ("return x +", Failure.SYNTAX),
    ],
)
def test_a_failed_approximation_has_a_reason_and_nothing_to_compare(body: str, failure: Failure) -> None:
    evaluation = evaluated(body, "exp2", (0.0, 1.0))
    assert (evaluation.failure, evaluation.score) == (failure, None)
    assert not evaluation.descriptor
    assert evaluation.detail
