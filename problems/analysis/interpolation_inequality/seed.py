"""A function with a large quotient of norms: a trapezoid."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, inequality):
    """Up, level and down again, 20 steps each."""
    return np.minimum(np.minimum(np.arange(1, 60), 20), 60 - np.arange(1, 60))


# EVOLVE-BLOCK-END
