"""A step function with an autocorrelation that is nowhere small: two lumps and what lies between."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, m):
    """A low block of length 2 with high ends."""
    heights = np.ones(2 * m)
    heights[: m // 4] = 2.0
    heights[-(m // 4) :] = 2.0
    return heights


# EVOLVE-BLOCK-END
