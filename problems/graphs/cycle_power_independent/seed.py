"""Words that cannot be confused: those with even letters."""

from itertools import product

# EVOLVE-BLOCK-START


def construct(n, d):
    """All words over 0, 2, 4, ... without the last letter, which is next to the first."""
    return [list(word) for word in product(range(0, n - 1, 2), repeat=d)]


# EVOLVE-BLOCK-END
