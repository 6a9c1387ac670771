"""A step function whose autoconvolution is low: a strategy over steps of the toolbox `autoconvolution`."""

import numpy as np
from toolbox.base import found_by
from toolbox.functions import Autoconvolution

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Soft maxima from random heights, redrawn stretches, then twice as many steps and linear programs."""
    for _ in range(3):
        x = t.random(steps=50)
        x = t.soften(x, sharpness=50.0, rounds=100)
        x = t.soften(x, sharpness=1000.0, rounds=200)
    x = t.recall(x)
    x = t.inherit(x)
    for _ in range(6):
        y = t.redraw(x, share=0.1)
        y = t.soften(y, sharpness=200.0, rounds=60)
        y = t.soften(y, sharpness=5000.0, rounds=100)
        x = t.accept(x, y, temperature=0.0)
    x = t.refine(x, factor=2)
    x = t.soften(x, sharpness=2000.0, rounds=100)
    x = t.soften(x, sharpness=20000.0, rounds=200)
    x = t.flatten(x, rounds=5, trust=0.05, band=0.03)


# EVOLVE-BLOCK-END


def construct(n, support, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    return found_by(
        strategy,
        Autoconvolution(min(n, 600), work=WORK, seed=seed, warm=None if best is None else np.array(best, float)),
    )
