"""Signs with small autocorrelations: a quadratic phase, rounded."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """The signs of a chirp."""
    k = np.arange(n)
    return np.where(np.cos(np.pi * k * k / n) >= 0, 1, -1)


# EVOLVE-BLOCK-END
