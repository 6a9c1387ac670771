"""A set with more sums than differences: a strategy over steps of the toolbox `integer_set`."""

import numpy as np
from toolbox.base import found_by
from toolbox.integers import IntegerSet

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Annealing from sets that are their own mirror images, then from the best set."""
    for _ in range(4):
        x = t.symmetric(density=0.5)
        x = t.anneal(x, flips=20000, hot=0.03, cold=0.002)
    x = t.recall(x)
    x = t.inherit(x)
    while True:
        y = t.toggle(x, count=3)
        y = t.anneal(y, flips=20000, hot=0.02, cold=0.002)
        x = t.better(y, x)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    return members(
        found_by(
            strategy, IntegerSet(n, "sums", work=WORK, seed=seed, warm=None if best is None else membership(best, n))
        )
    )


def members(chosen):
    """The numbers of a set."""
    return np.flatnonzero(chosen).tolist()


def membership(numbers, size):
    """The toolbox's object: for each number whether it is in the set."""
    chosen = np.zeros(size, np.int8)
    chosen[numbers] = 1
    return chosen
