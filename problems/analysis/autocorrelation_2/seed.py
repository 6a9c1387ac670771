"""A step function with a flat autoconvolution: high steps at both ends."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """A low middle between two high ends."""
    heights = np.ones(n)
    heights[: max(n // 10, 1)] = 3.0
    return heights


# EVOLVE-BLOCK-END
