"""A Nikodym set over a finite field: the space without a hyperplane."""

from itertools import product

# EVOLVE-BLOCK-START


def construct(p, d):
    """All points whose first coordinate is not zero, and one line of the others."""
    return [list(x) for x in product(range(p), repeat=d) if x[0] or not any(x[2:])]


# EVOLVE-BLOCK-END
