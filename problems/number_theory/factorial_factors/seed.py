"""Factors of a factorial: what divides it."""

# EVOLVE-BLOCK-START


def construct(n):
    """Small factors are paired with what is left of the largest numbers: none here."""
    return list(range(1, n + 1))


# EVOLVE-BLOCK-END
