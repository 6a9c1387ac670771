"""The way of a corridor's corner around a sofa: a half circle."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, turns):
    """A half circle with a radius that is too small."""
    angle = 4.0 * np.arctan(np.arange(n + 1) / n)
    radius = 0.5 if turns == "one" else 0.25
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


# EVOLVE-BLOCK-END
