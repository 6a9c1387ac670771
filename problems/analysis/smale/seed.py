"""Coefficients of a polynomial with large quotients: a strategy over steps of the toolbox `vector`."""

from toolbox.base import found_by
from toolbox.vectors import Vectors
from toolbox.zeros import coefficient_rows, coefficient_vector, smale_quotients

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some starts or what the run has, then smaller and smaller steps."""
    x = t.random()
    for _ in range(4):
        y = t.random()
        y = t.soften(y, sharpness=30.0, rounds=60)
        y = t.ascend(y, rounds=20, trust=0.01, band=0.3)
        x = t.better(x, y)
    x = t.inherit(x)
    x = t.soften(x, sharpness=1000.0, rounds=60)
    x = t.ascend(x, rounds=30, trust=0.001, band=0.1)
    x = t.balance(x, rounds=10, slack=0.001)
    y = t.snap(x, parts=4)
    x = t.better(x, y)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else coefficient_vector(best)
    return coefficient_rows(found_by(strategy, Vectors(smale_quotients(n), work=WORK, seed=seed, warm=warm)))
