"""A step graphon: nearly bipartite."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """Two kinds of vertices that prefer the other kind."""
    kind = np.arange(n) % 2
    return np.where(kind[:, None] == kind, 0.25, 0.75)


# EVOLVE-BLOCK-END
