"""Numbers whose products never precede a squarefree number: those that fit to 7."""

# EVOLVE-BLOCK-START


def construct(n):
    """The multiples of 25, plus 7, up to half of the range."""
    return list(range(7, n // 2, 25))


# EVOLVE-BLOCK-END
