"""Points that are far apart, or span large triangles: starts, moves and solvers for the largest least measure."""

import math
from abc import ABC, abstractmethod
from typing import Annotated

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_array

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.linear import FloatArray, least_raised

SHRINK = 0.3
GROW = 1.5
SMALLEST_TRUST = 1e-15
LARGEST_TRUST = 0.5
REPULSION_STEPS = 20


class Points(Toolbox[FloatArray], ABC):
    """`n` points of dimension `d` in a place; their value is the least of some measures, each with a derivative."""

    def __init__(self, n: int, d: int, *, work: float, seed: int, warm: FloatArray | None = None) -> None:
        super().__init__(work=work, seed=seed, warm=warm)
        self.n, self.d = n, d
        self.pairs = np.triu_indices(n, 1)

    @abstractmethod
    def anywhere(self, n: int) -> FloatArray:
        """So many random points of the place, shape (n, d)."""

    @abstractmethod
    def inside(self, points: FloatArray) -> FloatArray:
        """The points, brought back to the place."""

    @abstractmethod
    def measures(self, points: FloatArray) -> FloatArray:
        """The positive numbers whose least counts, shape (m,)."""

    @abstractmethod
    def slopes(self, points: FloatArray) -> csr_array:
        """Their derivatives by the flattened points, shape (m, n * d)."""

    def walls(self, points: FloatArray) -> tuple[csr_array, FloatArray] | None:
        """What keeps a move inside the place, to first order: a matrix and limits."""
        del points
        return None

    bounds: tuple[float | None, float | None] = (None, None)
    """What `soften` keeps coordinates between."""

    def gradient(self, points: FloatArray, weights: FloatArray) -> FloatArray:
        """The derivative of `weights @ measures` at any points, also outside the place; shape (n * d,)."""
        return np.asarray(self.slopes(points).T @ weights, np.float64)

    def value(self, thing: FloatArray) -> float:
        """The least measure."""
        least = float(self.measures(thing).min())
        return least if math.isfinite(least) else -math.inf

    @step(START)
    def random(self) -> FloatArray:
        """Independent points."""
        self.spend(SMALL_WORK)
        return self.inside(self.anywhere(self.n))

    @step(START)
    def scattered(self, *, tries: Annotated[int, Whole(2, 50, 10)] = 10) -> FloatArray:
        """One point after the other, each the farthest from the others of so many tries (Mitchell's best candidate)."""
        self.spend(0.1)
        points = self.anywhere(1)
        for _ in range(1, self.n):
            fresh = self.anywhere(tries)
            gaps = np.linalg.norm(fresh[:, None] - points, axis=2).min(1)
            points = np.vstack([points, fresh[gaps.argmax()]])
        return self.inside(points)

    @step(MOVE)
    def jitter(self, points: FloatArray, *, size: Annotated[float, Real(1e-4, 0.3, 0.03)] = 0.03) -> FloatArray:
        """All points, each moved a little."""
        self.spend(SMALL_WORK)
        return self.inside(points + self.rng.normal(0.0, size, points.shape))

    @step(MOVE)
    def relocate(self, points: FloatArray, *, count: Annotated[int, Whole(1, 8, 1)] = 1) -> FloatArray:
        """Some points, moved anywhere."""
        self.spend(SMALL_WORK)
        moved, count = points.copy(), min(count, self.n)
        moved[self.rng.choice(self.n, count, replace=False)] = self.anywhere(count)
        return self.inside(moved)

    @step(MOVE)
    def stir(
        self,
        points: FloatArray,
        *,
        count: Annotated[int, Whole(2, 12, 5)] = 5,
        size: Annotated[float, Real(1e-3, 0.5, 0.1)] = 0.1,
    ) -> FloatArray:
        """The neighbourhood of a random place: its nearest points, each moved."""
        self.spend(SMALL_WORK)
        centre = self.inside(self.anywhere(1))
        near = np.argsort(((points - centre) ** 2).sum(1))[:count]
        moved = points.copy()
        moved[near] += self.rng.normal(0.0, size, (len(near), self.d))
        return self.inside(moved)

    @step(SOLVE)
    def repel(
        self,
        points: FloatArray,
        *,
        rounds: Annotated[int, Whole(1, 20, 6)] = 6,
        size: Annotated[float, Real(0.01, 1.0, 0.3)] = 0.3,
    ) -> FloatArray:
        """Points that push each other away, each round with a force that falls off twice as fast as before."""
        first, second = self.pairs
        for power in range(1, rounds + 1):
            self.spend(0.2)
            for count in range(REPULSION_STEPS):
                apart = points[first] - points[second]
                gap = np.maximum(np.linalg.norm(apart, axis=1), 1e-12)
                push = apart * (((gap.min() / gap) ** (2.0 ** min(power, 7))) / gap**2)[:, None]
                force = np.zeros_like(points)
                np.add.at(force, first, push)
                np.add.at(force, second, -push)
                largest = np.abs(force).max()
                if not largest > 0.0:
                    break
                points = self.inside(points + (size * gap.min() / largest / math.sqrt(count + 1.0)) * force)
        self.show(points)
        return points

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
            self.spend(1.0)
            found = least_raised(self.measures(points), self.slopes(points), self.walls(points), trust)
            if found is None:
                trust *= SHRINK
                continue
            move, promised = found
            moved = self.inside(points + move.reshape(points.shape))
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
            values = self.measures(here) / scale
            least = values.min()
            weights = np.exp(-sharpness * (values - least))
            total = weights.sum()
            slope = self.gradient(here, weights / total) / scale
            return -(least - math.log(total) / sharpness), -slope

        options = {"maxiter": rounds}
        bounds = [self.bounds] * points.size
        found = minimize(loss, points.ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        moved = self.inside(np.asarray(found.x, np.float64).reshape(points.shape))
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
            self.spend(0.3)
            values = self.measures(points)
            near = np.flatnonzero(values <= value * (1.0 + slack))
            slopes = self.slopes(points)[near].toarray()
            system = np.column_stack([slopes, -np.ones(len(near))])
            step_taken = np.linalg.lstsq(system, value - values[near], rcond=1e-12)[0][:-1]
            moved = self.inside(points + step_taken.reshape(points.shape))
            after = self.show(moved)
            if not after > value:
                break
            points, value = moved, after
        return points


def pair_slopes(directions: FloatArray, pairs: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]], n: int) -> csr_array:
    """The derivatives of distances between pairs: `directions` (m, d) are unit vectors from the second to the first."""
    m, d = directions.shape
    first, second = pairs
    rows = np.repeat(np.arange(m), 2 * d)
    columns = np.concatenate([d * first[:, None] + np.arange(d), d * second[:, None] + np.arange(d)], axis=1).ravel()
    entries = np.concatenate([directions, -directions], axis=1).ravel()
    return csr_array((entries, (rows, columns)), shape=(m, n * d))
