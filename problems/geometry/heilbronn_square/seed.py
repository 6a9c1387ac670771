"""Points whose smallest triangle is large: a strategy over steps of the toolbox `heilbronn`."""

import numpy as np
from toolbox.base import found_by
from toolbox.triangles import Heilbronn

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Relocation of single points from the best of some starts, then from the best of the run; a last polish."""
    x = t.random()
    for _ in range(5):
        y = t.random()
        y = t.ascend(y, rounds=15, trust=0.15, gain=0.0001)
        x = t.better(x, y)
    for _ in range(100):
        y = t.relocate(x, count=1)
        y = t.ascend(y, rounds=60, trust=0.1, gain=1e-05)
        x = t.accept(x, y, temperature=0.01)
    x = t.recall(x)
    y = t.inherit(x)
    x = t.better(x, y)
    for _ in range(15):
        y = t.relocate(x, count=1)
        y = t.ascend(y, rounds=60, trust=0.1, gain=1e-05)
        x = t.accept(x, y, temperature=0.0)
    x = t.ascend(x, rounds=60, trust=0.01, gain=1e-15)
    x = t.balance(x, rounds=6, slack=1e-06)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    return found_by(
        strategy, Heilbronn(n, "square", work=WORK, seed=seed, warm=None if best is None else np.array(best))
    )
