"""A step function that overlaps little with what it leaves free: a strategy over steps of the toolbox `overlap`."""

import numpy as np
from toolbox.base import found_by
from toolbox.functions import Overlap

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Linear programs from many random heights, redrawn stretches, ever more steps; at last the best of the run."""
    x = t.random(steps=51)
    for _ in range(20):
        y = t.random(steps=51)
        y = t.flatten(y, rounds=30, trust=0.2, band=0.1)
        x = t.better(x, y)
    for _ in range(40):
        y = t.redraw(x, share=0.2)
        y = t.flatten(y, rounds=20, trust=0.1, band=0.1)
        x = t.accept(x, y, temperature=0.0)
    for _ in range(2):
        x = t.refine(x, factor=2)
        x = t.flatten(x, rounds=15, trust=0.05, band=0.05)
    y = t.inherit(x)
    x = t.better(x, y)
    for _ in range(4):
        y = t.redraw(x, share=0.05)
        y = t.flatten(y, rounds=10, trust=0.05, band=0.05)
        x = t.accept(x, y, temperature=0.0)
    x = t.refine(x, factor=2)
    x = t.flatten(x, rounds=5, trust=0.02, band=0.03)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    return found_by(strategy, Overlap(n, work=WORK, seed=seed, warm=None if best is None else np.array(best, float)))
