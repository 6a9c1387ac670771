"""Step functions whose convolution with themselves, or with their complement, is as flat as possible."""

import math
from typing import Annotated

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.signal import fftconvolve

from sandbox.toolbox.base import SOLVE, Real, Whole, step
from sandbox.toolbox.flattened import Flattened
from sandbox.toolbox.linear import FloatArray

MANY = 700
WIDE = 250
ROUND_WORK = 0.007
LEAST_GAIN = 1e-12


class Autoconvolution(Flattened):
    """f on an interval of length 1/2: the largest value of f*f over the square of f's integral (first inequality).

    With `signed`, f may be negative (third inequality, where the largest value counts, not the largest size).
    """

    def __init__(
        self, n_most: int, *, signed: bool = False, work: float, seed: int, warm: FloatArray | None = None
    ) -> None:
        super().__init__(n_most, SelfConvolved(signed=signed), work=work, seed=seed, warm=warm)

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
        self.spend(ROUND_WORK * rounds * (1.0 + (min(k, MANY) / WIDE) ** 2))

        def loss(free: FloatArray) -> tuple[float, FloatArray]:
            mean = free.mean()
            if not abs(mean) > 1e-9:
                return 1e9, np.zeros(k)
            scaled = free / mean
            levels = self.family.levels(scaled)
            top = levels.max()
            weights = np.exp(sharpness * (levels / top - 1.0))
            total = weights.sum()
            pull = 4.0 / k * convolved(weights / total, scaled[::-1])[k - 1 : 2 * k - 1]
            return top * (1.0 + math.log(total) / sharpness), (pull - pull @ scaled / k) / mean

        bound = (None if math.isinf(self.family.low) else self.family.low, None)
        options = {"maxiter": rounds, "maxfun": 2 * rounds, "ftol": LEAST_GAIN, "gtol": 0.0}
        found = minimize(loss, heights, jac=True, method="L-BFGS-B", bounds=[bound] * k, options=options)
        moved = self.family.normal(np.asarray(found.x, np.float64))
        if not np.isfinite(moved).all():
            return heights
        self.show(moved)
        return moved


class Overlap(Flattened):
    """Erdos' minimum overlap: h from 0 to 1 on an interval of length 2 with integral 1, against its complement."""

    def __init__(self, n_most: int, *, work: float, seed: int, warm: FloatArray | None = None) -> None:
        super().__init__(n_most, Overlapping(), work=work, seed=seed, warm=warm)


class SelfConvolved:
    """f*f for f of mean 1."""

    high = math.inf

    def __init__(self, *, signed: bool) -> None:
        self.low = -math.inf if signed else 0.0

    def levels(self, heights: FloatArray) -> FloatArray:
        """f*f at the nodes, for heights of mean 1."""
        return np.asarray(2.0 / len(heights) * convolved(heights, heights), np.float64)

    def slopes(self, heights: FloatArray, which: npt.NDArray[np.intp]) -> FloatArray:
        """Twice the heights, mirrored and shifted."""
        return 4.0 / len(heights) * shifted(heights[::-1], which)

    def normal(self, heights: FloatArray) -> FloatArray:
        """At least `low`, with mean 1."""
        kept = np.maximum(heights, self.low)
        mean = kept.mean()
        return np.asarray(kept / mean if abs(mean) > 1e-9 else np.ones_like(kept), np.float64)


class Overlapping:
    """The overlap of h with its complement."""

    low, high = 0.0, 1.0

    def levels(self, heights: FloatArray) -> FloatArray:
        """The overlap with 1 - h at all shifts by whole steps."""
        return np.asarray(2.0 / len(heights) * convolved(heights, 1.0 - heights[::-1]), np.float64)

    def slopes(self, heights: FloatArray, which: npt.NDArray[np.intp]) -> FloatArray:
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
