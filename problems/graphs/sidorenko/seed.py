"""A step graphon against Sidorenko's conjecture: a strategy over steps of the toolbox `sidorenko`."""

import numpy as np
from toolbox.base import found_by
from toolbox.graphons import Sidorenko

WORK = 200  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Climbs from random graphons, and from the best one so far with every entry moved."""
    x = t.constant(density=0.5)
    x = t.inherit(x)
    while True:
        y = t.random()
        y = t.climb(y, rounds=20, size=0.2)
        x = t.accept(x, y, temperature=0.0)
        y = t.jitter(x, size=0.1)
        y = t.climb(y, rounds=20, size=0.05)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array([[number(value) for value in row] for row in best])
    return found_by(strategy, Sidorenko(n, work=WORK, seed=seed, warm=warm))


def number(value):
    """A number that may be a fraction as text."""
    top, _, bottom = str(value).partition("/")
    return float(top) / float(bottom or 1)
