"""Coefficients 1 and -1: a chirp."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, divisor):
    """Signs of a cosine that turns faster and faster."""
    return [1 if turn >= 0 else -1 for turn in np.cos(np.pi * np.arange(n) ** 2 / n)]


# EVOLVE-BLOCK-END
