"""A step function with a large Fourier transform: a tent."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, k):
    """A tent of 21 steps."""
    return 11.0 - np.abs(np.arange(21) - 10.0)


# EVOLVE-BLOCK-END
