"""Charges on the sphere: a strategy over steps of the toolbox `charges`."""

import numpy as np
from toolbox.base import found_by
from toolbox.charges import Charges, Coulomb

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Starts with the icosahedron's symmetry, a spiral, random ones, or what the run has; then hops."""
    x = t.icosahedral()
    x = t.relax(x, rounds=200)
    y = t.spiral(size=0.02)
    y = t.relax(y, rounds=200)
    x = t.better(x, y)
    x = t.inherit(x)
    for _ in range(20):
        y = t.relocate(x, count=1)
        y = t.relax(y, rounds=100)
        x = t.accept(x, y, temperature=0.0)
    x = t.relax(x, rounds=300)


# EVOLVE-BLOCK-END


def construct(n, d, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array(best)
    return found_by(strategy, Charges(n, d, Coulomb(), work=WORK, seed=seed, warm=warm))
