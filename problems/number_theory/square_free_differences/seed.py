"""Residues without square differences: a strategy over steps of the toolbox `square_free_residues`."""

import numpy as np
from toolbox.base import found_by
from toolbox.residues import SquareFreeResidues

WORK = 200  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Swaps for one modulus after the other, mostly products of primes that leave 1 modulo 4."""
    x = t.product()
    x = t.swap(x, swaps=3000)
    x = t.inherit(x)
    while True:
        for _ in range(4):
            y = t.product()
            y = t.swap(y, swaps=3000)
            x = t.accept(x, y, temperature=0.0)
        y = t.modulus()
        y = t.swap(y, swaps=3000)
        x = t.accept(x, y, temperature=0.0)
        y = t.thin(x, count=3)
        y = t.swap(y, swaps=3000)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else np.array([best["m"], *best["residues"]], np.int64)
    found = found_by(strategy, SquareFreeResidues(n, work=WORK, seed=seed, warm=warm))
    return {"m": int(found[0]), "residues": found[1:].tolist()}
