"""Zeros of a polynomial: a polygon with one corner pulled inwards."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, p):
    """Points of a circle, all but one a little inside of it."""
    angle = 2.0 * np.pi * np.arange(n) / n
    radius = np.where(np.arange(n) == 0, 1.0, 0.8)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


# EVOLVE-BLOCK-END
