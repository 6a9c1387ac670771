"""A Kakeya set over a finite field: a strategy over steps of the toolbox `small_union`."""

import numpy as np
from toolbox.base import found_by
from toolbox.choices import SmallUnion, lines_by_direction

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Annealing, from a greedy choice and from the best one with some slots drawn anew."""
    x = t.greedy()
    x = t.inherit(x)
    while True:
        y = t.greedy()
        y = t.anneal(y, changes=200000, hot=1.0, cold=0.2)
        x = t.accept(x, y, temperature=0.0)
        y = t.redraw(x, share=0.2)
        y = t.anneal(y, changes=200000, hot=0.7, cold=0.2)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(p, d, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    blocks = lines_by_direction(p, d)
    warm = None if best is None else inside(blocks, np.array(best) @ p ** np.arange(d - 1, -1, -1))
    union = SmallUnion(blocks, work=WORK, seed=seed, warm=warm)
    covered = union.covered(found_by(strategy, union))
    return (covered[:, None] // p ** np.arange(d - 1, -1, -1) % p).tolist()


def inside(blocks, points):
    """The toolbox's object: for every slot a block that lies in the set."""
    return np.isin(blocks, points).sum(2).argmax(1)
