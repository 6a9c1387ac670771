"""Points in a region: starts and moves, whatever it is that makes them good."""

import math
from collections.abc import Callable
from typing import Annotated, Protocol

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.moves import jittered, relocated, stirred

REPULSION_STEPS = 20


class Region(Protocol):
    """Where points may be."""

    def anywhere(self, n: int, rng: np.random.Generator) -> FloatArray:
        """So many random points, shape (n, d)."""

    def inside(self, points: FloatArray) -> FloatArray:
        """The points, brought back to the region."""


class Points(Toolbox[FloatArray]):
    """`n` points of a region, shape (n, d)."""

    def __init__(
        self,
        n: int,
        region: Region,
        value: Callable[[FloatArray], float],
        *,
        work: float,
        seed: int,
        warm: FloatArray | None = None,
    ) -> None:
        super().__init__(value, work=work, seed=seed, warm=warm)
        self.n, self.region = n, region
        self.pairs = np.triu_indices(n, 1)

    @step(START)
    def random(self) -> FloatArray:
        """Independent points."""
        self.spend(SMALL_WORK)
        return self.region.inside(self.region.anywhere(self.n, self.rng))

    @step(START)
    def scattered(self, *, tries: Annotated[int, Whole(2, 50, 10)] = 10) -> FloatArray:
        """One point after the other, each the farthest from the others of so many tries (Mitchell's best candidate)."""
        self.spend(0.1)
        points = self.region.anywhere(1, self.rng)
        for _ in range(1, self.n):
            fresh = self.region.anywhere(tries, self.rng)
            gaps = np.linalg.norm(fresh[:, None] - points, axis=2).min(1)
            points = np.vstack([points, fresh[gaps.argmax()]])
        return self.region.inside(points)

    @step(MOVE)
    def jitter(self, points: FloatArray, *, size: Annotated[float, Real(1e-4, 0.3, 0.03)] = 0.03) -> FloatArray:
        """All points, each moved a little."""
        self.spend(SMALL_WORK)
        return self.region.inside(jittered(points, size, self.rng))

    @step(MOVE)
    def relocate(self, points: FloatArray, *, count: Annotated[int, Whole(1, 8, 1)] = 1) -> FloatArray:
        """Some points, moved anywhere."""
        self.spend(SMALL_WORK)
        fresh = self.region.anywhere(min(count, self.n), self.rng)
        return self.region.inside(relocated(points, fresh, self.rng))

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
        place = self.region.anywhere(1, self.rng)[0]
        return self.region.inside(stirred(points, place, count, size, self.rng))

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
                points = self.region.inside(points + (size * gap.min() / largest / math.sqrt(count + 1.0)) * force)
        self.show(points)
        return points


def pair_slopes(directions: FloatArray, pairs: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]], n: int) -> FloatArray:
    """The derivatives of distances between pairs: `directions` (m, d) are unit vectors from the second to the first."""
    m, d = directions.shape
    slopes = np.zeros((m, n, d))
    slopes[np.arange(m), pairs[0]] = directions
    slopes[np.arange(m), pairs[1]] = -directions
    return slopes.reshape(m, n * d)
