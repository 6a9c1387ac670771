"""A polynomial with signs: a quadratic phase, rounded."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, divisor):
    """The signs of a chirp."""
    k = np.arange(n)
    return np.where(np.cos(np.pi * k * k / n) >= 0, 1, -1)


# EVOLVE-BLOCK-END
