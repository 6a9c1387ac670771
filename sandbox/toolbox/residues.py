"""Residues modulo a squarefree number of which no two differ by a square.

An object is a row of whole numbers, the modulus and then the residues.
"""

import math
from typing import Annotated

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Toolbox, Whole, step
from sandbox.toolbox.conflicts import ConflictFree, conflicts_of

Residues = npt.NDArray[np.int64]


class SquareFreeResidues(Toolbox[Residues]):
    """Sets of residues for a modulus of at most `n`; the value is (1 + log |A| / log m) / 2."""

    def __init__(self, n: int, *, work: float, seed: int, warm: Residues | None = None) -> None:
        super().__init__(exponent, work=work, seed=seed, warm=warm)
        squarefree = [m for m in range(2, n + 1) if all(m % (d * d) for d in range(2, math.isqrt(m) + 1))]
        # Modulo such primes -1 is a square, so that m residues have fewer pairs that differ by one.
        even = [m for m in squarefree if all(p % 4 == 1 for p in range(2, m + 1) if m % p == 0 and _is_prime(p))]
        self._moduli = np.array(squarefree), np.array(even or squarefree)

    @step(START)
    def modulus(self) -> Residues:
        """0 alone, modulo any squarefree number."""
        self.spend(SMALL_WORK)
        return np.array([self.rng.choice(self._moduli[0]), 0], np.int64)

    @step(START)
    def product(self) -> Residues:
        """0 alone, modulo a product of primes that leave 1 modulo 4."""
        self.spend(SMALL_WORK)
        return np.array([self.rng.choice(self._moduli[1]), 0], np.int64)

    @step(MOVE)
    def thin(self, found: Residues, *, count: Annotated[int, Whole(1, 20, 2)] = 2) -> Residues:
        """Without some residues; one stays."""
        self.spend(SMALL_WORK)
        kept = self.rng.permutation(found[1:])[: max(len(found) - 1 - count, 1)]
        return np.concatenate([found[:1], np.sort(kept)])

    @step(SOLVE)
    def swap(self, found: Residues, *, swaps: Annotated[int, Whole(100, 200000, 3000)] = 3000) -> Residues:
        """As many residues as swaps find for the same modulus, from these."""
        modulus = int(found[0])
        self.spend(0.1 + modulus * modulus / 200_000)
        inner = ConflictFree(square_conflicts(modulus), work=self.work_left, seed=int(self.rng.integers(1 << 62)))
        chosen = np.zeros(modulus, np.int8)
        chosen[found[1:]] = 1
        try:
            kept = inner.swap(chosen, swaps=swaps)
        finally:
            self.spend(min(self.work_left - inner.work_left, self.work_left))
        new = np.concatenate([found[:1], np.flatnonzero(kept)])
        self.show(new)
        return new


def exponent(found: Residues) -> float:
    """The value; the residues are taken to be right."""
    return 0.5 * (1.0 + math.log(len(found) - 1) / math.log(float(found[0])))


def square_conflicts(modulus: int) -> tuple[Residues, Residues]:
    """Residues that differ by a square, one way or the other."""
    is_square = np.zeros(modulus, bool)
    is_square[np.arange(modulus) ** 2 % modulus] = True
    gaps = (np.arange(modulus)[:, None] - np.arange(modulus)) % modulus
    table = is_square[gaps] | is_square[-gaps % modulus]
    np.fill_diagonal(table, val=False)
    return conflicts_of(table)


def _is_prime(p: int) -> bool:
    return p > 1 and all(p % d for d in range(2, math.isqrt(p) + 1))
