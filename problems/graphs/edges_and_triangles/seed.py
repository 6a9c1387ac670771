"""Weights of multipartite graphs: some equal parts."""

# EVOLVE-BLOCK-START


def construct(n):
    """Equal parts, in growing number."""
    return [[1.0] * k for k in range(2, 21)]


# EVOLVE-BLOCK-END
