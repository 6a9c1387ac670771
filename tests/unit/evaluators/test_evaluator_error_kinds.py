"""Zeros anywhere, weights, symmetry: what an error is, and what is proved of it."""

import math
import re
from typing import Any

import mpmath
import numpy as np
import pytest

from evaluators.contract import Certainty, Evaluation, Failure, Verdict
from evaluators.errors import EvaluatorError
from evaluators.judge import Judge, JudgeSpec
from evaluators.spec import SymbolicSpec


def judge_of(function: str, interval: list[Any], **options: Any) -> Judge:
    return Judge(
        JudgeSpec(
            language="symbolic",
            family="function_approximation",
            options={"function": function, "interval": interval, **options},
            axes=("operations",),
            symbolic=SymbolicSpec(max_operations=24, max_constants=24),
        )
    )


def files(body: str) -> dict[str, str]:
    return {"f.py": f"def f(x):\n    return {body}\n"}


def judged(judge: Judge, body: str) -> tuple[Evaluation, Verdict]:
    return judge.evaluate(files(body)), judge.verify(files(body))


def largest(weighted_error: Any, low: float, high: float) -> float:
    with mpmath.workdps(30):
        inner = [mpmath.mpf(low) + (high - low) * mpmath.mpf(k + 1) / 401 for k in range(400)]
        return max(float(abs(mpmath.re(weighted_error(x)))) for x in inner)


ZEROS: list[tuple[str, list[Any], str, Any]] = [
    ("log", [1, 2], "(x - 1.0) / (0.5 + 0.5 * x)", mpmath.log),
    ("log", [0.5, 2], "(x - 1.0) / (0.45 + 0.5 * x)", mpmath.log),
    ("lgamma", [1, 2], "(x - 1.0) * (x - 2.0) * (0.9 - 0.25 * x)", mpmath.loggamma),
    ("sin_pi", [0, 1], "x * (1.0 - x) * 3.5", mpmath.sinpi),
    ("1 - cos(x)", [0, 1], "0.48 * x * x", lambda x: 1 - mpmath.cos(x)),
    ("x^2 - 2*x + 1 + (x - 1)^3", [1, 2], "(x - 1.0) * (x - 1.0) * (0.9 + 0.5 * x)", lambda x: (x - 1) ** 2 * x),
    ("exp(x) - e", [0, 1], "", None),
]


@pytest.mark.parametrize(("function", "interval", "body", "truth"), ZEROS, ids=[f"{z[0]} {z[1]}" for z in ZEROS])
def test_a_relative_error_at_a_zero_is_a_limit_wherever_the_zero_is_and_it_is_proved(
    function: str, interval: list[Any], body: str, truth: Any
) -> None:
    judge = judge_of(function, interval)
    if truth is None:  # the zero cannot be shown to be exact
        evaluation, verdict = judged(judge, "(x - 1.0) * (2.0 + 0.5 * x)")
        assert evaluation.score is not None
        assert verdict.verdict is Certainty.UNVERIFIED
        assert "cannot show that it is exactly 0" in verdict.detail
        return
    evaluation, verdict = judged(judge, body)
    name = {"f": None}
    exec(files(body)["f.py"], name)
    sampled = largest(lambda x: name["f"](x) / truth(x) - 1, *map(float, interval))  # type: ignore[misc]
    error = evaluation.metrics["max_relative_error"]
    assert sampled * (1 - 1e-9) <= error <= sampled * 1.05
    assert verdict.verdict is Certainty.CERTIFIED
    assert verdict.value is not None
    assert error <= verdict.value <= 1.006 * error


@pytest.mark.parametrize(
    ("function", "interval", "body", "words"),
    [
        ("log", [1, 2], "x - 0.9999999999", r"f\(1\) is .* but log\(x\) is 0 at x = 1.*\(x - 1.0\) \* R\(x\)"),
        ("lgamma", [1, 2], "(x - 1.0) * x", r"f\(2\) is"),
        ("1 - cos(x)", [0, 1], "x * (1.0 + x)", r"x\^2 \* R\(x\)"),
    ],
)
def test_a_program_that_misses_a_zero_or_its_order_fails(
    function: str, interval: list[Any], body: str, words: str
) -> None:
    evaluation, verdict = judged(judge_of(function, interval), body)
    assert evaluation.failure is Failure.NOT_FINITE
    assert verdict.verdict is Certainty.REFUTED
    assert re.search(words, evaluation.detail)


@pytest.mark.parametrize(
    ("function", "interval"),
    [
        ("bessel_j0", [0, 3]),
        ("(x - 1/3)^2", [0, 1]),
        ("airy_ai(-7*x)", [0, 1]),
        ("sqrt(x)", [0, 1]),
        ("abs(x)", [-1, 1]),
    ],
)
def test_a_zero_that_no_program_can_share_needs_another_error(function: str, interval: list[Any]) -> None:
    with pytest.raises(EvaluatorError, match=r"is zero inside .* near x = .*'absolute'"):
        judge_of(function, interval)
    assert judge_of(function, interval, error="absolute").evaluate(files("x")).score is not None


def test_points_to_fit_on_gather_at_every_zero_and_never_are_one() -> None:
    fit = judge_of("lgamma", [1, 2]).fit_target()
    assert fit is not None
    points, values, _ = fit
    assert 0 < min(points - 1) < 1e-11
    assert 0 < min(2 - points) < 1e-11
    assert values.all()


WEIGHT = {"weight": "1 / (1 + x^2)"}


def test_a_weighted_error_is_the_absolute_error_times_the_weight_and_is_proved() -> None:
    evaluation, verdict = judged(judge_of("exp", [-1, 2], error=WEIGHT), "1.0 + x * (1.0 + 0.7 * x)")
    true = largest(lambda x: (1 + x * (1 + mpmath.mpf(0.7) * x) - mpmath.exp(x)) / (1 + x * x), -1, 2)
    error = evaluation.metrics["max_weighted_error"]
    assert true * (1 - 1e-9) <= error <= true * 1.02
    assert evaluation.score == pytest.approx(-math.log10(error))
    assert verdict.verdict is Certainty.CERTIFIED
    assert verdict.value is not None
    assert error <= verdict.value <= 1.006 * error
    assert (verdict.certificate["error"], verdict.certificate["weight"]) == ("weighted", "1 / (1 + x^2)")


def test_a_kink_has_no_power_series_but_a_bound_by_plain_balls() -> None:
    options = {"error": {"weight": "1 + abs(x)"}, "symmetry": "even"}
    evaluation, verdict = judged(judge_of("abs", [-1, 1], **options), "0.125 + x * x")
    assert evaluation.metrics["max_weighted_error"] == pytest.approx(0.25)
    assert verdict.verdict is Certainty.CERTIFIED
    assert verdict.value is not None
    assert 0.25 <= verdict.value <= 0.2515


def test_weights_are_offered_to_the_fit() -> None:
    judge = judge_of("exp", [-1, 2], error=WEIGHT)
    fit, weights = judge.fit_target(), judge.fit_weights()
    assert fit is not None
    assert weights is not None
    points, _, relative = fit
    assert not relative
    assert np.allclose(weights, 1 / (1 + points**2), rtol=1e-15)
    assert judge_of("exp", [0, 1]).fit_weights() is None


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("ulp", "expected 'relative' or 'absolute', or {weight"),
        ({"weight": "x +"}, "evaluator.options.error.weight is 'x \\+', which is no formula"),
        ({"weight": 2}, "evaluator.options.error is {'weight': 2}"),
        ({"wait": "x"}, "evaluator.options.error is {'wait': 'x'}"),
        ({"weight": "x - 0.5"}, "the weight x - 0.5 .* expected a number above 0"),
        ({"weight": "1 / x"}, "the weight 1 / x .* at x = 0.0"),
        ({"weight": "1 / (x - 0.3)^2"}, "the weight .* has a pole near x = 0.3"),
        (["relative"], "evaluator.options.error is \\['relative'\\]"),
        (None, "evaluator.options.error is None"),
    ],
)
def test_a_wrong_error_option_is_told(option: object, words: str) -> None:
    with pytest.raises(EvaluatorError, match=words):
        judge_of("exp", [0, 1], error=option)


@pytest.mark.parametrize(
    ("function", "interval", "option", "told"),
    [
        ("sin", [0, 1], "odd", ("odd", None)),
        ("cos", [0, 1], "even", ("even", None)),
        ("norm_ppf(1/2 + x)", [0, 0.4], "odd", ("odd", None)),
        ("2 + sin(x)", [0, 3], ["periodic", "2*pi"], ("periodic", 2 * math.pi)),
        ("2 + sin_pi(x)", [0, 3], ["periodic", 2], ("periodic", 2.0)),
        ("exp", [0, 1], None, None),
    ],
)
def test_a_true_symmetry_is_offered_to_the_search(
    function: str, interval: list[Any], option: object, told: tuple[str, float | None] | None
) -> None:
    more = {} if option is None else {"symmetry": option}
    assert judge_of(function, interval, **more).symmetry() == told


@pytest.mark.parametrize(
    ("function", "option", "words"),
    [
        ("exp", "odd", r"symmetry is 'odd', but e\^x is 1.29661 at x = 0.259750 and 0.771"),
        ("sin", "even", "symmetry is 'even', but sin"),
        ("sin", ["periodic", "pi"], "symmetry is 'periodic', but sin"),
        ("log(x)", "even", "is not defined at x = -0.2597"),
        ("sin", "both", "expected 'odd', 'even' or \\['periodic', period\\]"),
        ("sin", ["periodic"], "expected 'odd'"),
        ("sin", ["periodic", -1], "expected 'odd'"),
        ("sin", ["periodic", "x"], "expected 'odd'"),
    ],
)
def test_a_false_symmetry_is_told(function: str, option: object, words: str) -> None:
    with pytest.raises(EvaluatorError, match=words):
        judge_of(function, [0.25, 1], symmetry=option)


def test_a_function_without_series_is_scored_and_its_verdict_says_why_nothing_is_proved() -> None:
    evaluation, verdict = judged(judge_of("1 + polylog(2, x)", [0, 0.5]), "1.0 + x * (1.0 + 0.25 * x)")
    assert evaluation.score is not None
    assert evaluation.score > 1.5
    assert verdict.verdict is Certainty.UNVERIFIED
    assert verdict.detail.endswith("the function polylog has no power series here")
