"""Elements of a field with few sums and products: an arithmetic progression."""

# EVOLVE-BLOCK-START


def construct(p, n):
    """1 to n."""
    return list(range(1, n + 1))


# EVOLVE-BLOCK-END
