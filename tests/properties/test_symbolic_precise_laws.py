"""Laws of constants with more digits than float64 holds."""

import math
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from sandbox.symbolic.canonical import canonical, fingerprint, numbered
from sandbox.symbolic.parse import parse
from sandbox.symbolic.precise import exact_value, nearest_pair, read_pair, written_pair
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC

HIGHS = st.floats(allow_nan=False, allow_infinity=False)
PARTS = st.fractions(-1, 1, max_denominator=2**60)


def pair(high: float, part: Fraction) -> tuple[float, float]:
    """A pair near a float64: so many halves of its last place away."""
    number = Fraction(high) + Fraction(math.ulp(high)) / 2 * part
    assume(abs(number) <= Fraction(1.7976931348623157e308))
    return nearest_pair(number)


PAIRS = st.builds(pair, HIGHS, PARTS)


@given(PAIRS)
def test_writing_and_reading_gives_the_same_pair(constant: tuple[float, float]) -> None:
    text = written_pair(*constant)

    assert read_pair(text, float(text)) == constant
    assert len(text) <= 45 or "e" not in text


@given(PAIRS)
def test_a_written_pair_is_the_shortest_that_reads_back(constant: tuple[float, float]) -> None:
    digits = written_pair(*constant).split("e")[0].lstrip("-0.").replace(".", "")

    assert constant[1] != 0.0 or written_pair(*constant) == repr(constant[0])
    assert len(digits) <= 35 or abs(constant[0]) >= 1e16


@given(PAIRS)
def test_pairs_are_their_own_nearest(constant: tuple[float, float]) -> None:
    assert nearest_pair(exact_value(*constant)) == constant
    assert constant[0] + constant[1] == constant[0]


@given(st.fractions(-(10**9), 10**9))
def test_the_nearest_pair_is_near(number: Fraction) -> None:
    high, low = nearest_pair(number)

    assert high == float(number)
    assert abs(exact_value(high, low) - number) <= abs(number) / 2**106


@given(st.lists(PAIRS, min_size=1, max_size=4), st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_programs_of_precise_constants_read_back_and_hash_alike(
    constants: list[tuple[float, float]], functions: list[int]
) -> None:
    instructions = tuple(Instruction(function, (i, -1 - i % len(constants))) for i, function in enumerate(functions))
    program = numbered(
        Program(
            name="f",
            inputs=("x",),
            constants=tuple(high for high, _ in constants),
            instructions=instructions,
            output=len(functions),
            constants_low=tuple(low for _, low in constants),
        )
    )

    again = parse(render(program, ARITHMETIC), ARITHMETIC)

    form = canonical(program, ARITHMETIC)
    assert again == program
    assert canonical(form, ARITHMETIC) == form
    assert fingerprint(again, ARITHMETIC) == fingerprint(form, ARITHMETIC)


@given(st.from_regex(r"\A[0-9]{1,25}\.[0-9]{0,25}(e[+-]?[0-9]{1,2})?\Z"))
def test_a_literal_is_within_a_hair_of_its_decimal(text: str) -> None:
    program = parse(f"def f(x):\n    return x + {text}\n", ARITHMETIC)

    number = Fraction(text)
    value = exact_value(program.constants[0], program.lows[0])
    n_digits = len(text.split("e")[0].replace(".", "").lstrip("0"))
    assert abs(value - number) <= abs(number) / (2**52 if n_digits <= 17 else 2**106)
