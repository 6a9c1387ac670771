"""Circles in the unit square: a strategy over steps of the toolbox `circles`."""

import numpy as np
from toolbox.base import found_by
from toolbox.circles import Circles

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Basin hopping by single circles: from the best of some random starts, then from the best of the run."""
    x = t.random()
    for _ in range(6):
        y = t.random()
        y = t.press(y, rounds=30, trust=0.2, gain=0.0001)
        x = t.better(x, y)
    for _ in range(60):
        y = t.relocate(x, count=1)
        y = t.press(y, rounds=30, trust=0.2, gain=1e-05)
        x = t.accept(x, y, temperature=0.0)
        y = t.stir(x, count=5, size=0.1)
        y = t.press(y, rounds=30, trust=0.2, gain=1e-05)
        x = t.accept(x, y, temperature=0.0)
    y = t.inherit(x)
    x = t.better(x, y)
    while True:
        y = t.relocate(x, count=1)
        y = t.press(y, rounds=30, trust=0.2, gain=1e-06)
        x = t.accept(x, y, temperature=0.0)
        y = t.stir(x, count=5, size=0.1)
        y = t.press(y, rounds=30, trust=0.2, gain=1e-06)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    box = Circles(n, work=WORK, seed=seed, warm=None if best is None else as_centres(best))
    return rows(found_by(strategy, box), box)


def as_centres(circles):
    """The toolbox's object: the centres, then the corner of the square."""
    return np.vstack([np.array(circles)[:, :2], [1.0, 1.0]])


def rows(found, box):
    """Rows of x, y and radius."""
    return np.column_stack([found[:-1], box.radii(found)])
