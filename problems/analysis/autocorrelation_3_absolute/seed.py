"""A signed step function whose autoconvolution is low."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, peak):
    """Heights that fall as 1 / sqrt(x) does, with a small dip."""
    x = (np.arange(n) + 0.5) / n
    return 1.0 / np.sqrt(x + 0.05) - 0.2 * np.exp(-400.0 * (x - 0.8) ** 2)


# EVOLVE-BLOCK-END
