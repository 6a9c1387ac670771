"""A flat polynomial with signs: a strategy over steps of the toolbox `sign_sequence`."""

import numpy as np
from toolbox.base import found_by
from toolbox.signs import FLAT, SignSequence

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Annealing on single signs and on mirrored pairs, from random and from structured starts."""
    x = t.residues()
    y = t.shapiro()
    x = t.better(x, y)
    x = t.inherit(x)
    while True:
        y = t.random()
        y = t.anneal(y, flips=200000, hot=0.03, cold=0.006, pairs=0)
        x = t.accept(x, y, temperature=0.0)
        y = t.mirrored()
        y = t.anneal(y, flips=30000, hot=0.03, cold=0.003, pairs=1)
        x = t.accept(x, y, temperature=0.0)
        y = t.flip(x, count=4)
        y = t.anneal(y, flips=30000, hot=0.01, cold=0.003, pairs=0)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, divisor, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array(best, np.int8)
    return found_by(strategy, SignSequence(n, FLAT, work=WORK, seed=seed, warm=warm)).tolist()
