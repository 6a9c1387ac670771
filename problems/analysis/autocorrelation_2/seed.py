"""A step function with a flat autoconvolution: a strategy over steps of the toolbox `profile`."""

import numpy as np
from toolbox.base import found_by
from toolbox.profiles import Profiles, second_autocorrelation

WORK = 800  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some starts or what the run has, then hops: some heights drawn anew, all of them shaken."""
    x = t.noise(steps=50)
    for _ in range(8):
        y = t.noise(steps=50)
        y = t.soften(y, sharpness=30.0, rounds=100)
        y = t.soften(y, sharpness=300.0, rounds=200)
        y = t.ascend(y, rounds=30, trust=0.05, band=0.3)
        x = t.better(x, y)
    x = t.inherit(x)
    x = t.resample(x, steps=50)
    for _ in range(15):
        y = t.redraw(x, count=3)
        y = t.soften(y, sharpness=300.0, rounds=100)
        y = t.ascend(y, rounds=20, trust=0.03, band=0.3)
        x = t.accept(x, y, temperature=0.0)
        y = t.jitter(x, size=0.05)
        y = t.soften(y, sharpness=300.0, rounds=100)
        y = t.ascend(y, rounds=20, trust=0.03, band=0.3)
        x = t.accept(x, y, temperature=0.0)
    x = t.ascend(x, rounds=40, trust=0.001, band=0.05)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array(best)
    return found_by(strategy, Profiles(n, second_autocorrelation(n), work=WORK, seed=seed, warm=warm))
