"""A polyhedron in the ball: a Fibonacci lattice."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """A spiral from pole to pole."""
    k = np.arange(n) + 0.5
    z = 1.0 - 2.0 * k / n
    width = np.sqrt(1.0 - z * z)
    return np.column_stack([width * np.cos(2.399963 * k), width * np.sin(2.399963 * k), z])


# EVOLVE-BLOCK-END
