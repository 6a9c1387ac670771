"""Coefficients of Hermite polynomials."""

# EVOLVE-BLOCK-START


def construct(n):
    """Falling coefficients of one sign."""
    return [0.3 * 0.01**k for k in range(n)]


# EVOLVE-BLOCK-END
