"""A function with a large quotient of integrals: a strategy over steps of the toolbox `profile`."""

import numpy as np
from toolbox.base import found_by
from toolbox.profiles import Profiles, gagliardo_nirenberg

WORK = 200  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Bumps of several widths on few steps, then all of the steps; what the run has, drawn out."""
    x = t.bump(steps=50, width=0.05, power=1.5)
    x = t.soften(x, sharpness=100.0, rounds=300)
    y = t.bump(steps=50, width=0.1, power=2.0)
    y = t.soften(y, sharpness=100.0, rounds=300)
    x = t.better(x, y)
    x = t.resample(x, steps=400)
    x = t.soften(x, sharpness=100.0, rounds=500)
    x = t.inherit(x)
    for _ in range(10):
        y = t.rescale(x, factor=1.05)
        y = t.soften(y, sharpness=100.0, rounds=500)
        x = t.accept(x, y, temperature=0.0)
        y = t.rescale(x, factor=0.97)
        y = t.soften(y, sharpness=100.0, rounds=500)
        x = t.accept(x, y, temperature=0.0)
    x = t.symmetrise(x)
    x = t.soften(x, sharpness=100.0, rounds=500)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array(best)
    return found_by(strategy, Profiles(n, gagliardo_nirenberg(n), work=WORK, seed=seed, warm=warm))
