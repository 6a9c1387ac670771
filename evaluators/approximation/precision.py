"""The working precision of ball arithmetic, set for a block and restored after it."""

from collections.abc import Iterator
from contextlib import contextmanager

from flint import ctx


@contextmanager
def working(*, bits: int, length: int = 10) -> Iterator[None]:
    """Work with `bits` of precision and power series of `length` coefficients inside the block."""
    outer = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = bits, length
    try:
        yield
    finally:
        ctx.prec, ctx.cap = outer
