"""Step functions whose levels, whatever these are, are to be flat: starts, moves, linear programs."""

import math
from typing import Annotated, Protocol

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.linear import FloatArray, highest

SHRINK = 0.4
GROW = 1.3
SMALLEST_TRUST = 1e-10
ROUND_WORK = 0.03
WIDE = 170.0
"""As many steps make a linear program of ten milliseconds; measured from 100 to 600 steps."""


class Levels(Protocol):
    """The numbers whose largest is to be small, as functions of heights, shape (k,)."""

    low: float
    """What heights may not fall below."""
    high: float
    """Nor exceed."""

    def levels(self, heights: FloatArray) -> FloatArray:
        """The numbers whose largest counts."""

    def slopes(self, heights: FloatArray, which: npt.NDArray[np.intp]) -> FloatArray:
        """The derivatives of some levels, the sum of the heights being kept; shape (len(which), k)."""

    def normal(self, heights: FloatArray) -> FloatArray:
        """The heights with the sum that the problem wants."""


class Flattened(Toolbox[FloatArray]):
    """Heights of equal steps, shape (k,) with k up to `n_most`; the largest of their levels is to be small."""

    def __init__(self, n_most: int, family: Levels, *, work: float, seed: int, warm: FloatArray | None = None) -> None:
        super().__init__(self.flatness, work=work, seed=seed, warm=warm)
        self.n_most, self.family = n_most, family

    def flatness(self, heights: FloatArray) -> float:
        """Minus the largest level."""
        worst = float(self.family.levels(heights).max())
        return -worst if math.isfinite(worst) else -math.inf

    @step(START)
    def random(self, *, steps: Annotated[int, Whole(8, 400, 50)] = 50) -> FloatArray:
        """Independent heights."""
        self.spend(SMALL_WORK)
        return self.family.normal(self.rng.random(min(steps, self.n_most)) + 0.1)

    @step(START)
    def waves(
        self,
        *,
        steps: Annotated[int, Whole(8, 400, 50)] = 50,
        count: Annotated[int, Whole(1, 12, 3)] = 3,
    ) -> FloatArray:
        """A constant and so many waves of random amplitude."""
        self.spend(SMALL_WORK)
        at = (np.arange(min(steps, self.n_most)) + 0.5) / min(steps, self.n_most)
        wave = np.ones_like(at)
        for frequency in range(1, count + 1):
            wave += self.rng.normal(0.0, 0.7) * np.cos(math.pi * frequency * at + self.rng.uniform(0.0, math.tau))
        return self.family.normal(wave)

    @step(MOVE)
    def jitter(self, heights: FloatArray, *, size: Annotated[float, Real(1e-3, 1.0, 0.1)] = 0.1) -> FloatArray:
        """Each height times a random factor near 1."""
        self.spend(SMALL_WORK)
        return self.family.normal(heights * np.exp(self.rng.normal(0.0, size, heights.shape)))

    @step(MOVE)
    def redraw(self, heights: FloatArray, *, share: Annotated[float, Real(0.01, 0.5, 0.1)] = 0.1) -> FloatArray:
        """A run of neighbouring heights, drawn anew."""
        self.spend(SMALL_WORK)
        k = len(heights)
        length = max(1, round(share * k))
        start = int(self.rng.integers(0, k))
        moved = heights.copy()
        places = np.arange(start, start + length) % k
        moved[places] = self.rng.random(length) * heights.max()
        return self.family.normal(moved)

    @step(MOVE)
    def mirror(self, heights: FloatArray) -> FloatArray:
        """The mean of the function and its mirror image, which is symmetric."""
        self.spend(SMALL_WORK)
        return self.family.normal(0.5 * (heights + heights[::-1]))

    @step(MOVE)
    def refine(self, heights: FloatArray, *, factor: Annotated[int, Whole(2, 4, 2)] = 2) -> FloatArray:
        """Each step, cut into so many; as it is where that is more than the problem allows."""
        self.spend(SMALL_WORK)
        return heights.copy() if factor * len(heights) > self.n_most else np.repeat(heights, factor)

    @step(MOVE)
    def resample(self, heights: FloatArray, *, steps: Annotated[int, Whole(8, 1200, 100)] = 100) -> FloatArray:
        """The function with another number of steps, by linear interpolation."""
        self.spend(SMALL_WORK)
        old, new = len(heights), min(steps, self.n_most)
        return self.family.normal(np.interp((np.arange(new) + 0.5) / new, (np.arange(old) + 0.5) / old, heights))

    @step(SOLVE)
    def flatten(
        self,
        heights: FloatArray,
        *,
        rounds: Annotated[int, Whole(1, 60, 15)] = 15,
        trust: Annotated[float, Real(1e-3, 0.5, 0.05)] = 0.05,
        band: Annotated[float, Real(0.005, 0.3, 0.03)] = 0.03,
    ) -> FloatArray:
        """Sequential linear programs over levels within `band` (relative) of the largest, moves of at most `trust`."""
        value = self.show(heights)
        for _ in range(rounds):
            self.spend(ROUND_WORK + (len(heights) / WIDE) ** 2.5)
            moved = self._flatter(heights, trust, band)
            after = -math.inf if moved is None else self.show(moved)
            if moved is not None and after > value:
                small = after - value < 1e-10
                heights, value, trust = moved, after, GROW * trust
                if small:
                    break
            else:
                trust *= SHRINK
                if trust < SMALLEST_TRUST:
                    break
        return heights

    def _flatter(self, heights: FloatArray, trust: float, band: float) -> FloatArray | None:
        levels = self.family.levels(heights)
        top = levels.max()
        which = np.flatnonzero(levels > top - band * abs(top))
        k = len(heights)
        slopes = self.family.slopes(heights, which)
        # Moves in units of the trust region, and levels in units of what such a move can change.
        scale = max(trust * float(np.abs(slopes).sum(axis=1).max()), 1e-300)
        even = np.concatenate([np.ones(k), [0.0]])
        matrix = np.vstack([np.column_stack([slopes * (trust / scale), -np.ones(len(which))]), even, -even])
        limits = np.concatenate([(top - levels[which]) / scale, [0.0, 0.0]])
        gains = np.concatenate([np.zeros(k), [-1.0]])
        low = np.concatenate([np.maximum(-1.0, (self.family.low - heights) / trust), [-1.0]])
        high = np.concatenate([np.minimum(1.0, (self.family.high - heights) / trust), [0.0]])
        found = highest(gains, matrix, limits, np.minimum(low, 0.0), np.maximum(high, 0.0))
        return None if found is None else self.family.normal(heights + trust * found[:-1])
