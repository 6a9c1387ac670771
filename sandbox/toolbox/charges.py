"""Points of the sphere with little energy, or whose hull has a large volume: symmetric starts, L-BFGS."""

import math
from typing import Annotated, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.spatial import ConvexHull, QhullError

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Whole, step
from sandbox.toolbox.distances import NEAR, Sphere
from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.points import Points

GOLDEN = (1.0 + math.sqrt(5.0)) / 2.0


class Smooth(Protocol):
    """What points of the sphere are worth, as a smooth function."""

    def worth(self, points: FloatArray) -> tuple[float, FloatArray]:
        """The value, higher is better, and its derivatives, shape (n, d)."""


class Charges(Points):
    """`n` points on the unit sphere of dimension `d`, worth a smooth function of them."""

    def __init__(
        self, n: int, d: int, smooth: Smooth, *, work: float, seed: int, warm: FloatArray | None = None
    ) -> None:
        super().__init__(n, Sphere(n, d), self.worth, work=work, seed=seed, warm=warm)
        self.d, self.smooth = d, smooth
        self.cost = 0.02 + 0.5 * (n / 282.0) ** 2

    def worth(self, points: FloatArray) -> float:
        """The value; minus infinity where it is none."""
        found = self.smooth.worth(points)[0]
        return found if math.isfinite(found) else -math.inf

    @step(START)
    def spiral(self, *, size: Annotated[float, Real(0.0, 0.3, 0.02)] = 0.02) -> FloatArray:
        """Points along a spiral from pole to pole (in three dimensions), each moved a little."""
        self.spend(SMALL_WORK)
        k = np.arange(self.n) + 0.5
        height = 1.0 - 2.0 * k / self.n
        width, turn = np.sqrt(1.0 - height**2), 2.0 * math.pi * k / GOLDEN
        points = self.rng.normal(0.0, max(size, 1e-9), (self.n, self.d))
        points[:, :3] += np.column_stack([width * np.cos(turn), width * np.sin(turn), height])[:, : self.d]
        return self.region.inside(points)

    @step(START)
    def icosahedral(self) -> FloatArray:
        """Orbits of the icosahedron's 60 rotations: corners, faces or edges to fill up, random points for the rest.

        In three dimensions, for so many points as orbits add up to; else random points.
        """
        self.spend(0.1)
        chosen = orbits_of(self.n) if self.d == 3 else None
        if chosen is None:
            return self.region.inside(self.region.anywhere(self.n, self.rng))
        special, n_free = chosen
        group = icosahedral_rotations()
        corner, face, edge = np.array([0.0, 1.0, GOLDEN]), np.ones(3), np.array([0.0, 0.0, 1.0])
        seeds = [seed for seed, is_in in zip((corner, face, edge), special, strict=True) if is_in]
        orbits = [_distinct(group @ (seed / np.linalg.norm(seed))) for seed in seeds]
        orbits += [group @ point for point in self.region.anywhere(n_free, self.rng)]
        return self.region.inside(np.vstack(orbits))

    @step(MOVE)
    def symmetrise(self, points: FloatArray, *, order: Annotated[int, Whole(2, 8, 3)] = 3) -> FloatArray:
        """The points of a sector, repeated around an axis; as they are where too many or few would come out."""
        self.spend(0.05)
        axis = self.region.anywhere(1, self.rng)[0]
        if self.d != 3:
            return points.copy()
        first = np.linalg.svd(axis[None, :])[2][1:]
        x, y, z = points @ first[0], points @ first[1], points @ axis
        sector = np.argsort(np.arctan2(y, x) % (2.0 * math.pi), kind="stable")[: self.n // order]
        turns = 2.0 * math.pi / order * np.arange(order)[:, None]
        turned_x = np.cos(turns) * x[sector] - np.sin(turns) * y[sector]
        turned_y = np.sin(turns) * x[sector] + np.cos(turns) * y[sector]
        copies = turned_x[..., None] * first[0] + turned_y[..., None] * first[1] + z[sector][:, None] * axis
        rest = points[len(copies.reshape(-1, 3)) :] if self.n % order else points[:0]
        return self.region.inside(np.vstack([copies.reshape(-1, 3), rest])[: self.n])

    @step(SOLVE)
    def relax(self, points: FloatArray, *, rounds: Annotated[int, Whole(5, 1000, 150)] = 150) -> FloatArray:
        """L-BFGS over the points' directions."""

        def loss(flat: FloatArray) -> tuple[float, FloatArray]:
            self.spend(self.cost)
            free = flat.reshape(points.shape)
            norms = np.maximum(np.linalg.norm(free, axis=1), NEAR)[:, None]
            there = free / norms
            value, pull = self.smooth.worth(there)
            along = (pull * there).sum(1)[:, None] * there
            return (-value, (-(pull - along) / norms).ravel()) if math.isfinite(value) else (1e18, np.zeros(flat.size))

        self.show(points)
        options = {"maxiter": rounds, "maxfun": 2 * rounds, "ftol": 1e-16, "gtol": 1e-11, "maxcor": 30}
        found = minimize(loss, points.ravel(), jac=True, method="L-BFGS-B", options=options)
        moved = self.region.inside(np.asarray(found.x, np.float64).reshape(points.shape))
        if not np.isfinite(moved).all() or not math.isfinite(self.show(moved)):
            return points
        return moved


class Coulomb:
    """Minus the energy of equal charges."""

    def worth(self, points: FloatArray) -> tuple[float, FloatArray]:
        """Minus the sum of 1 / distance."""
        gram = points @ points.T
        squares = np.maximum((points**2).sum(1)[:, None] + (points**2).sum(1) - 2.0 * gram, NEAR)
        np.fill_diagonal(squares, np.inf)
        inverse = 1.0 / np.sqrt(squares)
        weights = inverse / squares
        return -0.5 * float(inverse.sum()), weights.sum(1)[:, None] * points - weights @ points


class HullVolume:
    """The volume of the convex hull."""

    def worth(self, points: FloatArray) -> tuple[float, FloatArray]:
        """The volume, from its triangles, and how it grows with each corner."""
        try:
            hull = ConvexHull(points)
        except (QhullError, ValueError):
            return -math.inf, np.zeros_like(points)
        faces = hull.simplices
        a, b, c = (points[faces[:, k]] for k in range(3))
        outward = np.sign((np.cross(b - a, c - a) * hull.equations[:, :3]).sum(1))[:, None]
        slope = np.zeros_like(points)
        for place, one, other in ((0, b, c), (1, c, a), (2, a, b)):
            np.add.at(slope, faces[:, place], outward * np.cross(one, other) / 6.0)
        return float((outward[:, 0] * (a * np.cross(b, c)).sum(1)).sum() / 6.0), slope


def orbits_of(n: int) -> tuple[tuple[int, int, int], int] | None:
    """Whether corners, faces and edges (12, 20, 30 points) are in, and how many orbits of 60 points; None if none."""
    for bits in range(8):
        special = (bits & 1, bits >> 1 & 1, bits >> 2 & 1)
        rest = n - 12 * special[0] - 20 * special[1] - 30 * special[2]
        if rest >= 0 and rest % 60 == 0:
            return special, rest // 60
    return None


def icosahedral_rotations() -> FloatArray:
    """The 60 rotations of the icosahedron with a corner at (0, 1, golden ratio), shape (60, 3, 3)."""
    cyclic = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    axis = np.array([0.0, 1.0, GOLDEN]) / math.hypot(1.0, GOLDEN)
    across = np.array([[0.0, -axis[2], axis[1]], [axis[2], 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
    turn = 2.0 * math.pi / 5.0
    fifth = np.eye(3) + math.sin(turn) * across + (1.0 - math.cos(turn)) * across @ across
    found = [np.eye(3)]
    for element in found:
        for generator in (cyclic, fifth):
            new = element @ generator
            if all(np.abs(new - old).max() > 1e-6 for old in found):
                found.append(new)
    return np.array(found)


def _distinct(points: FloatArray) -> FloatArray:
    kept: list[FloatArray] = []
    for point in points:
        if all(np.abs(point - other).max() > 1e-6 for other in kept):
            kept.append(point)
    return np.array(kept)
