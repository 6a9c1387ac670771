"""A function with a large quotient of integrals: a tent."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """A tent of 41 values."""
    k = np.arange(41)
    return 21.0 - np.abs(k - 20.0)


# EVOLVE-BLOCK-END
