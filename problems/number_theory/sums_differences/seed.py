"""A set with many differences and few sums: points of a simplex, read as digits."""

from itertools import combinations

# EVOLVE-BLOCK-START


def construct(n):
    """Points of a discrete simplex with few coordinates, as numbers in a base without carries."""
    dimension, height = 6, 4
    base = 2 * height + 1
    numbers = []
    for bars in combinations(range(height + dimension), dimension):
        digits = [b - a - 1 for a, b in zip((-1, *bars), bars, strict=False)]
        numbers.append(sum(digit * base**place for place, digit in enumerate(digits)))
    return sorted(numbers)[:n]


# EVOLVE-BLOCK-END
