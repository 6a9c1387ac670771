"""Zeros in the unit disk, and weights."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """Points of a smaller circle, and one on the rim that weighs most."""
    angle = 2.0 * np.pi * np.arange(n) / n
    radius = np.where(np.arange(n) == 0, 1.0, 0.7)
    zeros = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return {"zeros": zeros, "weights": [3.0] + [1.0] * (n - 1)}


# EVOLVE-BLOCK-END
