"""Weights for a lower bound of primes: the simplest."""

# EVOLVE-BLOCK-START


def construct(n):
    """Numbers up to 2 x that are not counted up to x, twice."""
    return [[1, 1.0], [2, -2.0]]


# EVOLVE-BLOCK-END
