"""Numbers whose products never precede a squarefree number: a strategy over steps of the toolbox `conflict_free`."""

import numpy as np
from toolbox.base import found_by
from toolbox.conflicts import ConflictFree, products_in_conflict

WORK = 200  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Swaps, from a random set and from the best one with some numbers forced in."""
    x = t.greedy()
    x = t.inherit(x)
    while True:
        y = t.force(x, count=3)
        y = t.swap(y, swaps=20000, memory=7, idle=500)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    conflicts, numbers = products_in_conflict(n)
    warm = None if best is None else np.isin(numbers, best).astype(np.int8)
    found = found_by(strategy, ConflictFree(conflicts, work=WORK, seed=seed, warm=warm))
    return numbers[found == 1].tolist()
