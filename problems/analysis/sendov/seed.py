"""Zeros in the unit disk: a strategy over steps of the toolbox `zeros`."""

from toolbox.base import found_by
from toolbox.zeros import Zeros, zero_rows, zero_vector

WORK = 300  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Random zeros and a regular polygon's corners, climbed; then as symmetric as they can be, on the rim."""
    x = t.random()
    x = t.soften(x, sharpness=30.0, rounds=60)
    y = t.orbit(size=0.05)
    y = t.soften(y, sharpness=30.0, rounds=60)
    x = t.better(x, y)
    x = t.inherit(x)
    y = t.symmetrise(x, order=1)
    y = t.rim(y, above=0.5)
    x = t.better(x, y)
    y = t.jitter(x, size=0.02)
    y = t.ascend(y, rounds=20, trust=0.02, band=0.3)
    x = t.better(x, y)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else zero_vector(best)
    return zero_rows(found_by(strategy, Zeros(n, "sendov", work=WORK, seed=seed, warm=warm)), n)
