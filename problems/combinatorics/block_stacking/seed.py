"""A stack of blocks: a staircase."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """Each block lies a little farther out than the one below."""
    step = 0.5 / n
    return step * (n - 1 - np.arange(n)) - 0.5 * step * (n - 1)


# EVOLVE-BLOCK-END
