"""Squares in the unit square with the largest sum of sides: a strategy over steps of the toolbox `vector`."""

from toolbox.base import found_by
from toolbox.polygons import square_rows, square_vector, squares_in_square
from toolbox.vectors import Vectors

WORK = 600  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some starts or what the run has, then hops: numbers drawn anew, all of them shaken; a last polish."""
    x = t.random()
    for _ in range(8):
        y = t.random()
        y = t.soften(y, sharpness=20.0, rounds=60)
        y = t.ascend(y, rounds=40, trust=0.05, band=0.3)
        x = t.better(x, y)
    x = t.inherit(x)
    for _ in range(12):
        y = t.redraw(x, count=4)
        y = t.ascend(y, rounds=30, trust=0.05, band=0.3)
        x = t.accept(x, y, temperature=0.0)
        y = t.jitter(x, size=0.03)
        y = t.ascend(y, rounds=30, trust=0.03, band=0.3)
        x = t.accept(x, y, temperature=0.0)
    x = t.ascend(x, rounds=40, trust=0.001, band=0.05)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else square_vector(best)
    return square_rows(found_by(strategy, Vectors(squares_in_square(n), work=WORK, seed=seed, warm=warm)))
