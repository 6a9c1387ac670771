"""Points of a grid in space, no five on a sphere or a plane: those that fit, one after the other."""

from itertools import combinations

import numpy as np

N_MOST = 12

# EVOLVE-BLOCK-START


def construct(n):
    """Try points in a random order, and keep each that fits until there are N_MOST."""
    order = np.random.default_rng(1).permutation(n**3)
    kept = []
    for place in order:
        point = (int(place) // (n * n), int(place) // n % n, int(place) % n)
        if fits(point, kept):
            kept.append(point)
        if len(kept) == N_MOST:
            break
    return [list(point) for point in kept]


def fits(point, kept):
    """Whether the point is on no sphere or plane through four of those that were kept."""
    if len(kept) < 4:
        return True
    moved = np.array(kept) - np.array(point)
    lifted = np.column_stack([moved, (moved * moved).sum(1)])
    fours = np.array(list(combinations(range(len(kept)), 4)))
    return bool((np.abs(np.linalg.det(lifted[fours])) > 0.5).all())


# EVOLVE-BLOCK-END
