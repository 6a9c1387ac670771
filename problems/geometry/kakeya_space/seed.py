"""Offsets of slanted prisms: all cross halfway up."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """Each prism is moved back by half of its way."""
    i, j = np.divmod(np.arange(n * n), n)
    return np.column_stack([-0.5 * i / n, -0.5 * j / n])


# EVOLVE-BLOCK-END
