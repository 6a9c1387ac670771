"""A distribution that beats the average: powers of two."""

# EVOLVE-BLOCK-START


def construct(n):
    """Atoms 0, 1, 2, 4, ... with falling masses."""
    return [[0.0, 2.0]] + [[2.0**k, 0.8**k] for k in range(min(n - 1, 10))]


# EVOLVE-BLOCK-END
