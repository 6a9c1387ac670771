"""A stack of blocks that reaches far: a strategy over steps of the toolbox `vector`."""

from toolbox.base import found_by
from toolbox.loads import block_centres, block_stacking
from toolbox.vectors import Vectors

WORK = 50  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """A random stack that topples nowhere, and the way up."""
    x = t.random()
    x = t.soften(x, sharpness=100.0, rounds=60)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    del best
    return block_centres(found_by(strategy, Vectors(block_stacking(n), work=WORK, seed=seed)))
