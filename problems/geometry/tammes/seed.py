"""Points of the sphere, far apart: a strategy over steps of the toolbox `spherical_code`."""

import numpy as np
from toolbox.base import found_by
from toolbox.distances import SphericalCode

WORK = 1200  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some random starts, relocation of single points, and a last polish."""
    x = t.random()
    for _ in range(30):
        y = t.random()
        y = t.repel(y, rounds=6, size=0.3)
        y = t.ascend(y, rounds=12, trust=0.15, gain=0.0001)
        x = t.better(x, y)
    x = t.inherit(x)
    for _ in range(12):
        y = t.relocate(x, count=1)
        y = t.ascend(y, rounds=20, trust=0.1, gain=1e-06)
        x = t.accept(x, y, temperature=0.0)
    x = t.ascend(x, rounds=60, trust=0.01, gain=1e-15)
    x = t.balance(x, rounds=6, slack=1e-06)


# EVOLVE-BLOCK-END


def construct(n, d, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    return found_by(strategy, SphericalCode(n, d, work=WORK, seed=seed, warm=None if best is None else np.array(best)))
