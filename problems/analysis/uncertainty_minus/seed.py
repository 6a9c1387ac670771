"""Double roots of a function that is minus its own Fourier transform."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(d, n):
    """Three roots, evenly spaced."""
    return 2.0 * np.pi * (4.1 + 2.1 * np.arange(3))


# EVOLVE-BLOCK-END
