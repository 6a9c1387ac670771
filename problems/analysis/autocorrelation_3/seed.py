"""A step function whose autoconvolution is low: a strategy over steps of the toolbox `autoconvolution`."""

import numpy as np
from toolbox.base import found_by
from toolbox.functions import Autoconvolution

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Soft maxima from many short starts, redrawn stretches, then ever more steps; at last the best of the run."""
    x = t.random(steps=60)
    for _ in range(20):
        y = t.random(steps=60)
        y = t.soften(y, sharpness=50.0, rounds=150)
        y = t.soften(y, sharpness=300.0, rounds=150)
        y = t.soften(y, sharpness=2000.0, rounds=150)
        x = t.better(x, y)
    for _ in range(30):
        y = t.redraw(x, share=0.15)
        y = t.soften(y, sharpness=100.0, rounds=100)
        y = t.soften(y, sharpness=1000.0, rounds=100)
        y = t.soften(y, sharpness=5000.0, rounds=100)
        x = t.accept(x, y, temperature=0.0)
    for _ in range(3):
        x = t.refine(x, factor=2)
        x = t.soften(x, sharpness=300.0, rounds=300)
        x = t.soften(x, sharpness=2000.0, rounds=300)
        x = t.soften(x, sharpness=10000.0, rounds=300)
        x = t.soften(x, sharpness=50000.0, rounds=300)
    y = t.inherit(x)
    x = t.better(x, y)
    for _ in range(2):
        y = t.jitter(x, size=0.05)
        y = t.soften(y, sharpness=1000.0, rounds=200)
        y = t.soften(y, sharpness=5000.0, rounds=200)
        y = t.soften(y, sharpness=50000.0, rounds=300)
        x = t.accept(x, y, temperature=0.0)
    x = t.refine(x, factor=2)
    x = t.soften(x, sharpness=2000.0, rounds=300)
    x = t.soften(x, sharpness=10000.0, rounds=300)
    x = t.soften(x, sharpness=50000.0, rounds=300)


# EVOLVE-BLOCK-END


def construct(n, peak, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    return found_by(
        strategy,
        Autoconvolution(
            min(n, 1000), signed=True, work=WORK, seed=seed, warm=None if best is None else np.array(best, float)
        ),
    )
