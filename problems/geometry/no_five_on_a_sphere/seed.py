"""Grid points in space, no five on a sphere or a plane: a strategy over steps of the toolbox `grid_points`."""

import numpy as np
from toolbox.base import found_by
from toolbox.grids import SPHERE, GridPoints

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Ruin and recreate, from the best set so far without some of its points."""
    x = t.greedy(symmetry=0)
    x = t.inherit(x)
    while True:
        y = t.drop(x, share=0.3)
        y = t.recreate(y, rounds=300, ruin=4, symmetry=0)
        x = t.accept(x, y, temperature=0.0)
        y = t.recreate(x, rounds=600, ruin=2, symmetry=0)
        x = t.accept(x, y, temperature=0.0)
        y = t.greedy(symmetry=0)
        y = t.recreate(y, rounds=600, ruin=2, symmetry=0)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    grid = GridPoints(n, SPHERE, work=WORK, seed=seed, warm=None if best is None else chosen(best, n))
    return grid.cells[found_by(strategy, grid) == 1].tolist()


def chosen(points, n):
    """The toolbox's object: which cells are taken."""
    cells = np.zeros(n**3, np.int8)
    cells[np.array(points) @ [n * n, n, 1]] = 1
    return cells
