"""A step function that overlaps little with what it leaves free: a strategy over steps of the toolbox `overlap`."""

import numpy as np
from toolbox.base import found_by
from toolbox.functions import Overlap

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Linear programs from random heights, redrawn stretches, then more steps."""
    for _ in range(3):
        x = t.random(steps=51)
        x = t.flatten(x, rounds=30, trust=0.2, band=0.1)
    x = t.recall(x)
    x = t.inherit(x)
    for _ in range(10):
        y = t.redraw(x, share=0.2)
        y = t.flatten(y, rounds=20, trust=0.1, band=0.1)
        x = t.accept(x, y, temperature=0.0)
    x = t.refine(x, factor=2)
    x = t.flatten(x, rounds=20, trust=0.05, band=0.05)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    return found_by(strategy, Overlap(n, work=WORK, seed=seed, warm=None if best is None else np.array(best, float)))
