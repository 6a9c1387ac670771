"""Zeros of a polynomial: an ellipse."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, tenths):
    """Points of a flat ellipse."""
    angle = 2.0 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), 0.3 * np.sin(angle)])


# EVOLVE-BLOCK-END
