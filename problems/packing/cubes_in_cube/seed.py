"""Unit cubes in a cube: a grid."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """Cells of the smallest cubic grid that has enough."""
    side = int(np.ceil(n ** (1 / 3) - 1e-9))
    k = np.arange(n)
    rows = np.zeros((n, 7))
    rows[:, 0], rows[:, 1], rows[:, 2] = k % side, k // side % side, k // side**2
    rows[:, 3] = 1.0
    return rows


# EVOLVE-BLOCK-END
