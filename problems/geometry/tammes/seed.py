"""Points of the sphere, spread evenly: a Fibonacci lattice."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n, d):
    """A spiral from pole to pole; coordinates beyond the third are small."""
    k = np.arange(n) + 0.5
    height = 1.0 - 2.0 * k / n
    turn = 2.399963229728653 * k
    points = np.zeros((n, d))
    width = np.sqrt(1.0 - height * height)
    points[:, 0] = width * np.cos(turn)
    points[:, 1] = width * np.sin(turn)
    points[:, 2:] = height[:, None] * 0.9 ** np.arange(max(d - 2, 0))
    return points


# EVOLVE-BLOCK-END
