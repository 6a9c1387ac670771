"""Thin triangles in a small area: a strategy over steps of the toolbox `vector`."""

import numpy as np
from toolbox.base import found_by
from toolbox.needles import kakeya_needle
from toolbox.vectors import Vectors

WORK = 1200  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some starts, each with hops of its own, or what the run has, with a few hops more."""
    x = t.random()
    for _ in range(5):
        y = t.random()
        y = t.soften(y, sharpness=100.0, rounds=300)
        for _ in range(12):
            z = t.redraw(y, count=1)
            z = t.soften(z, sharpness=100.0, rounds=100)
            y = t.accept(y, z, temperature=0.0)
            z = t.jitter(y, size=0.004)
            z = t.soften(z, sharpness=100.0, rounds=100)
            y = t.accept(y, z, temperature=0.0)
        x = t.better(x, y)
    x = t.inherit(x)
    for _ in range(6):
        y = t.redraw(x, count=2)
        y = t.soften(y, sharpness=100.0, rounds=100)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, shape, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array(best)
    return found_by(strategy, Vectors(kakeya_needle(n, shape), work=WORK, seed=seed, warm=warm))
