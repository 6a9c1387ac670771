"""Known errors, and the traps: poles, spikes, zeros of the target, rounding, cancellation."""

import math
from collections.abc import Mapping

import pytest

from evaluators.contract import Evaluation, Failure
from evaluators.judge import Judge, JudgeSpec
from evaluators.spec import SymbolicSpec

ENDS: Mapping[str, list[object]] = {"exp2": [0, 1], "log2_1p": [0, 1], "erf": [0, 2], "sin": [0, "pi/2"]}


def judge_of(function: str, interval: list[object] | None = None, error: str = "relative") -> Judge:
    return Judge(
        JudgeSpec(
            language="symbolic",
            family="function_approximation",
            options={"function": function, "interval": interval or ENDS[function], "error": error},
            axes=("operations", "depth"),
            symbolic=SymbolicSpec(max_operations=24, max_constants=24),
        )
    )


def judged(body: str, function: str = "exp2", interval: list[object] | None = None, **more: str) -> Evaluation:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return judge_of(function, interval, **more).evaluate({"f.py": f"def f(x):\n{lines}"})


def error_of(evaluation: Evaluation) -> float:
    assert evaluation.failure is None, evaluation.detail
    [error] = [value for name, value in evaluation.metrics.items() if name.startswith("max_")]
    return error


CORE = """t = x + {c3} / x
y = {a} + {b} / ({c1} / t + {c2} + t)
"""
PUBLISHED_STRUCTURE = [
    (0, 5.636e-10, 0.9999999994363861, 62.7256158130777, -31.362790452332533, 90.493932017112, 237.37864086076294),
    (1, 8.937e-12, 0.9999999999955315, 125.3178702758460, -62.65893403594880, 361.5909397814003, 947.1224429082531),
    (2, 1.401e-13, 0.999999999999965, 250.5688570379741, -125.2844284499418, 1445.977789788141, 3786.084719531518),
]


@pytest.mark.parametrize(("squarings", "error", "a", "b", "c2", "c3", "c1"), PUBLISHED_STRUCTURE)
def test_the_published_structure_for_exp2_has_its_known_error(
    squarings: int, error: float, a: float, b: float, c2: float, c3: float, c1: float
) -> None:
    body = CORE.format(a=a, b=b, c1=c1, c2=c2, c3=c3) + "y = y * y\n" * squarings + "return y"
    evaluation = judged(body)
    assert error_of(evaluation) == pytest.approx(error, rel=0.01)
    assert evaluation.descriptor["operations"] == 7 + squarings
    assert evaluation.metrics["divisions"] == 3
    assert evaluation.metrics["constants"] == 5
    assert evaluation.score == pytest.approx(-math.log10(error), abs=0.01)


def test_a_straight_line_has_an_error_that_can_be_worked_out_by_hand() -> None:
    evaluation = judged("return 1.0 + x")
    peak = 1 / math.log(2) - 1
    assert error_of(evaluation) == pytest.approx((1 + peak) / 2**peak - 1, rel=1e-9)
    assert evaluation.metrics["worst_x"] == pytest.approx(peak, abs=1e-3)


def test_errors_far_below_float64_rounding_are_seen() -> None:
    body = CORE.format(a=1.0, b=1002.191760060146, c1=60565.31366778766, c2=-501.0958800298032, c3=23133.71331613683)
    assert error_of(judged(body + "y = y * y\n" * 4 + "return y")) < 1e-13
    exact = judged("return x * 1.0", "sin", [0, 2**-20], error="absolute")
    assert error_of(exact) == pytest.approx(2.0**-60 / 6, rel=1e-4)


def test_rounding_during_evaluation_does_not_count() -> None:
    assert error_of(judged("t = x + 1e16\nreturn t - 1e16")) == error_of(judged("return x"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return 1.0 / (x - 0.5)", "pole in the interval, near x = 0.5"),
        ("return 1.0 + x + 1e-300 / (x - 0.3141592653589793)", "near x = 0.314159"),
        ("t = x - 0.7\nreturn 1.0 + x + 1e-30 / (t * t)", "near x = 0.7"),
        ("return 1.0 + 1e-9 / x", "near x = 0"),
        ("return 1.0 + 1e-9 / (x - 1.0)", "near x = 1"),
        ("t = x - 0.5\nreturn 1.0 / (t * t - 1e-20)", "pole in the interval"),
        ("return 1.0 / (x - x)", "zero for every input"),
        ("return (x - x) / (x - x)", "zero for every input"),
    ],
)
def test_a_pole_anywhere_in_the_interval_is_not_finite_however_thin(body: str, words: str) -> None:
    evaluation = judged(body)
    assert evaluation.failure is Failure.NOT_FINITE
    assert words in evaluation.detail


def test_a_constant_that_is_not_a_number_cannot_be_written() -> None:
    assert judged("return x + 1e999").failure is Failure.SYNTAX
    assert judged("return x + nan").failure is Failure.SYNTAX


def test_a_pole_of_an_intermediate_value_that_cancels_is_filled_by_its_limit() -> None:
    plain = error_of(judged("return 1.0 + x"))
    assert error_of(judged("t = 1.0 / x\nreturn (t + 1.0) / t")) == plain
    assert error_of(judged("t = 0.25 / (x - 0.5)\nreturn (1.5 * t + 0.25) / t")) == pytest.approx(plain)
    assert error_of(judged("return (x * x) / x", "erf")) == error_of(judged("return x", "erf"))


@pytest.mark.parametrize(
    ("body", "height"),
    [
        ("t = x - 0.3141592\nreturn 1.0 + x + 1e-14 / (t * t + 1e-15)", 10 / 2**0.3141592),
        ("t = x - 0.5\nreturn 1.0 + x + 1e-24 / (t * t + 1e-24)", 1 / 2**0.5),
        ("return 1.0 + x + 1e-12 / (x + 1e-12)", 1.0),
        ("return 1.0 + x + 1e-12 / (1.000000000001 - x)", 0.5),
    ],
)
def test_a_spike_far_narrower_than_the_sampling_is_found(body: str, height: float) -> None:
    assert error_of(judged(body)) == pytest.approx(height, rel=0.1)


def test_the_relative_error_at_a_zero_of_the_target_is_the_limit() -> None:
    slope = 2 / math.sqrt(math.pi)
    assert error_of(judged("return x", "erf", [0, 0.001])) == pytest.approx(1 - 1 / slope, rel=1e-5)
    assert error_of(judged("return x", "log2_1p")) == pytest.approx(1 - math.log(2), rel=1e-9)
    assert error_of(judged("return 1.0 / (0.9 / x + x)", "sin", [-0.01, 0.01])) == pytest.approx(1 / 9, rel=1e-2)


@pytest.mark.parametrize(
    "body", ["return 1e-300 + x", "return x - 1e-17", "return 1.0", "t = x + 1.0\nreturn t * t - 0.9"]
)
def test_a_program_that_misses_the_zero_of_the_target_has_no_relative_error(body: str) -> None:
    evaluation = judged(body, "erf")
    assert evaluation.failure is Failure.NOT_FINITE
    assert "f(0) is" in evaluation.detail
    assert "x * R(x)" in evaluation.detail


def test_missing_the_zero_is_no_matter_for_an_absolute_error() -> None:
    assert error_of(judged("return x * 1.0 + 0.5", "erf", [0, 0.001], error="absolute")) == pytest.approx(0.5, rel=1e-3)


def test_a_program_of_absurd_degree_is_refused_and_not_computed() -> None:
    tower = "t = x + 0.5\n" + "t = t * t + 0.1\n" * 10 + "return t"
    evaluation = judged(tower)
    assert evaluation.failure is Failure.INVALID
    assert "at most 64" in evaluation.detail


def test_a_long_chain_of_squarings_costs_nothing() -> None:
    assert error_of(judged("y = 1.0 + x * 0.0001\n" + "y = y * y\n" * 12 + "return y")) < 1.0


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_extreme_constants_give_a_finite_score(scale: float) -> None:
    evaluation = judged(f"return x * {scale!r}")
    assert evaluation.score is not None
    assert math.isfinite(evaluation.score)


def test_the_score_of_an_error_of_nothing_is_capped() -> None:
    from evaluators.approximation.family import MAX_DIGITS, digits

    assert digits(0.0) == digits(1e-300) == MAX_DIGITS
    assert digits(1.0) == 0.0
    assert math.copysign(1.0, digits(1.0)) == 1.0


def test_dead_and_constant_code_is_free() -> None:
    evaluation = judged("dead = x * 3.0\nc = 2.0 / 4.0\nreturn x * c + 1.0")
    assert evaluation.descriptor == {"operations": 2.0, "depth": 2.0}
    assert evaluation.metrics["constants"] == 2.0


def test_the_fit_target_reaches_towards_a_zero_and_knows_what_rounding_removed() -> None:
    judge = judge_of("erf")
    fit, low = judge.fit_target(), judge.fit_target_low()
    assert fit is not None
    assert low is not None
    points, values, relative = fit
    assert relative
    assert points.min() < 1e-8
    assert values == pytest.approx([math.erf(x) for x in points], rel=1e-15)
    assert 0 < abs(low / values).max() < 2.0**-52
