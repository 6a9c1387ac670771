"""Points of a grid without three in line: those that fit, one after the other."""

from itertools import combinations

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """Try all points in a random order and keep each that fits to those before it."""
    order = np.random.default_rng(1).permutation(n * n)
    kept = []
    for place in order:
        point = divmod(int(place), n)
        if fits(point, kept):
            kept.append(point)
    return [list(point) for point in kept]


def fits(point, kept):
    """Whether the point is on no line through two of those that were kept."""
    x, y = point
    pairs = combinations(kept, 2)
    return all((x - u) * (t - v) != (y - v) * (s - u) for (u, v), (s, t) in pairs)


# EVOLVE-BLOCK-END
