"""Step functions whose convolution with themselves, or with their complement, is as flat as possible."""

import math
from abc import ABC, abstractmethod
from typing import Annotated

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.signal import fftconvolve
from scipy.sparse import csr_array

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.linear import FloatArray, highest

MANY = 200
SHRINK = 0.4
GROW = 1.3
SMALLEST_TRUST = 1e-10


class Flattened(Toolbox[FloatArray], ABC):
    """Heights of equal steps, shape (k,) with k up to `n_most`; the largest of their levels is to be small."""

    low, high = 0.0, math.inf

    def __init__(self, n_most: int, *, work: float, seed: int, warm: FloatArray | None = None) -> None:
        super().__init__(work=work, seed=seed, warm=warm)
        self.n_most = n_most

    @abstractmethod
    def levels(self, heights: FloatArray) -> FloatArray:
        """The numbers whose largest counts."""

    @abstractmethod
    def level_slopes(self, heights: FloatArray, which: npt.NDArray[np.intp]) -> FloatArray:
        """The derivatives of some levels, the sum of the heights being kept; shape (len(which), k)."""

    def normal(self, heights: FloatArray) -> FloatArray:
        """The heights with the sum that the problem wants."""
        kept = np.maximum(heights, self.low)
        mean = kept.mean()
        return np.asarray(kept / mean if abs(mean) > 1e-9 else np.ones_like(kept), np.float64)

    def value(self, thing: FloatArray) -> float:
        """Minus the largest level."""
        worst = float(self.levels(thing).max())
        return -worst if math.isfinite(worst) else -math.inf

    @step(START)
    def random(self, *, steps: Annotated[int, Whole(8, 400, 50)] = 50) -> FloatArray:
        """Independent heights."""
        self.spend(SMALL_WORK)
        return self.normal(self.rng.random(min(steps, self.n_most)) + 0.1)

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
        return self.normal(wave)

    @step(MOVE)
    def jitter(self, heights: FloatArray, *, size: Annotated[float, Real(1e-3, 1.0, 0.1)] = 0.1) -> FloatArray:
        """Each height times a random factor near 1."""
        self.spend(SMALL_WORK)
        return self.normal(heights * np.exp(self.rng.normal(0.0, size, heights.shape)))

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
        return self.normal(moved)

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
        return self.normal(np.interp((np.arange(new) + 0.5) / new, (np.arange(old) + 0.5) / old, heights))

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
            self.spend(max(0.5, (len(heights) / 60.0) ** 2))
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
        levels = self.levels(heights)
        top = levels.max()
        which = np.flatnonzero(levels > top - band * abs(top))
        k = len(heights)
        even = np.concatenate([np.ones(k), [0.0]])
        matrix = np.vstack([np.column_stack([self.level_slopes(heights, which), -np.ones(len(which))]), even, -even])
        limits = np.concatenate([-levels[which], [0.0, 0.0]])
        gains = np.concatenate([np.zeros(k), [-1.0]])
        low = np.concatenate([np.maximum(-trust, self.low - heights), [-np.inf]])
        high = np.concatenate([np.minimum(trust, self.high - heights), [np.inf]])
        found = highest(gains, csr_array(matrix), limits, np.minimum(low, 0.0), np.maximum(high, 0.0))
        return None if found is None else self.normal(heights + found[:-1])


class Autoconvolution(Flattened):
    """f on an interval of length 1/2: the largest value of f*f over the square of f's integral (first inequality).

    With `signed`, f may be negative (third inequality, where the largest value counts, not the largest size).
    """

    def __init__(
        self, n_most: int, *, signed: bool = False, work: float, seed: int, warm: FloatArray | None = None
    ) -> None:
        super().__init__(n_most, work=work, seed=seed, warm=warm)
        self.low = -math.inf if signed else 0.0

    def levels(self, heights: FloatArray) -> FloatArray:
        """f*f at the nodes, for heights of mean 1."""
        return np.asarray(2.0 / len(heights) * convolved(heights, heights), np.float64)

    def level_slopes(self, heights: FloatArray, which: npt.NDArray[np.intp]) -> FloatArray:
        """Twice the heights, mirrored and shifted."""
        return 4.0 / len(heights) * shifted(heights[::-1], which)

    @step(SOLVE)
    def soften(
        self,
        heights: FloatArray,
        *,
        sharpness: Annotated[float, Real(20.0, 50000.0, 500.0)] = 500.0,
        rounds: Annotated[int, Whole(10, 400, 100)] = 100,
    ) -> FloatArray:
        """L-BFGS on a soft maximum of the levels, relative to the largest; `sharpness` is its inverse temperature."""
        k = len(heights)
        self.spend(0.03 * rounds * max(1.0, k / MANY))

        def loss(free: FloatArray) -> tuple[float, FloatArray]:
            mean = free.mean()
            if not abs(mean) > 1e-9:
                return 1e9, np.zeros(k)
            scaled = free / mean
            levels = self.levels(scaled)
            top = levels.max()
            weights = np.exp(sharpness * (levels / top - 1.0))
            total = weights.sum()
            pull = 4.0 / k * convolved(weights / total, scaled[::-1])[k - 1 : 2 * k - 1]
            return top * (1.0 + math.log(total) / sharpness), (pull - pull @ scaled / k) / mean

        bound = (None if math.isinf(self.low) else self.low, None)
        found = minimize(loss, heights, jac=True, method="L-BFGS-B", bounds=[bound] * k, options={"maxiter": rounds})
        moved = self.normal(np.asarray(found.x, np.float64))
        if not np.isfinite(moved).all():
            return heights
        self.show(moved)
        return moved


class Overlap(Flattened):
    """Erdos' minimum overlap: h from 0 to 1 on an interval of length 2 with integral 1, against its complement."""

    high = 1.0

    def levels(self, heights: FloatArray) -> FloatArray:
        """The overlap with 1 - h at all shifts by whole steps."""
        return np.asarray(2.0 / len(heights) * convolved(heights, 1.0 - heights[::-1]), np.float64)

    def level_slopes(self, heights: FloatArray, which: npt.NDArray[np.intp]) -> FloatArray:
        """The complement seen from each step, minus the heights that its own complement meets."""
        k = len(heights)
        return 2.0 / k * (shifted(1.0 - heights, which) - shifted(heights, 2 * (k - 1) - which))

    def normal(self, heights: FloatArray) -> FloatArray:
        """Between 0 and 1 with mean 1/2, by a shift of all heights (bisection)."""
        low, high = -1.0 - float(heights.max()), 1.0 - float(heights.min())
        for _ in range(60):
            middle = 0.5 * (low + high)
            if np.clip(heights + middle, 0.0, 1.0).mean() < 0.5:
                low = middle
            else:
                high = middle
        return np.clip(heights + 0.5 * (low + high), 0.0, 1.0)


def convolved(one: FloatArray, other: FloatArray) -> FloatArray:
    """The full convolution; through the Fourier transform where there are many terms."""
    return np.asarray(np.convolve(one, other) if len(other) < MANY else fftconvolve(one, other), np.float64)


def shifted(row: FloatArray, which: npt.NDArray[np.intp]) -> FloatArray:
    """Rows of the matrix whose entry (t, i) is `row[k - 1 - t + i]`, zero outside: shape (len(which), k)."""
    k = len(row)
    padded = np.concatenate([np.zeros(k), row, np.zeros(k)])
    return np.asarray(padded[(2 * k - 1 - which)[:, None] + np.arange(k)], np.float64)
