"""Points whose least measure is large, a distance or an area: solvers."""

import math
from typing import Annotated, Protocol

import numpy as np
from scipy.optimize import minimize

from sandbox.toolbox.base import SOLVE, Real, Whole, step
from sandbox.toolbox.linear import FloatArray, least_raised
from sandbox.toolbox.points import Points, Region

SHRINK = 0.3
GROW = 1.5
SMALLEST_TRUST = 1e-15
LARGEST_TRUST = 0.5
ROUND_WORK = 0.01
BALANCE_WORK = 0.1
ENTRIES_PER_WORK = 150_000
"""Of the slopes: what a linear program costs, measured from 11 to 90 points."""
Bounds = tuple[float | None, float | None]


class Measures(Protocol):
    """The numbers whose least counts, as functions of points, shape (n, d)."""

    bounds: Bounds
    """What `soften` keeps coordinates between."""

    def values(self, points: FloatArray) -> FloatArray:
        """The positive numbers whose least counts, shape (m,)."""

    def slopes(self, points: FloatArray) -> FloatArray:
        """Their derivatives by the flattened points, shape (m, n * d)."""

    def gradient(self, points: FloatArray, weights: FloatArray) -> FloatArray:
        """The derivative of `weights @ values` at any points, also outside the region; shape (n * d,)."""

    def walls(self, points: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        """What keeps a move inside the region, to first order: a matrix and limits, `matrix @ move <= limits`."""


class MaxMin(Points):
    """`n` points of a region whose least measure is their value."""

    def __init__(
        self,
        n: int,
        region: Region,
        measures: Measures,
        *,
        work: float,
        seed: int,
        warm: FloatArray | None = None,
    ) -> None:
        super().__init__(n, region, self.least, work=work, seed=seed, warm=warm)
        self.measures = measures

    def least(self, points: FloatArray) -> float:
        """The least measure."""
        found = float(self.measures.values(points).min())
        return found if math.isfinite(found) else -math.inf

    @step(SOLVE)
    def ascend(
        self,
        points: FloatArray,
        *,
        rounds: Annotated[int, Whole(1, 100, 20)] = 20,
        trust: Annotated[float, Real(1e-4, 0.5, 0.1)] = 0.1,
        gain: Annotated[float, Real(1e-16, 1e-2, 1e-6)] = 1e-6,
    ) -> FloatArray:
        """Sequential linear programs: the best move within a trust region, while a round gains so much (relative)."""
        value = self.show(points)
        for _ in range(rounds):
            slopes = self.measures.slopes(points)
            self.spend(ROUND_WORK + slopes.size / ENTRIES_PER_WORK)
            found = least_raised(self.measures.values(points), slopes, self.measures.walls(points), trust)
            if found is None:
                trust *= SHRINK
                continue
            move, promised = found
            moved = self.region.inside(points + move.reshape(points.shape))
            after = self.show(moved)
            if after > value:
                small = after - value < gain * abs(value)
                if after - value > 0.5 * (promised - value):
                    trust = min(GROW * trust, LARGEST_TRUST)
                points, value = moved, after
                if small:
                    break
            else:
                trust *= SHRINK
                if trust < SMALLEST_TRUST:
                    break
        return points

    @step(SOLVE)
    def soften(
        self,
        points: FloatArray,
        *,
        sharpness: Annotated[float, Real(3.0, 3000.0, 50.0)] = 50.0,
        rounds: Annotated[int, Whole(5, 200, 40)] = 40,
    ) -> FloatArray:
        """L-BFGS on a soft minimum of the measures, relative to their least; `sharpness` is its inverse temperature."""
        self.spend(0.02 * rounds)
        scale = max(self.value(points), 1e-9)

        def loss(flat: FloatArray) -> tuple[float, FloatArray]:
            here = flat.reshape(points.shape)
            values = self.measures.values(here) / scale
            least = values.min()
            weights = np.exp(-sharpness * (values - least))
            total = weights.sum()
            slope = self.measures.gradient(here, weights / total) / scale
            return -(least - math.log(total) / sharpness), -slope

        options = {"maxiter": rounds}
        bounds = [self.measures.bounds] * points.size
        found = minimize(loss, points.ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        moved = self.region.inside(np.asarray(found.x, np.float64).reshape(points.shape))
        if not np.isfinite(moved).all():
            return points
        self.show(moved)
        return moved

    @step(SOLVE)
    def balance(
        self,
        points: FloatArray,
        *,
        rounds: Annotated[int, Whole(1, 20, 6)] = 6,
        slack: Annotated[float, Real(1e-12, 1e-2, 1e-6)] = 1e-6,
    ) -> FloatArray:
        """Newton steps that make all measures within `slack` (relative) of the least equal, while the least grows."""
        value = self.show(points)
        for _ in range(rounds):
            self.spend(BALANCE_WORK)
            values = self.measures.values(points)
            near = np.flatnonzero(values <= value * (1.0 + slack))
            slopes = self.measures.slopes(points)[near]
            system = np.column_stack([slopes, -np.ones(len(near))])
            step_taken = np.linalg.lstsq(system, value - values[near], rcond=1e-12)[0][:-1]
            moved = self.region.inside(points + step_taken.reshape(points.shape))
            after = self.show(moved)
            if not after > value:
                break
            points, value = moved, after
        return points
