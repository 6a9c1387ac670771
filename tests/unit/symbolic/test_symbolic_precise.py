"""Constants of more digits than float64 holds: read, written, hashed, evaluated and judged as the numbers they are."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from evaluators.approximation.family import FunctionApproximation
from evaluators.approximation.rational import quotient_of
from evolve.symbolic.tidy import tidied
from sandbox.symbolic.canonical import canonical, fingerprint, numbered
from sandbox.symbolic.double_double import evaluate_double_double
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Vocabulary

THIRD = "0.333333333333333333333333333333333"
"""33 digits."""


def line(slope: str, offset: str = "0.5", vocabulary: Vocabulary = ARITHMETIC) -> Program:
    return parse(f"def f(x):\n    return x * {slope} + {offset}\n", vocabulary)


def test_a_long_literal_keeps_its_digits() -> None:
    program = line(THIRD)

    assert program.constants == (1 / 3, 0.5)
    assert program.lows[0] == pytest.approx(float(Fraction(1, 3) - Fraction(1 / 3)), rel=1e-14)
    assert program.lows[1] == 0.0


@pytest.mark.parametrize(
    "literal", ["0.1", "0.12345678901234567", "1e22", "12345678901234567", "0x1F", "1_0.5", "5e-324"]
)
def test_a_literal_of_at_most_17_digits_is_the_nearest_float64(literal: str) -> None:
    program = line(literal)

    assert program.constants_low is None
    assert program.constants[0] == float(eval(literal))


def test_17_digits_are_a_float64_and_18_an_exact_decimal() -> None:
    plain, exact = line("0.1"), line("0.100000000000000000")

    assert plain.lows[0] == 0.0
    difference = Fraction(exact.constants[0]) + Fraction(exact.lows[0]) - Fraction(1, 10)
    assert abs(difference) < Fraction(1, 10**32)
    assert fingerprint(plain, ARITHMETIC) != fingerprint(exact, ARITHMETIC)


@pytest.mark.parametrize(
    "text", [THIRD, f"-{THIRD}", "18014398509481985.0", "1e22", "123456789012345678901234567890", "1.5"]
)
def test_what_is_written_reads_back(text: str) -> None:
    program = line(text)

    again = parse(render(program, ARITHMETIC), ARITHMETIC)

    assert again == program
    assert fingerprint(again, ARITHMETIC) == fingerprint(program, ARITHMETIC)


def test_text_around_a_literal_does_not_matter() -> None:
    # bytes and characters differ on the line, line ends are of all kinds, and form feeds end no line
    text = f"def f(x):\r\n    '\u00e9\u20ac'\r    y = x *\x0c {THIRD}; y = y + 0.5  # \u00e9\n    return y\n"

    assert parse(text, ARITHMETIC) == line(THIRD)


def test_a_vocabulary_that_does_not_say_so_reads_the_nearest_float64() -> None:
    program = line(THIRD, vocabulary=ELEMENTARY)

    assert program.constants_low is None
    assert program.constants[0] == 1 / 3


def test_values_in_float64_use_the_high_part_and_exact_ones_both() -> None:
    program, points = line(THIRD, "0.0"), np.array([[3.0]])

    [plain] = evaluate(program, ARITHMETIC, [points[0]])
    high, low = evaluate_double_double(program, ARITHMETIC, points, np.zeros_like(points))

    assert plain == 1.0
    assert high[0] + low[0] == 1.0
    assert abs(low[0]) < 1e-30
    assert abs(Fraction(high[0]) + Fraction(low[0]) - 3 * Fraction(THIRD)) < Fraction(1, 10**31)


def test_the_exact_form_has_the_number_that_is_written() -> None:
    quotient = quotient_of(line(THIRD), ARITHMETIC)

    slope = quotient.numerator.coeffs()[1] / quotient.denominator.coeffs()[0]
    assert abs(Fraction(int(slope.p), int(slope.q)) - Fraction(THIRD)) < Fraction(1, 10**32)


def test_constant_arithmetic_is_folded_exactly() -> None:
    text = "def f(x):\n    a = 0.1234567890123456789 * 3.0\n    b = a - 0.37\n    return x * b\n"

    form = canonical(parse(text, ARITHMETIC), ARITHMETIC)

    exact = 3 * Fraction("0.1234567890123456789") - Fraction(0.37)
    assert len(form.instructions) == 1
    assert abs(Fraction(form.constants[0]) + Fraction(form.lows[0]) - exact) < Fraction(1, 10**31)


def test_canonical_forms_order_and_merge_by_all_digits() -> None:
    first = parse(f"def f(x):\n    return x * {THIRD} + x * 0.3333333333333333\n", ARITHMETIC)
    second = parse(f"def f(x):\n    return x * 0.3333333333333333 + {THIRD} * x\n", ARITHMETIC)

    form = canonical(first, ARITHMETIC)

    assert len(form.instructions) == 3
    assert canonical(form, ARITHMETIC) == form == canonical(second, ARITHMETIC)
    assert numbered(form) == form


def test_the_structure_does_not_depend_on_the_digits() -> None:
    precise, plain = line(THIRD), line("0.25")

    assert fingerprint(precise, ARITHMETIC) != fingerprint(line(THIRD[:-3]), ARITHMETIC)
    assert fingerprint(precise, ARITHMETIC, structure_only=True) == fingerprint(plain, ARITHMETIC, structure_only=True)


def test_plain_programs_have_the_fingerprint_they_had() -> None:
    assert fingerprint(line("0.25"), ARITHMETIC) == "d2ec0b56e16baa3a92c922aa60822d67"


def test_tidying_turns_both_parts() -> None:
    program = line("1.0", "-0.3333333333333333333")

    turned = tidied(program, ARITHMETIC)

    assert render(turned, ARITHMETIC).endswith(" - 0.3333333333333333333\n")


def test_low_parts_belong_to_their_constants() -> None:
    program = line(THIRD)

    assert replace(program, constants_low=(0.0, 0.0)).constants_low is None
    for lows in ((1.0, 0.0), (1e-20,), (float("nan"), 0.0)):
        with pytest.raises(ValueError, match="do not belong"):
            replace(program, constants_low=lows)


def test_certificates_list_the_constants_that_no_float64_is() -> None:
    judge = FunctionApproximation({"function": "exp2", "interval": [0, 1]}, ARITHMETIC)

    plain, precise = judge.verify(line("0.98", "0.97")), judge.verify(line("0.980000000000000000", "0.97"))

    assert plain.certificate is not None
    assert precise.certificate is not None
    assert "constants" not in plain.certificate
    [[high, low]] = precise.certificate["constants"]
    assert Fraction(float.fromhex(high)) + Fraction(float.fromhex(low)) != Fraction(0.98)
    assert "0.980000000000000000" in precise.certificate["program"]
