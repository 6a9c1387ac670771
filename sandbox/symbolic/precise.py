"""Constants with more digits than float64 holds: sums of the nearest float64 and a smaller one.

A pair (high, low) stands for high + low, a number of up to 107 bits: high is the float64 nearest to it, low is a
multiple of 2**-53 units in the last place of high. A constant that float64 holds has low = 0.
"""

import math
from decimal import Context, Decimal
from fractions import Fraction
from itertools import count
from typing import Final

LONGEST_PLAIN: Final = 17
"""A literal of at most so many significant digits is the nearest float64, as in Python; a longer one is a pair."""

_SMALLEST: Final = Fraction(1, 2**1074)
_EXACT: Final = Context(prec=2000)


def nearest_pair(number: Fraction) -> tuple[float, float]:
    """The pair nearest to a number.

    Raises:
        OverflowError: the number is beyond float64's range.
    """
    high = float(number)
    unit = max(Fraction(math.ulp(high)) / 2**53, _SMALLEST)
    rounded = round(number / unit) * unit
    high = float(rounded)
    return high, float(rounded - Fraction(high))


def exact_value(high: float, low: float) -> Fraction:
    """The number that a pair stands for."""
    return Fraction(high) + Fraction(low)


def read_pair(text: str, high: float) -> tuple[float, float]:
    """The pair for a decimal literal, which is `high` (finite) to float64 precision."""
    if high == 0.0:
        return high, 0.0
    number = Decimal(text)
    if len(number.as_tuple().digits) <= LONGEST_PLAIN:
        return high, 0.0
    return nearest_pair(Fraction(number))


def written_pair(high: float, low: float) -> str:
    """The shortest literal that reads back as the pair; Python's own for low = 0."""
    if low == 0.0:
        return repr(float(high))
    number = _EXACT.add(Decimal(high), Decimal(low))
    for n_digits in count(LONGEST_PLAIN + 1):
        text = str(Decimal(f"{number:.{n_digits - 1}e}"))
        if read_pair(text, high) == (high, low):
            return text.lower() if "." in text or "E" in text else f"{text}.0"
    raise AssertionError
