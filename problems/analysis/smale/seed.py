"""Coefficients of a polynomial with large quotients."""

# EVOLVE-BLOCK-START


def construct(n):
    """Falling coefficients."""
    return [[0.3**k, 0.1**k] for k in range(2, n + 1)]


# EVOLVE-BLOCK-END
