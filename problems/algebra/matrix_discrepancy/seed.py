"""A matrix of signs: random."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """Signs that are drawn."""
    return np.where(np.random.default_rng(1).random((n, n)) < 0.5, 1, -1)


# EVOLVE-BLOCK-END
