"""Pairs that load a ring: a strategy over steps of the toolbox `vector`."""

import numpy as np
from toolbox.base import found_by
from toolbox.loads import ring_loading
from toolbox.vectors import Vectors

WORK = 500  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of many random rings or what the run has, then hops by linear programs."""
    x = t.random()
    for _ in range(60):
        y = t.random()
        x = t.better(x, y)
    x = t.ascend(x, rounds=20, trust=0.05, band=0.05)
    x = t.inherit(x)
    for _ in range(12):
        y = t.redraw(x, count=4)
        y = t.ascend(y, rounds=10, trust=0.05, band=0.05)
        x = t.accept(x, y, temperature=0.01)
    x = t.ascend(x, rounds=10, trust=0.003, band=0.01)


# EVOLVE-BLOCK-END


def construct(m, cuts, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array(best).T.ravel()
    found = found_by(strategy, Vectors(ring_loading(m, cuts), work=WORK, seed=seed, warm=warm))
    return found.reshape(2, -1).T
