"""A set with more sums than differences."""

# EVOLVE-BLOCK-START


def construct(n, span):
    """Conway's set, stretched by whole blocks."""
    return [0, 2, 3, 4, 7, 11, 12, 14]


# EVOLVE-BLOCK-END
