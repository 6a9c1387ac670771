"""Points in a disk: an uneven polygon."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """Points of a circle at angles that are not quite even."""
    angle = 2.0 * np.pi * (np.arange(n) + 0.2 * np.sin(np.arange(n))) / n
    return 0.99 * np.column_stack([np.cos(angle), np.sin(angle)])


# EVOLVE-BLOCK-END
