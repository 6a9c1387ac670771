"""Zeros in the unit disk: some on the rim, some inside."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """Points of a smaller circle, and one on the rim."""
    angle = 2.0 * np.pi * np.arange(n) / n
    radius = np.where(np.arange(n) == 0, 1.0, 0.7)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


# EVOLVE-BLOCK-END
