"""Signs of low discrepancy: a multiplicative sequence."""

# EVOLVE-BLOCK-START


def construct(d):
    """1 for remainder 1 of the part without threes, -1 for remainder 2."""
    signs = []
    for k in range(1, 600):
        part = k
        while part % 3 == 0:
            part //= 3
        signs.append(1 if part % 3 == 1 else -1)
    return signs


# EVOLVE-BLOCK-END
