"""Functions by their values at equal steps, worth a quotient of norms: convolutions, products, slopes."""

import math
from collections.abc import Callable
from typing import Annotated

import numpy as np

from sandbox.toolbox.base import MOVE, SMALL_WORK, START, Real, Whole, step
from sandbox.toolbox.functions import convolved, shifted
from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.vectors import IntArray, Quantity, Vectors

LEAST = 1e-12


class Profiles(Vectors):
    """Values at equal steps, up to `n_most` of them; of `n_parts` functions of the same length, one after the other."""

    def __init__(
        self,
        n_most: int,
        quantity: Quantity,
        *,
        n_parts: int = 1,
        work: float,
        seed: int,
        warm: FloatArray | None = None,
    ) -> None:
        super().__init__(quantity, work=work, seed=seed, warm=warm)
        self.n_most, self.n_parts = n_most, n_parts

    @step(START)
    def bump(
        self,
        *,
        steps: Annotated[int, Whole(8, 400, 50)] = 50,
        width: Annotated[float, Real(0.01, 1.0, 0.1)] = 0.1,
        power: Annotated[float, Real(0.5, 6.0, 2.0)] = 2.0,
    ) -> FloatArray:
        """In the middle a bump exp(-|x / width|^power), x from -1/2 to 1/2."""
        self.spend(SMALL_WORK)
        k = min(steps, self.n_most)
        at = (np.arange(k) + 0.5) / k - 0.5
        return self.inside(np.tile(np.exp(-((np.abs(at) / width) ** power)), self.n_parts))

    @step(START)
    def noise(self, *, steps: Annotated[int, Whole(8, 400, 50)] = 50) -> FloatArray:
        """Independent values."""
        self.spend(SMALL_WORK)
        return self.inside(self.rng.random(self.n_parts * min(steps, self.n_most)) + 0.05)

    @step(MOVE)
    def resample(self, x: FloatArray, *, steps: Annotated[int, Whole(8, 1200, 100)] = 100) -> FloatArray:
        """Another number of steps, by linear interpolation."""
        self.spend(SMALL_WORK)
        old, new = len(x) // self.n_parts, min(steps, self.n_most)
        at, before = (np.arange(new) + 0.5) / new, (np.arange(old) + 0.5) / old
        return self.inside(np.concatenate([np.interp(at, before, part) for part in x.reshape(self.n_parts, old)]))

    @step(MOVE)
    def rescale(self, x: FloatArray, *, factor: Annotated[float, Real(0.5, 2.0, 1.1)] = 1.1) -> FloatArray:
        """The functions, drawn out from their middle by a factor; what falls off the ends is lost."""
        self.spend(SMALL_WORK)
        k = len(x) // self.n_parts
        at = np.arange(k) - 0.5 * (k - 1)
        return self.inside(np.concatenate([np.interp(at / factor, at, part) for part in x.reshape(self.n_parts, k)]))

    @step(MOVE)
    def symmetrise(self, x: FloatArray) -> FloatArray:
        """The mean of each function and its mirror image."""
        self.spend(SMALL_WORK)
        parts = x.reshape(self.n_parts, -1)
        return self.inside(0.5 * (parts + parts[:, ::-1]).ravel())


def _scaled(x: FloatArray) -> FloatArray:
    top = float(np.abs(x).max())
    return np.asarray(x / top if top > LEAST else np.ones_like(x), np.float64)


def _noise(n: int) -> Callable[[np.random.Generator], FloatArray]:
    return lambda rng: rng.random(n) + 0.05


def second_autocorrelation(n: int) -> Quantity:
    """The squared 2-norm of f*f over its 1-norm and each of its values; the largest of these makes the least term."""

    def terms(x: FloatArray) -> FloatArray:
        levels = np.maximum(convolved(x, x), LEAST)
        total = levels.sum()
        return np.asarray(_square(levels) / (3.0 * total * levels), np.float64)

    def slopes(x: FloatArray, which: IntArray) -> FloatArray:
        k = len(x)
        levels = np.maximum(convolved(x, x), LEAST)
        at = np.concatenate([[0.0], levels, [0.0]])
        by_level = 4.0 * at[1:-1] + at[:-2] + at[2:]
        total, square = levels.sum(), _square(levels)
        pull = 2.0 * convolved(by_level, x[::-1])[k - 1 : 2 * k - 1]
        value = square / (3.0 * total * levels[which])
        relative = pull / square - 2.0 / x.sum()
        change = relative - 2.0 * shifted(x[::-1], which) / levels[which, None]
        return np.asarray(value[:, None] * change, np.float64)

    return Quantity(low=0.0, high=1.0, start=_noise(n), terms=terms, slopes=slopes, inside=_scaled, cost=0.01 + n / 5e3)


def _square(levels: FloatArray) -> float:
    at = np.concatenate([[0.0], levels, [0.0]])
    return float((at[1:] ** 2 + at[1:] * at[:-1] + at[:-1] ** 2).sum())


def third_autocorrelation(n: int) -> Quantity:
    """Minus the sizes of f*f over the squared integral, f of any sign on an interval of length 1/2."""

    def terms(x: FloatArray) -> FloatArray:
        return np.asarray(-2.0 * len(x) * np.abs(convolved(x, x)) / max(x.sum() ** 2, LEAST), np.float64)

    def slopes(x: FloatArray, which: IntArray) -> FloatArray:
        levels, total = convolved(x, x), x.sum()
        change = 2.0 * np.sign(levels[which])[:, None] * shifted(x[::-1], which)
        return np.asarray(
            -2.0 * len(x) * (change / total**2 - 2.0 * np.abs(levels[which])[:, None] / total**3), np.float64
        )

    return Quantity(low=-1.0, high=1.0, start=_noise(n), terms=terms, slopes=slopes, inside=_scaled, cost=0.02)


def smallest_autocorrelation(n: int, m: int) -> Quantity:
    """The autocorrelations at shifts of 0 to `m` steps of width 1/m, over the squared integral."""

    def correlations(x: FloatArray) -> FloatArray:
        right = convolved(x, x[::-1])[len(x) - 1 :]
        return np.asarray(np.append(right, np.zeros(max(m + 1 - len(right), 0)))[: m + 1], np.float64)

    def slopes(x: FloatArray, which: IntArray) -> FloatArray:
        k, total = len(x), x.sum()
        padded = np.concatenate([np.zeros(m), x, np.zeros(m)])
        places = m + np.arange(k)
        change = padded[places + which[:, None]] + padded[places - which[:, None]]
        return np.asarray(m * (change / total**2 - 2.0 * correlations(x)[which, None] / total**3), np.float64)

    return Quantity(
        low=0.0,
        high=1.0,
        start=_noise(n),
        terms=lambda x: m * correlations(x) / max(x.sum() ** 2, LEAST),
        slopes=slopes,
        inside=_scaled,
        cost=0.02,
    )


def gagliardo_nirenberg(n: int) -> Quantity:
    """The logarithm of (integral f^4)^4 / ((integral f^2)^6 (integral f'^2)^2), f linear between its values."""

    def parts(x: FloatArray) -> tuple[FloatArray, FloatArray, float, float, float]:
        at = np.concatenate([[0.0], x, [0.0]])
        a, b = at[:-1], at[1:]
        fourth = (a**4 + a**3 * b + a**2 * b**2 + a * b**3 + b**4).sum() / 5.0
        return a, b, float(fourth), float((a * a + a * b + b * b).sum() / 3.0), float(((b - a) ** 2).sum())

    def terms(x: FloatArray) -> FloatArray:
        _, _, fourth, second, slope = parts(x)
        return np.array([4.0 * math.log(fourth) - 6.0 * math.log(second) - 2.0 * math.log(slope)])

    def slopes(x: FloatArray, which: IntArray) -> FloatArray:
        del which  # there is one term
        a, b, fourth, second, slope = parts(x)
        by_a = 4.0 / fourth * (4 * a**3 + 3 * a**2 * b + 2 * a * b**2 + b**3) / 5.0
        by_a += -6.0 / second * (2 * a + b) / 3.0 + 4.0 / slope * (b - a)
        by_b = 4.0 / fourth * (4 * b**3 + 3 * b**2 * a + 2 * b * a**2 + a**3) / 5.0
        by_b += -6.0 / second * (2 * b + a) / 3.0 - 4.0 / slope * (b - a)
        return (by_a[1:] + by_b[:-1])[None, :]

    return Quantity(low=0.0, high=1.0, start=_noise(n), terms=terms, slopes=slopes, inside=_scaled)


def young_convolution(n: int) -> Quantity:
    """|f*g|_2 / (|f|_(4/3) |g|_(4/3)); f, then g."""

    def terms(x: FloatArray) -> FloatArray:
        f, g = np.split(x, 2)
        return np.array([math.sqrt(_square(np.convolve(f, g)) / 3.0) / (_norm(f) * _norm(g))])

    def slopes(x: FloatArray, which: IntArray) -> FloatArray:
        del which  # there is one term
        f, g = np.split(x, 2)
        k, levels = len(f), np.convolve(f, g)
        at = np.concatenate([[0.0], levels, [0.0]])
        by_level = (4.0 * at[1:-1] + at[:-2] + at[2:]) / (2.0 * _square(levels))
        found = []
        for one, other in ((f, g), (g, f)):
            pull = np.convolve(by_level, other[::-1])[k - 1 : 2 * k - 1]
            found.append(pull - np.cbrt(one) / max((np.abs(one) ** (4.0 / 3.0)).sum(), LEAST))
        return np.asarray(terms(x)[0] * np.concatenate(found)[None, :], np.float64)

    return Quantity(low=0.0, high=1.0, start=_noise(2 * n), terms=terms, slopes=slopes, inside=_scaled, cost=0.02)


def _norm(f: FloatArray) -> float:
    return math.pow(max(float((np.abs(f) ** (4.0 / 3.0)).sum()), LEAST), 0.75)


def young_pair(x: FloatArray) -> dict[str, list[float]]:
    """The two functions of a vector."""
    f, g = np.split(x, 2)
    return {"f": f.tolist(), "g": g.tolist()}


def profile_vector(pair: dict[str, list[float]]) -> FloatArray:
    """What `young_pair` was made from."""
    return np.array(pair["f"] + pair["g"])
