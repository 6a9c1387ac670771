"""Step graphons for Sidorenko's conjecture: how rare K5,5 without a cycle of ten edges can be.

A graphon is a symmetric matrix with entries from 0 to 1; its steps are equally wide.
"""

from itertools import product
from typing import Annotated

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step

Graphon = npt.NDArray[np.float64]
LEAST = 1e-3
DENSITY_WORK = 0.1
_NEIGHBOURS = [[i, (i + 1) % 5, (i + 2) % 5] for i in range(5)]
"""The left vertices that each right one is joined to: all but two that are next to each other on the cycle."""


class Sidorenko(Toolbox[Graphon]):
    """Graphons of `n` steps; the value is log t(H, W) / log t(K2, W)."""

    def __init__(self, n: int, *, work: float, seed: int, warm: Graphon | None = None) -> None:
        super().__init__(self.quotient, work=work, seed=seed, warm=warm)
        self.n = n
        self._left = np.array(list(product(range(n), repeat=5)))

    def quotient(self, thing: Graphon) -> float:
        """The quotient of the logarithms; minus infinity where it is not defined."""
        density = float(thing.mean())
        if not (0.0 < density < 1.0 and thing.min() >= 0.0):
            return -np.inf
        copies = np.ones(len(self._left))
        for joined in _NEIGHBOURS:
            a, b, c = (thing[self._left[:, i]] for i in joined)
            copies *= (a * b * c).mean(1)
        return float(np.log(copies.mean()) / np.log(density)) if copies.any() else -np.inf

    @step(START)
    def constant(self, *, density: Annotated[float, Real(0.05, 0.95, 0.5)] = 0.5) -> Graphon:
        """The same everywhere."""
        self.spend(DENSITY_WORK)
        graphon = np.full((self.n, self.n), density)
        self.show(graphon)
        return graphon

    @step(START)
    def random(self) -> Graphon:
        """Entries with equal chance."""
        self.spend(SMALL_WORK)
        return _symmetric(self.rng.uniform(LEAST, 1.0 - LEAST, (self.n, self.n)))

    @step(MOVE)
    def jitter(self, graphon: Graphon, *, size: Annotated[float, Real(1e-4, 0.5, 0.05)] = 0.05) -> Graphon:
        """Every entry, moved by a normal deviate."""
        self.spend(SMALL_WORK)
        return _symmetric(graphon + size * self.rng.normal(size=graphon.shape))

    @step(MOVE)
    def flatten(self, graphon: Graphon, *, share: Annotated[float, Real(0.01, 1.0, 0.5)] = 0.5) -> Graphon:
        """So much nearer to the constant of the same density."""
        self.spend(SMALL_WORK)
        return (1.0 - share) * graphon + share * float(graphon.mean())

    @step(SOLVE)
    def climb(
        self,
        graphon: Graphon,
        *,
        rounds: Annotated[int, Whole(1, 200, 20)] = 20,
        size: Annotated[float, Real(1e-4, 0.5, 0.1)] = 0.1,
    ) -> Graphon:
        """One entry after the other a step up or down where that gains; steps are halved where none does."""
        kept, worth = graphon.copy(), self.show(graphon)
        for _ in range(rounds):
            before = worth
            for i, j in zip(*np.triu_indices(self.n), strict=True):
                for change in (size, -size):
                    self.spend(DENSITY_WORK)
                    new = kept.copy()
                    new[i, j] = new[j, i] = min(max(kept[i, j] + change, LEAST), 1.0 - LEAST)
                    after = self.show(new)
                    if after > worth:
                        kept, worth = new, after
            size = size if worth > before else size / 2
        return kept


def _symmetric(matrix: Graphon) -> Graphon:
    upper = np.triu(matrix)
    return np.clip(upper + np.triu(matrix, 1).T, LEAST, 1.0 - LEAST)
