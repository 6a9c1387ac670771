"""A step function with an autocorrelation that is nowhere small: a strategy over steps of the toolbox `profile`."""

import numpy as np
from toolbox.base import found_by
from toolbox.profiles import Profiles, smallest_autocorrelation

WORK = 600  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some starts with different supports or what the run has, then hops."""
    x = t.noise(steps=60)
    for _ in range(4):
        y = t.noise(steps=60)
        y = t.soften(y, sharpness=50.0, rounds=200)
        y = t.soften(y, sharpness=500.0, rounds=200)
        y = t.ascend(y, rounds=20, trust=0.05, band=0.3)
        x = t.better(x, y)
        y = t.noise(steps=70)
        y = t.soften(y, sharpness=50.0, rounds=200)
        y = t.soften(y, sharpness=500.0, rounds=200)
        y = t.ascend(y, rounds=20, trust=0.05, band=0.3)
        x = t.better(x, y)
    x = t.inherit(x)
    for _ in range(10):
        y = t.redraw(x, count=4)
        y = t.soften(y, sharpness=500.0, rounds=100)
        y = t.ascend(y, rounds=15, trust=0.03, band=0.3)
        x = t.accept(x, y, temperature=0.0)
    x = t.ascend(x, rounds=30, trust=0.001, band=0.05)


# EVOLVE-BLOCK-END


def construct(n, m, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array(best)
    return found_by(strategy, Profiles(n, smallest_autocorrelation(n, m), work=WORK, seed=seed, warm=warm))
