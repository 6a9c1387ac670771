"""Points without a convex polygon of k corners: a strategy over steps of the toolbox `no_convex`."""

import numpy as np
from toolbox.base import found_by
from toolbox.convexity import NoConvex

WORK = 100  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Random points that fit, from the best set so far without some of its points."""
    x = t.scatter(tries=20)
    y = t.towers()
    x = t.better(x, y)
    x = t.inherit(x)
    while True:
        y = t.scatter(tries=20)
        y = t.add(y, tries=20)
        x = t.better(x, y)
        y = t.drop(x, count=2)
        y = t.add(y, tries=20)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(k, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array(best, np.int64)
    return found_by(strategy, NoConvex(k, work=WORK, seed=seed, warm=warm)).tolist()
