"""A distribution with small projections and large differences."""

# EVOLVE-BLOCK-START


def construct(n, slopes):
    """Three points of equal mass."""
    return [[0, 1, 1.0], [1, 0, 1.0], [2, 2, 1.0]]


# EVOLVE-BLOCK-END
