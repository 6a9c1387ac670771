"""A Kakeya set over a finite field: a line in every direction, through a point that depends on it."""

from itertools import product

# EVOLVE-BLOCK-START


def construct(p, d):
    """For every direction v the line through the squares of its coordinates."""
    points = set()
    for v in product(range(p), repeat=d):
        if any(v) and next(x for x in v if x) == 1:
            points |= {tuple((x * x + t * x) % p for x in v) for t in range(p)}
    return [list(point) for point in sorted(points)]


# EVOLVE-BLOCK-END
