"""A kissing configuration: the roots of the lattice D."""

from itertools import combinations

# EVOLVE-BLOCK-START


def construct(d):
    """All vectors with two coordinates 1 or -1."""
    vectors = []
    for i, j in combinations(range(d), 2):
        for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            vector = [0] * d
            vector[i], vector[j] = a, b
            vectors.append(vector)
    return vectors


# EVOLVE-BLOCK-END
