"""Thin triangles in a small area: all through one line."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, shape):
    """They meet at half of the height."""
    return -0.5 * np.arange(n) / n


# EVOLVE-BLOCK-END
