"""A signed step function whose autoconvolution is low: a strategy over steps of the toolbox `profile`."""

import numpy as np
from toolbox.base import found_by
from toolbox.profiles import Profiles, third_autocorrelation

WORK = 500  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some starts with few steps or what the run has, then more steps and hops."""
    x = t.noise(steps=60)
    for _ in range(6):
        y = t.noise(steps=60)
        y = t.soften(y, sharpness=50.0, rounds=200)
        y = t.soften(y, sharpness=500.0, rounds=200)
        y = t.ascend(y, rounds=15, trust=0.03, band=0.1)
        x = t.better(x, y)
    x = t.resample(x, steps=120)
    x = t.soften(x, sharpness=1000.0, rounds=200)
    x = t.ascend(x, rounds=20, trust=0.01, band=0.1)
    x = t.inherit(x)
    for _ in range(6):
        y = t.redraw(x, count=3)
        y = t.soften(y, sharpness=1000.0, rounds=150)
        y = t.ascend(y, rounds=10, trust=0.01, band=0.1)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, peak, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    del peak  # of the absolute value
    warm = None if best is None else np.array(best)
    return found_by(strategy, Profiles(n, third_autocorrelation(n), work=WORK, seed=seed, warm=warm))
