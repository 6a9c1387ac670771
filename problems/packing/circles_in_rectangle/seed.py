"""Circles in a rectangle: a strategy over steps of the toolbox `circles`."""

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
    box = Circles(n, "rectangle", work=WORK, seed=seed, warm=None if best is None else as_centres(best))
    found = found_by(strategy, box)
    return np.column_stack([found[:-1], box.radii(found)])


def as_centres(circles):
    """The toolbox's object: the centres, then the corner of the smallest box around the circles."""
    x, y, r = np.array(circles).T
    low = np.array([(x - r).min(), (y - r).min()])
    width, height = (x + r).max() - low[0], (y + r).max() - low[1]
    corner = np.array([width, height]) * 2.0 / (width + height)
    return np.vstack([np.column_stack([x, y]) - low, corner])
