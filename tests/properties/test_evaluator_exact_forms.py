"""Exact forms against polynomials of plain fractions, and zeros against polynomials built from known zeros."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import zip_longest

import numpy as np
import pytest
from flint import fmpq, fmpq_poly
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.approximation.poles import RIGOROUS_DEGREE, complex_zeros, zero_inside
from evaluators.approximation.rational import (
    MAX_DEGREE,
    NoExactFormError,
    Quotient,
    UndefinedEverywhereError,
    exact,
    quotient_of,
)
from evaluators.approximation.zeros import without_zero
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Vocabulary
from tests.extent import examples

Polynomial = tuple[Fraction, ...]
"""Coefficients, the constant first, without trailing zeros."""


def trimmed(coefficients: Sequence[Fraction]) -> Polynomial:
    kept = list(coefficients)
    while kept and kept[-1] == 0:
        kept.pop()
    return tuple(kept)


def total(a: Polynomial, b: Polynomial) -> Polynomial:
    return trimmed([x + y for x, y in zip_longest(a, b, fillvalue=Fraction(0))])


def product(a: Polynomial, b: Polynomial) -> Polynomial:
    if not a or not b:
        return ()
    result = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            result[i + j] += x * y
    return trimmed(result)


def negative(a: Polynomial) -> Polynomial:
    return tuple(-x for x in a)


def value_at(polynomial: Polynomial, x: Fraction) -> Fraction:
    return sum((c * x**k for k, c in enumerate(polynomial)), Fraction(0))


class Ratio:
    """An unreduced quotient of two fraction polynomials: enough to say what a program means."""

    def __init__(self, above: Polynomial, below: Polynomial = (Fraction(1),)) -> None:
        self.above, self.below = above, below

    def __add__(self, other: "Ratio") -> "Ratio":
        above = total(product(self.above, other.below), product(other.above, self.below))
        return Ratio(above, product(self.below, other.below))

    def __sub__(self, other: "Ratio") -> "Ratio":
        return self + Ratio(negative(other.above), other.below)

    def __mul__(self, other: "Ratio") -> "Ratio":
        return Ratio(product(self.above, other.above), product(self.below, other.below))

    def __truediv__(self, other: "Ratio") -> "Ratio":
        if not other.above:
            raise ZeroDivisionError
        return Ratio(product(self.above, other.below), product(self.below, other.above))


def plain(polynomial: fmpq_poly) -> Polynomial:
    return trimmed([Fraction(int(c.p), int(c.q)) for c in polynomial.coeffs()])


def to_poly(polynomial: Polynomial) -> fmpq_poly:
    return fmpq_poly([fmpq(c.numerator, c.denominator) for c in polynomial])


def same(form: Quotient, wanted: Ratio) -> bool:
    """Whether two quotients are the same function: equal after cross multiplication."""
    above, below = plain(form.numerator**form.power), plain(form.denominator**form.power)
    return product(above, wanted.below) == product(wanted.above, below)


def form_of(body: str, vocabulary: Vocabulary = ARITHMETIC) -> Quotient:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return quotient_of(parse(f"def f(x):\n{lines}", vocabulary), vocabulary)


@st.composite
def straight_line_texts(draw: st.DrawFn) -> str:
    """The body of a program of up to seven operations on x, earlier names and short constants."""
    names, lines = ["x"], []
    for k in range(draw(st.integers(1, 7))):
        left = draw(st.sampled_from(names))
        right = draw(st.sampled_from([*names, "0.5", "3.0", "1.25"]))
        sides = [left, right] if draw(st.booleans()) else [right, left]
        lines.append(f"t{k} = {sides[0]} {draw(st.sampled_from('+-*/'))} {sides[1]}")
        names.append(f"t{k}")
    return "\n".join([*lines, f"return {names[-1]}"])


def meaning(body: str) -> Ratio:
    """What the text computes, by running it on quotients instead of numbers."""
    values: dict[str, Ratio] = {"x": Ratio((Fraction(0), Fraction(1)))}

    def operand(word: str) -> Ratio:
        return values[word] if word in values else Ratio(trimmed([Fraction(word)]))

    *assignments, last = body.splitlines()
    for line in assignments:
        name, _, left, operator, right = line.split()
        a, b = operand(left), operand(right)
        match operator:
            case "+":
                values[name] = a + b
            case "-":
                values[name] = a - b
            case "*":
                values[name] = a * b
            case _:
                values[name] = a / b
    return values[last.split()[1]]


@settings(deadline=None, max_examples=examples(60))
@given(straight_line_texts())
def test_the_exact_form_is_what_the_program_means_as_a_quotient_of_polynomials(body: str) -> None:
    try:
        form = form_of(body)
    except UndefinedEverywhereError:
        with pytest.raises(ZeroDivisionError):
            meaning(body)
        return
    assert same(form, meaning(body))


@settings(deadline=None, max_examples=examples(60))
@given(straight_line_texts())
def test_the_exact_form_is_in_lowest_terms(body: str) -> None:
    try:
        form = form_of(body)
    except UndefinedEverywhereError:
        return
    assert form.numerator.gcd(form.denominator).degree() <= 0
    assert form.denominator != 0
    assert form.degree == max(0, form.numerator.degree(), form.denominator.degree())


@settings(deadline=None, max_examples=examples(60))
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_constant_is_read_as_the_very_number_that_the_float_is(number: float) -> None:
    fraction = Fraction(number)
    assert exact(number) == fmpq(fraction.numerator, fraction.denominator)


@pytest.mark.parametrize("operation", ["a + b", "b + a", "a - b", "a * b", "a / b", "b / a"])
def test_a_chain_of_squarings_means_the_same_inside_a_larger_expression(operation: str) -> None:
    form = form_of(f"y = x + 0.5\na = y * y\na = a * a\nb = x - 2.0\nb = b * b\nreturn {operation}")
    half, two = Ratio((Fraction(1, 2), Fraction(1))), Ratio((Fraction(-2), Fraction(1)))
    a, b = half * half * half * half, two * two
    wanted = {"a + b": a + b, "b + a": a + b, "a - b": a - b, "a * b": a * b, "a / b": a / b, "b / a": b / a}
    assert same(form, wanted[operation])


def test_a_power_is_the_sum_of_the_exponents_of_one_base() -> None:
    form = form_of("y = x / (x + 3.0)\na = y * y\nb = a * y\nreturn a * b")
    assert (form.power, form.degree) == (5, 1)
    expanded = form.expanded()
    assert expanded.power == 1
    assert expanded.degree == 5
    assert expanded.expanded() is expanded


def test_the_base_of_a_power_must_depend_on_the_input() -> None:
    assert form_of("c = x - x + 3.0\nd = x - x + 3.0\nreturn c * d * x").power == 1


@pytest.mark.parametrize(("squarings", "fits"), [(6, True), (7, False)])
def test_the_largest_degree_that_is_handled_is_64(squarings: int, fits: bool) -> None:
    body = "y = x + 1.0\n" + "y = y * y\n" * squarings + "return y + 1.0"
    if fits:
        assert form_of(body).degree == MAX_DEGREE == 64
        return
    with pytest.raises(NoExactFormError, match="degree 128, this judge handles at most 64"):
        form_of(body)


def test_the_degree_is_bounded_after_cancelling_and_not_before() -> None:
    up = "y = x + 1.0\n" + "y = y * y\n" * 5 + "z = y * x\n"
    assert form_of(up + "return z / y").degree == 1
    with pytest.raises(NoExactFormError, match="degree 65"):
        form_of(up + "return z * (y + 0.5)")


@pytest.mark.parametrize("body", ["return x / (x - x)", "t = x * 2.0\nreturn 1.0 / (t - x - x)", "return 1 / (0 * x)"])
def test_a_division_by_what_is_zero_everywhere_is_told_as_such(body: str) -> None:
    with pytest.raises(UndefinedEverywhereError, match="zero for every input"):
        form_of(body)


@pytest.mark.parametrize("call", ["exp(x)", "sqrt(x)", "maximum(x, 1.0)", "sin(x) * x"])
def test_a_function_that_is_not_arithmetic_has_no_exact_form(call: str) -> None:
    with pytest.raises(NoExactFormError, match=r"is not one of \+ - \* /"):
        form_of(f"return {call}", ELEMENTARY)


def test_squares_and_negation_of_a_wider_vocabulary_have_one() -> None:
    form = form_of("return -square(x + 1.0) + square(square(x))", ELEMENTARY)
    assert plain(form.numerator) == tuple(map(Fraction, (-1, -2, -1, 0, 1)))


def test_a_program_of_two_inputs_has_no_exact_form() -> None:
    with pytest.raises(NoExactFormError, match="2 inputs, expected 1"):
        quotient_of(parse("def f(x, y):\n    return x + y\n", ARITHMETIC), ARITHMETIC)


SMALL = st.fractions(min_value=-3, max_value=3, max_denominator=16)


@settings(deadline=None, max_examples=examples(40))
@given(st.lists(SMALL, min_size=1, max_size=4), st.lists(SMALL, min_size=1, max_size=3), st.integers(1, 4), SMALL)
def test_dividing_a_zero_out_is_division_by_x(
    above: list[Fraction], below: list[Fraction], power: int, x: Fraction
) -> None:
    numerator, denominator = trimmed([Fraction(0), *above]), trimmed([Fraction(1), *below])
    divided = without_zero(Quotient(to_poly(numerator), to_poly(denominator), power))
    bottom = value_at(plain(divided.denominator), x)
    if x == 0 or bottom == 0:
        return
    whole = (value_at(numerator, x) / value_at(denominator, x)) ** power
    assert value_at(plain(divided.numerator), x) / bottom * x == whole


def from_zeros(zeros: Sequence[Fraction], *, always_positive: Sequence[tuple[Fraction, Fraction]]) -> Polynomial:
    """The product of (x - zero) and of (x - a)^2 + b^2."""
    polynomial: Polynomial = (Fraction(1),)
    for zero in zeros:
        polynomial = product(polynomial, (-zero, Fraction(1)))
    for a, b in always_positive:
        polynomial = product(polynomial, (a * a + b * b, -2 * a, Fraction(1)))
    return polynomial


HEIGHTS = st.fractions(min_value=Fraction(1, 1000), max_value=2, max_denominator=1000)


@settings(deadline=None, max_examples=examples(60))
@given(st.lists(SMALL, max_size=4), st.lists(st.tuples(SMALL, HEIGHTS), max_size=2), st.sampled_from([1, -1, 7]))
def test_a_zero_in_the_interval_is_found_exactly_where_there_is_one(
    zeros: list[Fraction], pairs: list[tuple[Fraction, Fraction]], factor: int
) -> None:
    polynomial = to_poly(from_zeros(zeros, always_positive=pairs)) * factor
    inside = [zero for zero in zeros if -1 <= zero <= 1]
    found = zero_inside(polynomial, -1.0, 1.0)
    assert (found is not None) == bool(inside)
    if found is not None:
        assert min(abs(Fraction(found) - zero) for zero in inside) < Fraction(1, 10**5)


@pytest.mark.parametrize("zero", [-0.75, 0.0, 1.5, 2.0])
def test_a_zero_at_an_end_counts_and_one_just_outside_does_not(zero: float) -> None:
    line = fmpq_poly([-exact(zero), 1])
    assert zero_inside(line, zero, zero + 1.0) == zero
    assert zero_inside(line, zero - 1.0, zero) == zero
    assert zero_inside(line, float(np.nextafter(zero, 9.0)), zero + 1.0) is None
    assert zero_inside(line, zero - 1.0, float(np.nextafter(zero, -9.0))) is None


def test_a_zero_of_high_multiplicity_is_still_one() -> None:
    third = to_poly((Fraction(-1, 3), Fraction(1)))
    assert zero_inside(third**8, 0.0, 1.0) == pytest.approx(1 / 3)
    assert zero_inside(third**8, 0.5, 1.0) is None


@pytest.mark.parametrize("count", [3, RIGOROUS_DEGREE, RIGOROUS_DEGREE + 1])
def test_complex_zeros_of_a_polynomial_with_known_zeros(count: int) -> None:
    wanted = [Fraction(k, 2) for k in range(count - 2)] if count <= 3 else []
    polynomial = from_zeros(wanted, always_positive=[(Fraction(1), Fraction(1, 2))])
    if count > 3:
        polynomial = (Fraction(-(2**count)), *[Fraction(0)] * (count - 1), Fraction(1))
    zeros = complex_zeros(to_poly(polynomial))
    assert len(zeros) == count
    values = np.polyval([float(c) for c in reversed(polynomial)], np.array(zeros))
    assert np.abs(values).max() < 1e-6 * max(abs(float(c)) for c in polynomial)


@pytest.mark.parametrize("constant", [0, 5])
def test_a_constant_has_no_complex_zeros(constant: int) -> None:
    assert complex_zeros(fmpq_poly([constant])) == ()


def test_a_huge_polynomial_does_not_overflow_on_the_way_to_its_zeros() -> None:
    large = [fmpq(10) ** 400, *[fmpq(0)] * (RIGOROUS_DEGREE + 1), fmpq(10) ** 400]
    assert np.abs(complex_zeros(fmpq_poly(large))) == pytest.approx(np.ones(RIGOROUS_DEGREE + 2))
