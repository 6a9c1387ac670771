"""A polyhedron in the ball: a strategy over steps of the toolbox `charges`."""

import numpy as np
from toolbox.base import found_by
from toolbox.charges import Charges, HullVolume

WORK = 100  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Random starts and what the run has, then hops."""
    x = t.random()
    for _ in range(10):
        y = t.random()
        y = t.relax(y, rounds=100)
        x = t.better(x, y)
    x = t.inherit(x)
    for _ in range(20):
        y = t.relocate(x, count=1)
        y = t.relax(y, rounds=100)
        x = t.accept(x, y, temperature=0.0)
    x = t.relax(x, rounds=300)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array(best)
    return found_by(strategy, Charges(n, 3, HullVolume(), work=WORK, seed=seed, warm=warm))
