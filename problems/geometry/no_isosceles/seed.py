"""Points of a grid without isosceles triangles: those that fit, one after the other."""

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
    """Whether the point makes no isosceles triangle with two of those that were kept."""
    x, y = point
    here = [(x - u) ** 2 + (y - v) ** 2 for u, v in kept]
    if len(set(here)) < len(here):
        return False
    for (u, v), far in zip(kept, here, strict=True):
        if any((u - s) ** 2 + (v - t) ** 2 == far for s, t in kept if (s, t) != (u, v)):
            return False
    return True


# EVOLVE-BLOCK-END
