"""What is proved about an approximation, and what the certificate lets another program check."""

import json
import math
from pathlib import Path

import mpmath
import pytest
from flint import fmpq_poly

from evaluators.approximation.functions import TARGETS
from evaluators.approximation.poles import complex_zeros, zero_inside
from evaluators.approximation.proof import NotProvedError, prove
from evaluators.approximation.rational import Quotient, exact
from evaluators.approximation.sup_error import ErrorCurve, Peak
from evaluators.contract import Certainty, Verdict
from evaluators.judge import Judge, JudgeSpec
from evaluators.spec import SymbolicSpec

CORE = """def f(x):
    t = x + 5783.524908925238 / x
    y = 0.9999999999999997 + 501.1042480400302 / (15141.93066626962 / t - 250.552124015697 + t)
    y = y * y
    y = y * y
    return y * y
"""


def verdict_on(
    text: str, function: str = "exp2", interval: tuple[float, float] = (0, 1), error: str = "relative"
) -> Verdict:
    spec = JudgeSpec(
        language="symbolic",
        family="function_approximation",
        options={"function": function, "interval": list(interval), "error": error},
        symbolic=SymbolicSpec(max_operations=24, max_constants=24),
    )
    return Judge(spec).verify({"f.py": text})


def test_the_best_published_structure_is_certified_below_three_times_ten_to_the_minus_fifteen() -> None:
    verdict = verdict_on(CORE)
    assert verdict.verdict is Certainty.CERTIFIED
    assert verdict.value is not None
    assert verdict.value < 5e-15
    assert verdict.score is not None
    assert verdict.score > 14.3


@pytest.mark.parametrize(
    ("text", "function", "interval", "error"),
    [
        (CORE, "exp2", (0, 1), "relative"),
        ("def f(x):\n    return x", "erf", (0, 2), "relative"),
        ("def f(x):\n    return x / (0.7 + x * 0.3)", "log2_1p", (0, 1), "relative"),
        ("def f(x):\n    return x / (1.0 + x * x * 0.16)", "sin", (-1, 1), "relative"),
        ("def f(x):\n    return x * 0.9", "sin", (-1, 1), "absolute"),
        ("def f(x):\n    t = x - 0.5\n    return 1 + x + 1e-14 / (t * t + 1e-15)", "exp2", (0, 1), "relative"),
    ],
)
def test_a_proved_bound_is_above_every_sample_and_within_one_percent_of_the_largest(
    text: str, function: str, interval: tuple[float, float], error: str
) -> None:
    verdict = verdict_on(text, function, interval, error)
    assert verdict.value is not None
    certificate = verdict.certificate
    assert certificate["at_least"] <= verdict.value <= 1.01 * certificate["at_least"]
    namespace: dict[str, object] = {}
    exec(text, namespace)
    with mpmath.workdps(40):
        target = {
            "exp2": lambda x: 2**x,
            "erf": mpmath.erf,
            "log2_1p": lambda x: mpmath.log(1 + x, 2),
            "sin": mpmath.sin,
        }[function]
        for k in range(1, 400):
            x = mpmath.mpf(interval[0]) + (interval[1] - interval[0]) * mpmath.mpf(k) / 401
            value, wanted = namespace["f"](x), target(x)  # type: ignore[operator]
            assert abs(value - wanted) / (abs(wanted) if error == "relative" else 1) <= verdict.value


def test_the_certificate_says_all_that_is_needed_to_check_it() -> None:
    certificate = json.loads(json.dumps(dict(verdict_on(CORE).certificate)))
    assert [float.fromhex(end) for end in certificate["interval"]] == [0.0, 1.0]
    assert float.fromhex(certificate["bound_hex"]) == certificate["bound"]
    assert 0.0 <= float.fromhex(certificate["witness_x"]) <= 1.0
    assert certificate["function"] == "2^x"
    assert certificate["program"].startswith("def f(x):")
    assert certificate["pieces"] >= 1
    assert set(certificate["libraries"]) == {"python-flint", "flint"}


def test_the_certificates_program_has_the_certified_error_too() -> None:
    first = verdict_on(CORE)
    second = verdict_on(first.certificate["program"])
    assert second.value == first.value


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("def f(x):\n    return 1.0 / (x - 0.5)", "exp2"),
        ("def f(x):\n    return x / (x - x)", "exp2"),
        ("def f(x):\n    return x + 1e-17", "erf"),
        ("def f(x):\n    return g(x)", "exp2"),
    ],
)
def test_a_program_without_a_finite_error_is_refuted(text: str, function: str) -> None:
    verdict = verdict_on(text, function)
    assert verdict.verdict is Certainty.REFUTED
    assert verdict.detail
    assert verdict.value is None


def test_nothing_is_claimed_where_the_target_has_no_series() -> None:
    verdict = verdict_on("def f(x):\n    return x", "sqrt", (0, 1), "absolute")
    assert verdict.verdict is Certainty.UNVERIFIED
    assert "no bound near" in verdict.detail


def test_a_sampled_error_that_is_too_small_does_not_deceive_the_proof() -> None:
    curve = ErrorCurve(TARGETS["exp2"], 0.0, 1.0, relative=True)
    line = Quotient(fmpq_poly([1, 1]), fmpq_poly([1]))
    true = curve.largest(line)
    proof = prove(curve, line, Peak(error=true.error / 1000, point=0.01))
    assert true.error * 0.999 <= float(proof.lower) <= float(proof.upper) <= true.error * 1.01


def test_the_proof_gives_up_on_a_pole_rather_than_run_forever() -> None:
    curve = ErrorCurve(TARGETS["exp2"], 0.0, 1.0, relative=True)
    with pytest.raises(NotProvedError):
        prove(curve, Quotient(fmpq_poly([1]), fmpq_poly([exact(-0.3), 1])), Peak(error=1.0, point=0.0))


@pytest.mark.parametrize(
    ("coefficients", "zero"),
    [
        ([1, 1], None),
        ([-1, 2], 0.5),
        ([0, 1], 0.0),
        ([-1, 1], 1.0),
        ([1, -4, 4], 0.5),
        ([2, -4, 4], None),
        ([3], None),
        ([2, -9, 9], 0.33),
    ],
)
def test_zeros_of_a_polynomial_in_the_unit_interval(coefficients: list[int], zero: float | None) -> None:
    found = zero_inside(fmpq_poly(coefficients), 0.0, 1.0)
    assert (found is None) == (zero is None)
    if zero is not None and found is not None:
        assert any(math.isclose(found, each, abs_tol=0.2) for each in (zero, 2 / 3))


def test_complex_zeros_are_found_at_any_degree() -> None:
    for degree in (2, 10, 40):
        zeros = complex_zeros(fmpq_poly([1, *[0] * (degree - 1), 1]))
        assert [abs(zero) for zero in zeros] == pytest.approx([1.0] * degree)


def test_a_judge_leaves_the_working_precision_as_it_was(tmp_path: Path) -> None:
    from flint import ctx

    before = ctx.prec, ctx.cap
    verdict_on(CORE)
    assert (ctx.prec, ctx.cap) == before
