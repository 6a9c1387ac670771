"""Taylor models enclose what they model, proofs are never below the truth, certificates can be checked elsewhere."""

import ast
import json
import math
import operator
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from flint import arb, fmpq, fmpq_poly
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.approximation.family import digits, rounded_up
from evaluators.approximation.functions import TARGETS
from evaluators.approximation.precision import working
from evaluators.approximation.proof import BITS, SLACK, NotProvedError, prove
from evaluators.approximation.rational import Quotient, exact
from evaluators.approximation.sup_error import ErrorCurve, Peak
from evaluators.approximation.taylor_model import (
    NoModelError,
    Piece,
    TaylorModel,
    model_of_polynomial,
    model_of_target,
)
from evaluators.contract import Certainty
from evaluators.judge import Judge
from evaluators.spec import JudgeSpec, SymbolicSpec
from tests.extent import examples

ORDER = 4
SMALL = st.fractions(min_value=-2, max_value=2, max_denominator=32)
POLYNOMIALS = st.lists(SMALL, min_size=1, max_size=7)
CENTRES = st.sampled_from([-0.75, 0.0, 0.5, 1.0])
RADII = st.sampled_from([2.0**-10, 2.0**-5, 0.125, 0.5])
PARTS = st.sampled_from([Fraction(-1), Fraction(-1, 2), Fraction(-1, 7), Fraction(0), Fraction(1, 3), Fraction(1)])


def fmpq_of(number: Fraction) -> Any:
    return fmpq(number.numerator, number.denominator)


def poly_of(coefficients: list[Fraction]) -> Any:
    return fmpq_poly([fmpq_of(c) for c in coefficients])


def value_of(coefficients: list[Fraction], x: Fraction) -> Fraction:
    return sum((c * x**k for k, c in enumerate(coefficients)), Fraction(0))


def encloses(model: TaylorModel, value: Any, part: Fraction) -> bool:
    """Whether |g - p(h)| <= remainder * |h|**n may hold at h = part * radius; a ball that is sure of more says no."""
    h = arb(fmpq_of(part)) * model.piece.radius
    difference = arb(value) - model.polynomial(h)
    room = model.remainder * abs(h) ** model.piece.order
    return bool(difference.abs_lower() <= room.upper() + arb("1e-40"))


def piece_of(centre: float, radius: float) -> Piece:
    return Piece(arb(centre), arb(radius), ORDER)


def inside(centre: float, radius: float, part: Fraction) -> Fraction:
    return Fraction(centre) + part * Fraction(radius)


@settings(deadline=None, max_examples=examples(50))
@given(POLYNOMIALS, POLYNOMIALS, CENTRES, RADII, PARTS, st.integers(1, 5))
def test_sums_products_and_powers_of_models_enclose_those_of_the_functions(
    first: list[Fraction], second: list[Fraction], centre: float, radius: float, part: Fraction, exponent: int
) -> None:
    x = inside(centre, radius, part)
    f, g = value_of(first, x), value_of(second, x)
    with working(bits=200, length=ORDER + 4):
        piece = piece_of(centre, radius)
        a, b = model_of_polynomial(poly_of(first), piece), model_of_polynomial(poly_of(second), piece)
        assert encloses(a, fmpq_of(f), part)
        assert encloses(a * b, fmpq_of(f * g), part)
        assert encloses(a.minus_model(b), fmpq_of(f - g), part)
        assert encloses(a.minus(3), fmpq_of(f - 3), part)
        assert encloses(a.power(exponent), fmpq_of(f**exponent), part)


@settings(deadline=None, max_examples=examples(50))
@given(POLYNOMIALS, CENTRES, RADII, PARTS)
def test_the_model_of_a_reciprocal_encloses_it_or_there_is_none(
    coefficients: list[Fraction], centre: float, radius: float, part: Fraction
) -> None:
    f = value_of(coefficients, inside(centre, radius, part))
    with working(bits=200, length=ORDER + 4):
        model = model_of_polynomial(poly_of(coefficients), piece_of(centre, radius))
        try:
            inverse = model.reciprocal()
        except NoModelError:
            return
        assert f != 0
        assert encloses(inverse, fmpq_of(1 / f), part)


@settings(deadline=None, max_examples=examples(50))
@given(POLYNOMIALS, CENTRES, RADII, PARTS)
def test_the_bound_of_a_model_is_above_the_function_on_the_whole_piece(
    coefficients: list[Fraction], centre: float, radius: float, part: Fraction
) -> None:
    f = value_of(coefficients, inside(centre, radius, part))
    with working(bits=200, length=ORDER + 4):
        bound = model_of_polynomial(poly_of(coefficients), piece_of(centre, radius)).bound()
        assert arb(fmpq_of(abs(f))) <= bound + arb("1e-40")


@pytest.mark.parametrize("zero", [0.5, 0.375, 0.625])
def test_there_is_no_model_of_a_reciprocal_across_a_pole(zero: float) -> None:
    with working(bits=200, length=ORDER + 4):
        line = model_of_polynomial(fmpq_poly([-exact(zero), 1]), piece_of(0.5, 0.125))
        with pytest.raises(NoModelError):
            line.reciprocal()


MODELLED = [("exp2", 0.5), ("sin", 0.3), ("cos", 1.0), ("erf", 1.2), ("log", 2.0), ("sqrt", 1.0), ("atan", -0.5)]


@pytest.mark.parametrize(("name", "centre"), MODELLED)
@pytest.mark.parametrize("radius", [2.0**-8, 0.125])
def test_the_model_of_a_target_encloses_it_and_its_remainder_is_no_wild_guess(
    name: str, centre: float, radius: float
) -> None:
    with working(bits=200, length=ORDER + 4):
        model = model_of_target(TARGETS[name], piece_of(centre, radius))
        for part in (Fraction(k, 8) for k in range(-8, 9)):
            x = arb(fmpq_of(inside(centre, radius, part)))
            assert encloses(model, TARGETS[name].value(x), part)
        assert float(model.remainder) < 2.0


@pytest.mark.parametrize("name", ["sin", "erf", "log2_1p", "tan", "expm1"])
def test_a_target_divided_by_x_is_enclosed_around_its_zero(name: str) -> None:
    with working(bits=200, length=ORDER + 4):
        model = model_of_target(TARGETS[name], piece_of(0.0, 0.125), order_of_zero=1)
        for part in (Fraction(k, 8) for k in range(-8, 9) if k):
            x = arb(fmpq_of(inside(0.0, 0.125, part)))
            assert encloses(model, TARGETS[name].value(x) / x, part)


def test_a_target_with_a_branch_point_on_the_piece_has_no_model() -> None:
    with working(bits=200, length=ORDER + 4), pytest.raises(NoModelError):
        model_of_target(TARGETS["sqrt"], piece_of(0.0, 0.125))


CURVES = {
    ("exp2", "relative"): ErrorCurve(TARGETS["exp2"], 0.0, 1.0, relative=True),
    ("sin", "absolute"): ErrorCurve(TARGETS["sin"], -1.0, 1.0, relative=False),
    ("erf", "relative"): ErrorCurve(TARGETS["erf"], 0.0, 2.0, relative=True),
}
ORACLE = {"exp2": lambda x: mpmath.mpf(2) ** x, "sin": mpmath.sin, "erf": mpmath.erf}
FLOATS = st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=4)


@settings(deadline=None, max_examples=examples(40))
@given(FLOATS, FLOATS, st.integers(1, 3), st.sampled_from(sorted(CURVES)), st.floats(0.0, 1.0))
def test_a_proved_bound_is_never_below_the_error_at_any_point(
    above: list[float], below: list[float], power: int, key: tuple[str, str], where: float
) -> None:
    # given a rational function without poles near the interval, zero at 0 where the target is
    name, kind = key
    curve = CURVES[key]
    numerator = fmpq_poly([exact(c) for c in above]) * (fmpq_poly([0, 1]) if curve.has_zero else 1)
    denominator = fmpq_poly([80, *(exact(c) for c in below)])
    form = Quotient(numerator, denominator, power)
    # when
    proof = prove(curve, form, curve.largest(form))
    # then
    x = curve.low + where * (curve.high - curve.low)
    with mpmath.workdps(50):
        point = mpmath.mpf(x)
        wanted = ORACLE[name](point)
        top = sum(mpmath.mpf(c) * point ** (k + curve.has_zero) for k, c in enumerate(above))
        bottom = 80 + sum(mpmath.mpf(c) * point ** (k + 1) for k, c in enumerate(below))
        if wanted == 0 and kind == "relative":
            return
        size = abs((top / bottom) ** power - wanted) / (abs(wanted) if kind == "relative" else 1)
        assert size <= mpmath.mpf(rounded_up(proof.upper)) * (1 + mpmath.mpf(10) ** -15)
    assert proof.lower <= proof.upper
    assert float(proof.upper) <= SLACK * float(proof.lower) * (1 + 1e-9) + 1e-60
    assert curve.low <= proof.witness <= curve.high


@pytest.mark.parametrize("guess", [1e-12, 1e-3, 1.0, 1e3])
def test_a_wrong_guess_of_the_largest_error_changes_the_work_and_not_the_truth(guess: float) -> None:
    curve = CURVES["exp2", "relative"]
    line = Quotient(fmpq_poly([1, 1]), fmpq_poly([1]))
    true = (1 / math.log(2)) / 2 ** (1 / math.log(2) - 1) - 1
    proof = prove(curve, line, Peak(error=guess, point=0.9))
    assert float(proof.lower) * (1 - 1e-12) <= true <= float(proof.upper) * (1 + 1e-12)
    assert float(proof.upper) <= 1.0051 * true


def test_a_program_that_is_exact_where_it_is_looked_at_is_still_proved() -> None:
    curve = ErrorCurve(TARGETS["sin"], 0.0, 1.0, relative=False)
    proof = prove(curve, Quotient(fmpq_poly([0, 1]), fmpq_poly([1])), Peak(error=0.0, point=0.0))
    assert 1 - math.sin(1) <= float(proof.upper) <= 1.006 * (1 - math.sin(1))


def test_nothing_is_proved_across_a_pole_whatever_the_guess() -> None:
    curve = CURVES["exp2", "relative"]
    with pytest.raises(NotProvedError, match=r"no bound (near|within)"):
        prove(curve, Quotient(fmpq_poly([1]), fmpq_poly([-1, 2])), Peak(error=1.0, point=0.25))


@settings(deadline=None, max_examples=examples(60))
@given(st.fractions(min_value=Fraction(1, 10**12), max_value=10**6))
def test_rounding_up_gives_a_float_that_is_not_below(number: Fraction) -> None:
    with working(bits=BITS):
        up = rounded_up(arb(fmpq_of(number)).upper())
    assert Fraction(up) >= number
    assert Fraction(math.nextafter(up, -math.inf)) <= number


@settings(deadline=None, max_examples=examples(60))
@given(st.floats(1e-39, 1e9), st.floats(1e-39, 1e9))
def test_a_smaller_error_never_has_fewer_digits(one: float, other: float) -> None:
    assert digits(min(one, other)) >= digits(max(one, other))
    assert 10 ** -digits(one) == pytest.approx(one, rel=1e-12)


# Certificates, checked without the judge.

OPERATORS: Mapping[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def run(program: str, x: Any, number: Any) -> Any:
    """The value of a certificate's program; `number` makes a constant of the arithmetic that x belongs to."""
    [function] = ast.parse(program).body
    assert isinstance(function, ast.FunctionDef)
    names = {function.args.args[0].arg: x}

    def value(node: ast.expr) -> Any:
        match node:
            case ast.Name():
                return names[node.id]
            case ast.Constant():
                return number(float(node.value))  # type: ignore[arg-type]
            case ast.UnaryOp(op=ast.USub()):
                return -value(node.operand)
            case ast.BinOp():
                return OPERATORS[type(node.op)](value(node.left), value(node.right))
        raise AssertionError(ast.dump(node))

    for statement in function.body:
        if isinstance(statement, ast.Return):
            assert statement.value is not None
            return value(statement.value)
        assert isinstance(statement, ast.Assign)
        [target] = statement.targets
        assert isinstance(target, ast.Name)
        names[target.id] = value(statement.value)
    raise AssertionError("no return")


def largest_by_intervals(certificate: Mapping[str, Any], function: Any, ceiling: float) -> bool:
    """Whether interval arithmetic and bisection alone prove that the error is at most `ceiling` everywhere."""
    ends = [float.fromhex(end) for end in certificate["interval"]]
    pending = [(ends[0], ends[1])]
    while pending:
        low, high = pending.pop()
        if high - low < 2.0**-16:
            return False
        x = mpmath.iv.mpf([low, high])
        wanted = function(x)
        error = run(certificate["program"], x, mpmath.iv.mpf) - wanted
        if certificate["error"] == "relative":
            error = error / wanted
        if not abs(error).b <= ceiling:
            pending += [(low, (low + high) / 2), ((low + high) / 2, high)]
    return True


def verified(text: str, function: str, interval: tuple[float, float], error: str) -> tuple[Judge, Mapping[str, str]]:
    spec = JudgeSpec(
        language="symbolic",
        family="function_approximation",
        options={"function": function, "interval": list(interval), "error": error},
        symbolic=SymbolicSpec(max_operations=24, max_constants=24),
    )
    return Judge(spec), {"f.py": f"def f(x):\n    {text}\n"}


SIMPLE = [
    ("return 1.0 + x", "exp2", (0.0, 1.0), "relative"),
    ("return 1.0 + x * (0.65 + x * 0.35)", "exp2", (0.0, 1.0), "absolute"),
    ("t = x * x; return x * (1.0 - t / 7.0)", "sin", (0.5, 1.5), "relative"),
    ("t = x * x; return (1.0 - t / 3.0) / (1.0 + t / 6.0)", "cos", (-1.0, 1.0), "relative"),
    ("return 1.0 / (1.0 - x * (0.9 - x * 0.3))", "exp", (-0.5, 0.5), "absolute"),
]
INTERVAL_TRUTH = {
    "exp2": lambda x: mpmath.iv.exp(x * mpmath.iv.log(mpmath.iv.mpf(2))),
    "exp": mpmath.iv.exp,
    "sin": mpmath.iv.sin,
    "cos": mpmath.iv.cos,
}
POINT_TRUTH = {"exp2": lambda x: mpmath.mpf(2) ** x, "exp": mpmath.exp, "sin": mpmath.sin, "cos": mpmath.cos}


@pytest.mark.parametrize(("text", "function", "interval", "error"), SIMPLE)
def test_a_certificate_is_confirmed_by_plain_interval_arithmetic(
    text: str, function: str, interval: tuple[float, float], error: str
) -> None:
    judge, files = verified(text, function, interval, error)
    certificate = json.loads(json.dumps(dict(judge.verify(files).certificate)))
    assert largest_by_intervals(certificate, INTERVAL_TRUTH[function], 1.05 * certificate["bound"])
    assert not largest_by_intervals(certificate, INTERVAL_TRUTH[function], 0.98 * certificate["at_least"])


@pytest.mark.parametrize(("text", "function", "interval", "error"), SIMPLE)
def test_a_certificates_witness_has_the_error_that_it_is_said_to_have(
    text: str, function: str, interval: tuple[float, float], error: str
) -> None:
    judge, files = verified(text, function, interval, error)
    certificate = json.loads(json.dumps(dict(judge.verify(files).certificate)))
    with mpmath.workdps(60):
        x = mpmath.mpf(float.fromhex(certificate["witness_x"]))
        wanted = POINT_TRUTH[function](x)
        size = abs(run(certificate["program"], x, mpmath.mpf) - wanted)
        if error == "relative":
            size /= abs(wanted)
        assert certificate["at_least"] <= size <= certificate["bound"]


@pytest.mark.parametrize(("text", "function", "interval", "error"), SIMPLE)
def test_a_verdict_and_the_evaluation_it_confirms_tell_the_same_story(
    text: str, function: str, interval: tuple[float, float], error: str
) -> None:
    judge, files = verified(text, function, interval, error)
    evaluation, verdict = judge.evaluate(files), judge.verify(files)
    assert verdict.verdict is Certainty.CERTIFIED
    assert verdict.score is not None
    assert verdict.value is not None
    assert evaluation.score is not None
    # the proven score is never better than the bound allows, nor more than half a percent of error below the score
    with mpmath.workdps(40):
        assert mpmath.mpf(10) ** -mpmath.mpf(verdict.score) >= mpmath.mpf(verdict.value)
    assert evaluation.score - math.log10(1.006) <= verdict.score <= evaluation.score + 1e-4
    assert repr(verdict.value) in verdict.detail
    assert error in verdict.detail


def test_a_verdict_is_the_same_every_time() -> None:
    judge, files = verified(*SIMPLE[2])
    assert judge.verify(files) == judge.verify(files)
