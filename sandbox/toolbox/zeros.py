"""Polynomials by zeros in the unit disk or by coefficients: distances of critical points, quotients at them."""

import math
from fractions import Fraction
from typing import Annotated

import numpy as np

from sandbox.toolbox.base import MOVE, SMALL_WORK, START, Real, Whole, step
from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.vectors import Quantity, Vectors, simple_fraction

SENDOV = "sendov"
SCHMEISSER = "schmeisser"
DIGITS_EACH, MOST_DIGITS = 30, 1000


class Zeros(Vectors):
    """Zeros by radius and angle (in turns), `n` of each; for Schmeisser's conjecture weights too.

    The value is the distance of the first zero, or of the mean, to the nearest critical point.
    """

    def __init__(self, n: int, kind: str, *, work: float, seed: int, warm: FloatArray | None = None) -> None:
        if kind not in (SENDOV, SCHMEISSER):
            raise ValueError(f"kind is {kind!r}, expected {SENDOV} or {SCHMEISSER}")
        super().__init__(distance_to_critical(n, kind), work=work, seed=seed, warm=warm)
        self.n = n

    @step(START)
    def orbit(self, *, size: Annotated[float, Real(0.0, 0.3, 0.1)] = 0.1) -> FloatArray:
        """Corners of a regular polygon on the rim, each moved a little."""
        self.spend(SMALL_WORK)
        x = self.quantity.start(self.rng)
        x[: self.n] = 1.0 - np.abs(self.rng.normal(0.0, max(size, 1e-9), self.n))
        x[self.n : 2 * self.n] = np.arange(self.n) / self.n + self.rng.normal(0.0, max(size, 1e-9) / self.n, self.n)
        x[2 * self.n :] *= self.rng.random(len(x) - 2 * self.n) < 2.0 / self.n
        return self.inside(x)

    @step(MOVE)
    def rim(self, x: FloatArray, *, above: Annotated[float, Real(0.0, 1.0, 0.7)] = 0.7) -> FloatArray:
        """Zeros of this radius or a larger one, put on the rim."""
        self.spend(SMALL_WORK)
        moved = x.copy()
        moved[: self.n][x[: self.n] >= above] = 1.0
        return self.inside(moved)

    @step(MOVE)
    def symmetrise(self, x: FloatArray, *, order: Annotated[int, Whole(1, 12, 2)] = 2) -> FloatArray:
        """The zeros of a sector, repeated by turns through equal parts of a circle; with order 1, all evenly."""
        self.spend(SMALL_WORK)
        n, moved = self.n, x.copy()
        order = n if order == 1 else min(order, n)
        size = n // order
        angles = np.mod(x[n : 2 * n] - x[n], 1.0)
        chosen = np.argsort(angles, kind="stable")[:size]
        moved[: order * size] = np.tile(x[chosen], order)
        moved[n : n + order * size] = np.mod(np.add.outer(np.arange(order) / order, angles[chosen]).ravel(), 1.0)
        return self.inside(moved)


def distance_to_critical(n: int, kind: str) -> Quantity:
    """How far the first zero (Sendov), or the mean with the given weights (Schmeisser), is from each critical point."""

    def terms(x: FloatArray) -> FloatArray:
        zeros = x[:n] * np.exp(2j * math.pi * x[n : 2 * n])
        point = zeros[0]
        if kind == SCHMEISSER:
            weights = x[2 * n :] + 1e-12
            point = (weights @ zeros) / weights.sum()
        critical = np.roots(np.polyder(np.poly(zeros)))
        return np.asarray(np.abs(point - critical), np.float64)

    def start(rng: np.random.Generator) -> FloatArray:
        parts = [1.0 - rng.random(n) ** 2, rng.random(n)]
        return np.concatenate([*parts, rng.random(n)] if kind == SCHMEISSER else parts)

    def inside(x: FloatArray) -> FloatArray:
        moved = x.copy()
        moved[n : 2 * n] = np.mod(x[n : 2 * n], 1.0)
        return moved

    low, high = [np.zeros(n), np.full(n, -0.5)], [np.ones(n), np.full(n, 1.5)]
    if kind == SCHMEISSER:
        low, high = [*low, np.zeros(n)], [*high, np.ones(n)]
    return Quantity(
        low=np.concatenate(low), high=np.concatenate(high), start=start, terms=terms, inside=inside, cost=0.015
    )


def smale_quotients(n: int) -> Quantity:
    """|f(w) / w| at the critical points of f = z + a_2 z^2 + ... + a_n z^n; all real parts, then all imaginary ones.

    f may be stretched: the last coefficient is made 1.
    """

    def terms(x: FloatArray) -> FloatArray:
        quotient = np.concatenate([[1.0 + 0.0j], x[: n - 1] + 1j * x[n - 1 :]])
        found = np.roots((quotient * np.arange(1, n + 1))[::-1])
        return np.asarray(np.abs(np.polyval(quotient[::-1], found)), np.float64) if len(found) else np.zeros(1)

    def inside(x: FloatArray) -> FloatArray:
        last = abs(complex(x[n - 2], x[-1]))
        if last < 1e-9:
            return np.asarray(np.append(x[:-1], 1e-9 + x[-1]), np.float64)
        power = last ** (-np.arange(1, n) / (n - 1.0))
        return np.asarray(np.clip(x * np.tile(power, 2), -20.0, 20.0), np.float64)

    def start(rng: np.random.Generator) -> FloatArray:
        return np.asarray(rng.normal(0.0, 0.7, 2 * n - 2), np.float64)

    return Quantity(low=-20.0, high=20.0, start=start, terms=terms, inside=inside, cost=0.015)


def zero_rows(x: FloatArray, n: int) -> list[list[str]]:
    """The zeros as exact numbers of many digits: angles and radii that are nearly simple fractions are these."""
    scale = 10 ** min(DIGITS_EACH * n, MOST_DIGITS)
    return [
        _point(simple_fraction(radius), simple_fraction(turn), scale)
        for radius, turn in zip(x[:n], x[n : 2 * n], strict=True)
    ]


def zero_vector(rows: list[list[str]], weights: list[str] | None = None) -> FloatArray:
    """What `zero_rows` was made from, and the weights."""
    zeros = np.array([complex(*(float(Fraction(part)) for part in row)) for row in rows])
    parts = [np.minimum(np.abs(zeros), 1.0), np.mod(np.angle(zeros) / (2.0 * math.pi), 1.0)]
    if weights is not None:
        shares = np.array([float(Fraction(weight)) for weight in weights])
        parts.append(shares / max(shares.max(), 1e-12))
    return np.concatenate(parts)


def weighted_zeros(x: FloatArray, n: int) -> dict[str, list[list[str]] | list[str]]:
    """The zeros and their weights."""
    return {"zeros": zero_rows(x, n), "weights": [str(Fraction(float(weight))) for weight in x[2 * n :]]}


def coefficient_rows(x: FloatArray) -> list[list[float]]:
    """Real and imaginary parts."""
    return [[float(a), float(b)] for a, b in x.reshape(2, -1).T]


def coefficient_vector(rows: list[list[float]]) -> FloatArray:
    """What `coefficient_rows` was made from."""
    return np.array(rows).T.ravel()


def _point(radius: Fraction, turn: Fraction, scale: int) -> list[str]:
    """The point of the plane with this radius and angle (in turns), to many digits, and no farther out."""
    angle = 2 * _pi(scale) * turn.numerator // turn.denominator
    cosine = sine = 0
    term, count = scale, 0
    while term:
        if count % 2 == 0:
            cosine += -term if count % 4 == 2 else term
        else:
            sine += -term if count % 4 == 3 else term
        count += 1
        term = term * angle // (scale * count)
    inward = radius * (1 - Fraction(10**9, scale))
    return [str(Fraction(int(part * inward), scale)) for part in (cosine, sine)]


def _pi(scale: int) -> int:
    """The circle's number times a scale, by Machin's formula."""

    def arctangent_of_inverse(x: int) -> int:
        total, power, count = 0, scale * 10**6 // x, 0
        while power:
            total += (-1) ** count * (power // (2 * count + 1))
            power, count = power // (x * x), count + 1
        return total

    return 4 * (4 * arctangent_of_inverse(5) - arctangent_of_inverse(239)) // 10**6
