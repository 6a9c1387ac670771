"""A matrix of signs with a large determinant: quadratic residues."""

# EVOLVE-BLOCK-START


def construct(n):
    """A circulant matrix: 1 where the difference is a square modulo n."""
    squares = {k * k % n for k in range(n)}
    return [[1 if (i - j) % n in squares else -1 for j in range(n)] for i in range(n)]


# EVOLVE-BLOCK-END
