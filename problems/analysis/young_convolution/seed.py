"""Step functions with a large convolution: two blocks."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """A block and a shorter block."""
    return {"f": np.ones(20), "g": np.ones(10)}


# EVOLVE-BLOCK-END
