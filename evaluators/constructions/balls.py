"""Ball arithmetic at a working precision, and roots of exact numbers as balls."""

from collections.abc import Iterator
from contextlib import contextmanager

import flint
from flint import arb, fmpq


@contextmanager
def working(*, bits: int) -> Iterator[None]:
    """Set the precision of ball arithmetic for a while."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def ball(number: fmpq | int) -> arb:
    """A ball around an exact number."""
    return arb(number)


def squared(number: arb) -> arb:
    """The square of a ball; python-flint's power of one around 0 is not a number."""
    return number * number


def root(number: fmpq) -> arb:
    """The square root of an exact number that is not negative."""
    return arb(number).sqrt()
