"""Pairs that load a ring: alternately large and small."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(m, cuts):
    """Each pair adds up to 1."""
    u = 0.5 + 0.2 * np.cos(2.0 * np.arange(m))
    return np.column_stack([u, 1.0 - u])


# EVOLVE-BLOCK-END
