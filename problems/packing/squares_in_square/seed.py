"""Squares in the unit square: a grid."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """Cells of the smallest grid that has enough."""
    side = int(np.ceil(np.sqrt(n)))
    k = np.arange(n)
    return np.column_stack(
        [(k % side + 0.5) / side, (k // side + 0.5) / side, np.full(n, 1 / side), k * 0 + 1.0, k * 0.0]
    )


# EVOLVE-BLOCK-END
