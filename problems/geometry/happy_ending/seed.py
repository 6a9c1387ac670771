"""Points without a convex polygon of k corners: a random cloud, thinned."""

from itertools import combinations

import numpy as np

N_TRIES = 40

# EVOLVE-BLOCK-START


def construct(k):
    """Random points; each is kept unless it is on a line with two others or completes a convex polygon."""
    rng = np.random.default_rng(2)
    kept = []
    for _ in range(N_TRIES):
        point = tuple(int(value) for value in rng.integers(-100, 101, 2))
        if fits(point, kept, k):
            kept.append(point)
    return [list(point) for point in kept]


def turn(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def fits(point, kept, k):
    if any(turn(point, a, b) == 0 for a, b in combinations(kept, 2)):
        return False
    return not any(is_convex([point, *some]) for some in combinations(kept, k - 1))


def is_convex(points):
    return not any(inside(p, three) for p in points for three in combinations([q for q in points if q != p], 3))


def inside(p, three):
    a, b, c = three
    left = [turn(a, b, p) > 0, turn(b, c, p) > 0, turn(c, a, p) > 0]
    return all(left) or not any(left)


# EVOLVE-BLOCK-END
