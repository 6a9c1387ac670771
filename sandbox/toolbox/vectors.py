"""Vectors of numbers in a box, worth the least of some terms: starts, moves and solvers for any such quantity."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_array, vstack

from sandbox.toolbox.adaptation import adapted
from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.linear import FloatArray, highest

IntArray = npt.NDArray[np.intp]
Walls = tuple[csr_array, FloatArray]
SHRINK = 0.35
GROW = 1.5
LARGEST_TRUST = 0.5
SMALLEST_TRUST = 1e-15
MOST_TERMS = 500
DIFFERENCE = 1e-6
NEGLIGIBLE = 1e-9
UNBOUNDED = 1e18
MOST_PARTS = 240
EXACT = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What a vector is worth: the least of its terms.

    Args:
        low: the least value of a coordinate, one for all or one for each.
        high: the largest.
        start: a random vector.
        terms: the numbers of which the least counts, shape (m,); one, where the quantity is smooth.
        slopes: the derivatives of the terms with these indices, shape (len(which), n); by differences if none.
        inside: brings any vector back to where it has a meaning.
        walls: what keeps a move inside, to first order: a matrix and limits, `matrix @ move <= limits`.
        cost: what evaluating the terms and some slopes takes, in units of about ten milliseconds.
    """

    low: float | FloatArray
    high: float | FloatArray
    start: Callable[[np.random.Generator], FloatArray]
    terms: Callable[[FloatArray], FloatArray]
    slopes: Callable[[FloatArray, IntArray], FloatArray] | None = None
    inside: Callable[[FloatArray], FloatArray] | None = None
    walls: Callable[[FloatArray], Walls] | None = None
    cost: float = 0.01


class Vectors(Toolbox[FloatArray]):
    """Vectors between bounds; what they are worth is a `Quantity`."""

    def __init__(self, quantity: Quantity, *, work: float, seed: int, warm: FloatArray | None = None) -> None:
        super().__init__(self.least, work=work, seed=seed, warm=warm)
        self.quantity = quantity

    def least(self, x: FloatArray) -> float:
        """The least term."""
        found = float(self.quantity.terms(x).min())
        return found if math.isfinite(found) else -math.inf

    def box(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The bounds of each coordinate of a vector."""
        low, high = self.quantity.low, self.quantity.high
        return np.broadcast_to(np.float64(low), x.shape), np.broadcast_to(np.float64(high), x.shape)

    def inside(self, x: FloatArray) -> FloatArray:
        """The vector, brought back between its bounds."""
        clipped = np.clip(x, *self.box(x))
        return clipped if self.quantity.inside is None else self.quantity.inside(clipped)

    def slopes(self, x: FloatArray, which: IntArray) -> FloatArray:
        """The derivatives of some terms, as given or by differences, whose cost is counted."""
        if self.quantity.slopes is not None:
            return self.quantity.slopes(x, which)
        self.spend(2 * len(x) * self.quantity.cost)
        size = DIFFERENCE * self._span(x)
        found = np.empty((len(which), len(x)))
        for place, width in enumerate(size):
            up, down = x.copy(), x.copy()
            up[place] += width
            down[place] -= width
            found[:, place] = (self.quantity.terms(up)[which] - self.quantity.terms(down)[which]) / (2.0 * width)
        return found

    @step(START)
    def random(self) -> FloatArray:
        """A random vector."""
        self.spend(SMALL_WORK)
        return self.inside(self.quantity.start(self.rng))

    @step(MOVE)
    def jitter(self, x: FloatArray, *, size: Annotated[float, Real(1e-5, 0.5, 0.03)] = 0.03) -> FloatArray:
        """All coordinates, each moved a little; `size` is relative to the range."""
        self.spend(SMALL_WORK)
        return self.inside(x + self._span(x) * self.rng.normal(0.0, size, x.shape))

    @step(MOVE)
    def redraw(self, x: FloatArray, *, count: Annotated[int, Whole(1, 10, 2)] = 2) -> FloatArray:
        """Some coordinates as in a new random vector."""
        self.spend(SMALL_WORK)
        moved, fresh = x.copy(), self.inside(self.quantity.start(self.rng))
        n = min(len(x), len(fresh))
        places = self.rng.choice(n, min(count, n), replace=False)
        moved[places] = fresh[places]
        return self.inside(moved)

    @step(MOVE)
    def swap(self, x: FloatArray, *, count: Annotated[int, Whole(1, 10, 1)] = 1) -> FloatArray:
        """Some pairs of coordinates, exchanged."""
        self.spend(SMALL_WORK)
        moved = x.copy()
        for _ in range(count):
            i, j = self.rng.integers(0, len(x), 2)
            moved[[i, j]] = moved[[j, i]]
        return self.inside(moved)

    @step(MOVE)
    def snap(self, x: FloatArray, *, parts: Annotated[int, Whole(1, 120, 60)] = 60) -> FloatArray:
        """All coordinates, rounded to multiples of one over so many parts."""
        self.spend(SMALL_WORK)
        return self.inside(np.round(x * parts) / parts)

    @step(SOLVE)
    def ascend(
        self,
        x: FloatArray,
        *,
        rounds: Annotated[int, Whole(1, 100, 20)] = 20,
        trust: Annotated[float, Real(1e-5, 0.5, 0.05)] = 0.05,
        band: Annotated[float, Real(1e-4, 1.0, 0.1)] = 0.1,
    ) -> FloatArray:
        """Sequential linear programs over the terms within `band` of the least, moves of at most `trust` (relative)."""
        value = self.show(x)
        for _ in range(rounds):
            self.spend(0.4 + 0.5 * (len(x) / 60.0) ** 2 + 2 * self.quantity.cost)
            found = self._raised(x, trust, band)
            moved = x if found is None else self.inside(x + found)
            after = self.show(moved)
            if after > value:
                x, value, trust = moved, after, min(GROW * trust, LARGEST_TRUST)
            else:
                trust *= SHRINK
                if trust < SMALLEST_TRUST:
                    break
        return x

    @step(SOLVE)
    def soften(
        self,
        x: FloatArray,
        *,
        sharpness: Annotated[float, Real(3.0, 1e5, 100.0)] = 100.0,
        rounds: Annotated[int, Whole(5, 500, 60)] = 60,
    ) -> FloatArray:
        """L-BFGS on a soft minimum of the terms, relative to the least; `sharpness` is its inverse temperature."""
        if not math.isfinite(before := self.show(x)):
            return x
        scale = max(abs(before), 1e-9)

        def loss(here: FloatArray) -> tuple[float, FloatArray]:
            self.spend(self.quantity.cost)
            terms = self.quantity.terms(here) / scale
            least = float(terms.min())
            if not math.isfinite(least):
                return UNBOUNDED, np.zeros(len(here))
            weights = np.exp(-np.minimum(sharpness * (terms - least), 700.0))
            total = weights.sum()
            which = np.flatnonzero(weights > NEGLIGIBLE)
            return math.log(total) / sharpness - least, -(weights[which] / total) @ self.slopes(here, which) / scale

        bounds = np.column_stack(self.box(x))
        options = {"maxiter": rounds, "maxfun": 2 * rounds, "ftol": 1e-16, "gtol": 1e-12, "maxcor": 20}
        return self._shown(minimize(loss, x, jac=True, method="L-BFGS-B", bounds=bounds, options=options), x)

    @step(SOLVE)
    def slsqp(self, x: FloatArray, *, rounds: Annotated[int, Whole(3, 100, 30)] = 30) -> FloatArray:
        """Sequential least-squares programs (SLSQP) for the largest bound of the terms that can become the least."""
        self.show(x)
        which = np.sort(np.argsort(self.quantity.terms(x), kind="stable")[: 4 * len(x)])

        def rooms(here: FloatArray) -> FloatArray:
            self.spend(self.quantity.cost)
            found = self.quantity.terms(here[:-1])[which] - here[-1]
            return np.asarray(np.nan_to_num(found, neginf=-UNBOUNDED), np.float64)

        def room_slopes(here: FloatArray) -> FloatArray:
            return np.column_stack([self.slopes(here[:-1], which), -np.ones(len(which))])

        def away(_: FloatArray) -> FloatArray:
            return np.append(np.zeros(len(x)), -1.0)

        bounds = [*zip(*self.box(x), strict=True), (None, None)]
        constraint = {"type": "ineq", "fun": rooms, "jac": room_slopes}
        self.spend(0.1 * rounds * (1.0 + (len(x) / 40.0) ** 2))
        answer = minimize(
            lambda here: -here[-1],
            np.append(x, self.least(x)),
            jac=away,
            method="SLSQP",
            bounds=bounds,
            constraints=[constraint],
            options={"maxiter": rounds, "ftol": 1e-15},
        )
        answer.x = answer.x[:-1]
        return self._shown(answer, x)

    @step(SOLVE)
    def balance(
        self,
        x: FloatArray,
        *,
        rounds: Annotated[int, Whole(1, 20, 6)] = 6,
        slack: Annotated[float, Real(1e-12, 1e-2, 1e-6)] = 1e-6,
    ) -> FloatArray:
        """Newton steps that make all terms within `slack` (relative) of the least equal, while the least grows."""
        value = self.show(x)
        for _ in range(rounds):
            self.spend(0.1 + 2 * self.quantity.cost)
            terms = self.quantity.terms(x)
            near = np.flatnonzero(terms <= value + slack * abs(value))[:MOST_TERMS]
            system = np.column_stack([self.slopes(x, near), -np.ones(len(near))])
            if not np.isfinite(system).all():
                break
            moved = self.inside(x + np.linalg.lstsq(system, value - terms[near], rcond=1e-12)[0][:-1])
            after = self.show(moved)
            if not after > value:
                break
            x, value = moved, after
        return x

    @step(SOLVE)
    def simplex(
        self,
        x: FloatArray,
        *,
        rounds: Annotated[int, Whole(10, 2000, 200)] = 200,
        size: Annotated[float, Real(1e-6, 0.3, 0.03)] = 0.03,
    ) -> FloatArray:
        """Nelder and Mead's simplex, of this size (relative) at first: for few coordinates."""
        self.show(x)
        around = np.vstack([x, x + np.diag(size * self._span(x) * np.where(self.rng.random(len(x)) < 0.5, -1.0, 1.0))])

        def loss(here: FloatArray) -> float:
            self.spend(self.quantity.cost + 0.002)
            value = self.least(self.inside(here))
            return -value if math.isfinite(value) else UNBOUNDED

        options = {"maxfev": rounds, "xatol": 1e-15, "fatol": 1e-16, "initial_simplex": around, "adaptive": True}
        return self._shown(minimize(loss, x, method="Nelder-Mead", options=options), x)

    @step(SOLVE)
    def adapt(
        self,
        x: FloatArray,
        *,
        rounds: Annotated[int, Whole(3, 300, 40)] = 40,
        size: Annotated[float, Real(1e-6, 0.5, 0.05)] = 0.05,
    ) -> FloatArray:
        """Samples around a mean whose covariance follows the better ones (CMA-ES), at first of this size (relative)."""
        self.show(x)
        span = self._span(x)

        def worth(unit: FloatArray) -> float:
            self.spend(self.quantity.cost + 0.002)
            return self.show(self.inside(unit * span))

        found = adapted(worth, x / span, size, rounds, self.rng)
        return self.inside(found * span)

    def _span(self, x: FloatArray) -> FloatArray:
        low, high = self.box(x)
        return np.maximum(high - low, 1e-12)

    def _shown(self, answer: Any, before: FloatArray) -> FloatArray:
        moved = self.inside(np.asarray(answer.x, np.float64))
        if not np.isfinite(moved).all():
            return before
        return moved if math.isfinite(self.show(moved)) else before

    def _raised(self, x: FloatArray, trust: float, band: float) -> FloatArray | None:
        """The move that raises the least of the near terms most, by a linear program."""
        terms = self.quantity.terms(x)
        least = terms.min()
        near = np.flatnonzero(terms <= least + band * max(abs(least), 1e-9))
        if len(near) > MOST_TERMS:
            near = near[np.argpartition(terms[near], MOST_TERMS)[:MOST_TERMS]]
        slopes = self.slopes(x, near)
        if not np.isfinite(slopes).all():
            return None
        n = len(x)
        matrix, limits = csr_array(np.column_stack([-slopes, np.ones(len(near))])), terms[near] - least
        if self.quantity.walls is not None:
            wall, room = self.quantity.walls(x)
            matrix = csr_array(vstack([matrix, csr_array(np.column_stack([wall.toarray(), np.zeros(len(room))]))]))
            limits = np.concatenate([limits, room])
        (low, high), reach = self.box(x), trust * self._span(x)
        down = np.append(np.minimum(np.maximum(-reach, low - x), 0.0), -UNBOUNDED)
        up = np.append(np.maximum(np.minimum(reach, high - x), 0.0), UNBOUNDED)
        found = highest(np.append(np.zeros(n), 1.0), matrix, limits, down, np.where(up >= UNBOUNDED, np.inf, up))
        return None if found is None else found[:n]


def simple_fraction(value: float) -> Fraction:
    """The fraction with a small denominator that a number nearly is; the number itself if there is none."""
    near = Fraction(float(value)).limit_denominator(MOST_PARTS)
    return near if abs(float(near) - value) < EXACT else Fraction(float(value))
