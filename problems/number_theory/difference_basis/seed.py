"""A difference basis: some small numbers and multiples of a larger one."""

# EVOLVE-BLOCK-START


def construct(n):
    """0, 1, ..., k - 1 and then every k-th number."""
    k = 10
    return list(range(k)) + [k * j - 1 + k for j in range(1, k)]


# EVOLVE-BLOCK-END
