"""Residues without square differences: the first that fit, modulo 65."""

# EVOLVE-BLOCK-START


def construct(n):
    """Add residues one by one while no difference is a square."""
    m = 65
    squares = {x * x % m for x in range(m)}
    residues = []
    for r in range(m):
        if all((r - s) % m not in squares and (s - r) % m not in squares for s in residues):
            residues.append(r)
    return {"m": m, "residues": residues}


# EVOLVE-BLOCK-END
