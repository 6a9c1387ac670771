"""Points of a grid without three in line: a strategy over steps of the toolbox `grid_points`."""

import numpy as np
from toolbox.base import found_by
from toolbox.grids import LINE, GridPoints

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Ruin and recreate with symmetric sets: half turns, then quarter turns, then none."""
    x = t.greedy(symmetry=1)
    x = t.inherit(x)
    while True:
        y = t.greedy(symmetry=3)
        for _ in range(8):
            z = t.recreate(y, rounds=300, ruin=2, symmetry=3)
            y = t.accept(y, z, temperature=0.0)
        x = t.better(x, y)
        y = t.greedy(symmetry=1)
        for _ in range(8):
            z = t.recreate(y, rounds=300, ruin=2, symmetry=1)
            y = t.accept(y, z, temperature=0.0)
        x = t.better(x, y)
        y = t.recreate(x, rounds=300, ruin=2, symmetry=0)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    grid = GridPoints(n, LINE, work=WORK, seed=seed, warm=None if best is None else chosen(best, n))
    return grid.cells[found_by(strategy, grid) == 1].tolist()


def chosen(points, n):
    """The toolbox's object: which cells are taken."""
    cells = np.zeros(n * n, np.int8)
    cells[np.array(points) @ [n, 1]] = 1
    return cells
