"""A lattice packing: whole numbers with an even sum."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(d):
    """The lattice D, times two."""
    basis = 2 * np.eye(d, dtype=int)
    for row in range(1, d):
        basis[row, row - 1] = -2
    basis[0, 0] = 4
    return basis


# EVOLVE-BLOCK-END
