"""Rectangles that leave the diagonal free."""

# EVOLVE-BLOCK-START


def construct(n):
    """In every row one to the left of the diagonal and one to the right."""
    left = [[k, 0, k + 1, k] for k in range(1, n)]
    return left + [[k, k + 1, k + 1, n] for k in range(n - 1)]


# EVOLVE-BLOCK-END
