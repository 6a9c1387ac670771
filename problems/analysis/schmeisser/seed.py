"""Zeros in the unit disk, and weights: a strategy over steps of the toolbox `zeros`."""

from toolbox.base import found_by
from toolbox.zeros import Zeros, weighted_zeros, zero_vector

WORK = 300  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Random zeros and a regular polygon's corners with few weights, climbed; then symmetric, on the rim."""
    x = t.random()
    x = t.soften(x, sharpness=30.0, rounds=60)
    x = t.inherit(x)
    for _ in range(30):
        y = t.orbit(size=0.01)
        y = t.symmetrise(y, order=1)
        y = t.rim(y, above=0.5)
        x = t.better(x, y)
    y = t.jitter(x, size=0.02)
    y = t.soften(y, sharpness=30.0, rounds=60)
    x = t.better(x, y)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else zero_vector(best["zeros"], best["weights"])
    return weighted_zeros(found_by(strategy, Zeros(n, "schmeisser", work=WORK, seed=seed, warm=warm)), n)
