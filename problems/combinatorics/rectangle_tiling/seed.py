"""Rectangles that leave one cell free in every row and column: a strategy over steps of the toolbox `free_cells`."""

import numpy as np
from toolbox.base import found_by
from toolbox.tilings import FreeCells, tiles

WORK = 200  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Annealing on exchanges of rows, from multiples modulo n + 1 and from the best so far."""
    x = t.random()
    x = t.inherit(x)
    while True:
        y = t.multiples(factor=2)
        y = t.anneal(y, exchanges=200, hot=1.0)
        x = t.accept(x, y, temperature=0.0)
        y = t.multiples(factor=4)
        y = t.anneal(y, exchanges=200, hot=1.0)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else free_columns(best, n)
    return tiles(found_by(strategy, FreeCells(n, work=WORK, seed=seed, warm=warm)))


def free_columns(rectangles, n):
    """The toolbox's object: the free column of every row."""
    free = np.ones((n, n), bool)
    for top, left, bottom, right in rectangles:
        free[top:bottom, left:right] = False
    return free.argmax(1)
