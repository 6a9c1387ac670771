"""A matrix and a polynomial: a shift and a sum of its powers."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, cuts):
    """Ones beside the diagonal, and the powers up to n - 1."""
    matrix = np.zeros((n, n, 2))
    matrix[np.arange(n - 1), np.arange(1, n), 0] = 1.0
    polynomial = np.zeros((n, 2))
    polynomial[1:, 0] = 1.0
    return {"matrix": [list(row) for row in matrix.tolist()], "polynomial": polynomial}


# EVOLVE-BLOCK-END
