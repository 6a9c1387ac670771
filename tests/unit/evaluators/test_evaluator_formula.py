"""Formulas: what they mean, what is refused with which words, and that hostile text costs nothing."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from flint import arb, arb_series, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.approximation.ball_formula import PARAMETERS_OF, compiled, read
from evaluators.approximation.formula import FormulaError, parse_formula
from evaluators.approximation.functions import target_named, target_of_formula, taylor
from evaluators.approximation.precision import working
from evaluators.errors import EvaluatorError
from tests.extent import examples

BITS = 200


def value_of(text: str, x: float = 0.5) -> float:
    with working(bits=BITS):
        return float(compiled(read(text))(arb(x)).mid())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3 * 4", 14.0),
        ("2 - 3 - 4", -5.0),
        ("16 / 4 / 2", 2.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("2 ** 3", 8.0),
        ("-x ^ 2", -0.25),
        ("(-x) ^ 2", 0.25),
        ("2 ^ -1", 0.5),
        ("--x", 0.5),
        ("-+-+x", 0.5),
        ("2 * -x", -1.0),
        (" ( ( x ) ) ", 0.5),
        ("1.5e2", 150.0),
        (".5 + 5.", 5.5),
        ("pi", math.pi),
        ("e ^ x", math.exp(0.5)),
        ("x ^ 1.5", 0.5**1.5),
        ("x ^ (1/3)", 0.5 ** (1 / 3)),
        ("x ^ x", 0.5**0.5),
        ("2 ^ (0.5 * x)", 2**0.25),
        ("bessel_j(1, x) - bessel_j1", None),
        ("exp(-x^2 / 2) * (1 + erf(x / sqrt(2)))", math.exp(-0.125) * (1 + math.erf(0.5 / math.sqrt(2)))),
    ],
)
def test_a_formula_means_what_a_mathematician_reads(text: str, value: float | None) -> None:
    if value is None:
        with pytest.raises(FormulaError, match="unknown"):
            read(text)
    else:
        assert value_of(text) == pytest.approx(value, rel=1e-15)


def test_a_decimal_is_read_exactly() -> None:
    assert read("0.1").exact == Fraction(1, 10)
    assert read("-(0.1 + 2) / 3e-1").exact == Fraction(-7)
    assert read("1 / 0").exact is None
    assert read("x + 1").exact is None
    assert value_of("10 * 0.1 - 1") == 0.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("__import__('os').system('ls')", r"the character \"'\" at position 11 does not belong"),
        ("__import__(x)", "the name '__import__' at position 0 is unknown"),
        ("x.__class__", "the character '.' at position 1"),
        ("lambda: x", "the character ':'"),
        ("[x for x in x]", "the character '\\['"),
        ("x; x", "the character ';'"),
        ("x\u00b2", "does not belong here"),
        ("\u0660 + x", "does not belong here"),
        ("x if x else x", "expected an operator; write \\* between factors"),
        ("2x", "write \\* between factors"),
        ("x +", "got the end at position 3, expected a number, x, a function or \\("),
        ("(x", "got the end at position 2, expected '\\)'"),
        ("x)", "got '\\)' at position 1, expected an operator"),
        ("", "got the end at position 0"),
        ("* x", "got '\\*' at position 0"),
        ("sinus(x)", "'sinus' at position 0 is unknown; did you mean 'sin'"),
        ("expp(x)", "did you mean 'exp'"),
        ("qqqqqq", "known are x, pi, e, euler_gamma, exp"),
        ("sin + 1", "'sin' at position 0 is a function: write sin\\(...\\)"),
        ("bessel_j(x)", "takes 2 arguments, got 1"),
        ("sin(x, x)", "takes 1 arguments, got 2"),
        ("1e999999999", "out of range"),
        ("(" * 500 + "x" + ")" * 500, "nested more than 60 deep"),
        ("x^" * 200 + "x", "nested more than 60 deep"),
        ("-" * 1000 + "x", "more than 60 signs in a row"),
        ("x+" * 500 + "x", "more than 300"),
        ("x" * 3000, "it has 3000 characters"),
    ],
)
def test_anything_else_is_refused_with_the_place(text: str, words: str) -> None:
    with pytest.raises(FormulaError, match=words):
        read(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x ^ 100000", "an exponent is too large"),
        ("x ^ (10 * 1000)", "an exponent is too large"),
        ("bessel_j(x, x)", "only the last argument of bessel_j may depend on x"),
        ("3 + pi", "does not depend on x"),
    ],
)
def test_a_formula_that_makes_no_function_is_refused(text: str, words: str) -> None:
    with pytest.raises(FormulaError, match=words):
        target_of_formula(text)


@pytest.mark.parametrize(
    "text", ["x + 9^9^9^9", "x * 2^(10^300)", "exp(exp(exp(exp(exp(exp(100 * x))))))", "x^x^x^x^x^x^x"]
)
def test_huge_powers_end_in_a_ball_and_cost_no_time(text: str) -> None:
    with working(bits=128, length=6):
        target = target_of_formula(text)
        value = target.value(arb(7))
        assert not value.is_finite() or value > 0
        assert len(taylor(target, arb(7), 4)) == 4


@settings(max_examples=examples(100), deadline=None)
@given(st.text(alphabet="x0123456789.e+-*/^(), sincogp", max_size=40))
def test_any_text_is_a_formula_or_a_formula_error(text: str) -> None:
    try:
        compute = compiled(read(text))
    except FormulaError:
        return
    assert isinstance(compute(arb(0.75)), arb)


COMPOSED: list[tuple[str, Callable[[Any], Any]]] = [
    ("exp(-x^2/2) * (1 + erf(x/sqrt(2)))", lambda x: mpmath.exp(-x * x / 2) * (1 + mpmath.erf(x / mpmath.sqrt(2)))),
    ("tanh(sin_pi(x)) - 0.1", lambda x: mpmath.tanh(mpmath.sinpi(x)) - mpmath.mpf(1) / 10),
    ("norm_ppf(1/2 + x/4)", lambda x: mpmath.sqrt(2) * mpmath.erfinv(x / 2)),
    ("erfcinv(1 - x) / asinh(2*x)", lambda x: mpmath.erfinv(x) / mpmath.asinh(2 * x)),
    ("bessel_j(1/2, 1 + x) * x^0.25", lambda x: mpmath.besselj(0.5, 1 + x) * mpmath.root(x, 4)),
    ("lambertw(exp(x)) ^ 3 / digamma(2 + x)", lambda x: mpmath.lambertw(mpmath.exp(x)) ** 3 / mpmath.digamma(2 + x)),
    ("2^x^2 + pi^-x", lambda x: mpmath.mpf(2) ** (x * x) + mpmath.pi ** (-x)),
]


@pytest.mark.parametrize(("text", "oracle"), COMPOSED, ids=[text for text, _ in COMPOSED])
def test_composed_formulas_have_the_values_and_taylor_coefficients_of_mpmath(
    text: str, oracle: Callable[[Any], Any]
) -> None:
    target = target_of_formula(text)
    with mpmath.workdps(40), working(bits=BITS, length=8):
        expected = [mpmath.re(each) for each in mpmath.taylor(oracle, mpmath.mpf(0.375), 3)]
        found = taylor(target, arb(0.375), 4)
        assert float(abs(target.value(arb(0.375)) - found[0]).upper()) < 1e-40
        for coefficient, wanted in zip(found, expected, strict=True):
            assert float(coefficient.rad()) < 1e-40
            assert float(coefficient.mid()) == pytest.approx(float(wanted), rel=1e-12)


def test_where_a_formula_says_0_by_0_its_value_is_the_limit() -> None:
    with working(bits=BITS, length=8):
        assert float(target_of_formula("sin(x) / x").value(arb(0))) == 1.0
        assert float(target_of_formula("x / (exp(x) - 1)").value(arb(0))) == 1.0
        assert not target_of_formula("1 / x").value(arb(0)).is_finite()


def test_coefficients_that_a_division_lost_are_never_taken_for_zeros() -> None:
    with working(bits=BITS, length=6):
        lost = taylor(target_of_formula("sin(x) / x"), arb(0), 5)
        assert [float(each) for each in lost] == pytest.approx([1.0, 0.0, -1 / 6, 0.0, 1 / 120])
        assert not any(each.is_finite() for each in taylor(target_of_formula("sqrt(x)"), arb(0), 3)[1:])


def test_a_function_without_a_power_series_has_values_and_says_so() -> None:
    target = target_of_formula("1 + polylog(2, x)")
    assert target.unproved == "the function polylog has no power series here"
    with working(bits=BITS):
        assert float(target.value(arb(0.5))) == pytest.approx(1 + math.pi**2 / 12 - math.log(2) ** 2 / 2)
    assert target_of_formula("x + polylog(2, 0.5)").unproved == ""


def test_constants_follow_the_working_precision() -> None:
    compute = compiled(read("x + pi"))
    for bits in (53, 300):
        with working(bits=bits):
            assert abs(compute(arb(0)) - arb.pi()).abs_upper() < arb(2) ** (4 - bits)
            assert isinstance(compute(arb_series([0, 1], prec=3)), arb_series)
    assert ctx.prec == 53


def test_the_parser_knows_only_the_functions_that_it_is_given() -> None:
    assert parse_formula("half(x)", {"half": 1}).operation == "half"
    with pytest.raises(FormulaError, match="unknown"):
        parse_formula("sin(x)", {"half": 1})
    assert PARAMETERS_OF["bessel_j"] == 2


def test_a_wrong_formula_of_a_problem_is_the_evaluators_error_with_key_and_place() -> None:
    with pytest.raises(EvaluatorError, match=r"evaluator.options.function is 'sn\(x\)', .* did you mean 'sin'"):
        target_named("sn(x)")
