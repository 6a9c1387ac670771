"""A step function whose autoconvolution is low: high at one end."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, support):
    """Heights that fall as 1 / sqrt(x) does, with fewer steps than are allowed."""
    x = (np.arange(200) + 0.5) / 200
    return 1.0 / np.sqrt(x + 0.05)


# EVOLVE-BLOCK-END
