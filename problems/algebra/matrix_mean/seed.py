"""Matrices whose products are nearly as large with repetition as without."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, m, d, norm):
    """The unit matrix with one entry changed, another one in each."""
    return [(np.eye(d) + 0.2 * np.eye(d)[[k % d]].T @ np.eye(d)[[k % d]]).tolist() for k in range(n)]


# EVOLVE-BLOCK-END
