"""Between exact numbers, balls and floats, always on the safe side."""

import math
from fractions import Fraction

from flint import arb, fmpq

LARGEST = 1.7976931348623157e308


def fraction_of(number: fmpq) -> Fraction:
    """The same number as a fraction of the standard library."""
    return Fraction(int(number.p), int(number.q))


def rounded_down(number: Fraction) -> float:
    """The largest float that is not above a number; finite."""
    try:
        nearest = float(number)
    except OverflowError:
        return LARGEST if number > 0 else -LARGEST
    if math.isinf(nearest):
        return LARGEST if number > 0 else -LARGEST
    return nearest if Fraction(nearest) <= number else math.nextafter(nearest, -math.inf)


def lower(ball: arb) -> fmpq:
    """The lower end of a ball, exactly."""
    return _end(ball.lower())


def upper(ball: arb) -> fmpq:
    """The upper end of a ball, exactly."""
    return _end(ball.upper())


def _end(point: arb) -> fmpq:
    if not point.is_finite():
        raise ArithmeticError("a ball is not finite: the working precision is too low")
    mantissa, exponent = point.mid().man_exp()
    power = int(exponent)
    return fmpq(mantissa) * fmpq(2) ** power
