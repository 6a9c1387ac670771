"""Double roots of a sum of Laguerre polynomials."""

# EVOLVE-BLOCK-START


def construct(n):
    """Roots that grow like squares."""
    return [3.6 + 2.0 * k + 1.5 * k * k for k in range(n)]


# EVOLVE-BLOCK-END
