"""A spherical harmonic: the zonal one."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(degree):
    """One coefficient."""
    return np.eye(2 * degree + 1)[0]


# EVOLVE-BLOCK-END
