"""Sequences of signs: small autocorrelations, and polynomials with a small largest modulus on the unit circle.

A sequence is an array of 1 and -1, int8 of shape (n,).
"""

import math
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.compiled import below, chance, compiled, fresh_state

Signs = npt.NDArray[np.int8]
MERIT, FLAT = "merit", "flat"
GOALS = (MERIT, FLAT)
FINE = 32  # places on the circle for each coefficient, where a modulus is told
COARSE = 4  # the same inside the solver
PLACES_PER_WORK = 4_000_000


class SignSequence(Toolbox[Signs]):
    """Sequences of `n` signs.

    Goals: `merit` is Golay's merit factor; `flat` is minus the polynomial's largest modulus over sqrt(n).
    """

    def __init__(self, n: int, goal: str, *, work: float, seed: int, warm: Signs | None = None) -> None:
        if goal not in GOALS:
            raise ValueError(f"goal is {goal!r}, expected one of {', '.join(GOALS)}")
        super().__init__(merit_factor if goal == MERIT else flatness, work=work, seed=seed, warm=warm)
        self.n, self.goal = n, goal
        angles = 2.0 * np.pi / (COARSE * n) * np.outer(np.arange(n), np.arange(COARSE * n // 2 + 1))
        self._waves = np.ascontiguousarray(np.stack([np.cos(angles), np.sin(angles)]))

    @step(START)
    def random(self) -> Signs:
        """Signs with equal chance."""
        self.spend(SMALL_WORK)
        return np.where(self.rng.random(self.n) < 0.5, 1, -1).astype(np.int8)

    @step(START)
    def mirrored(self) -> Signs:
        """Signs of which the k-th from behind is the k-th times the sign of k, or minus it (Golay's skew symmetry)."""
        signs = self.random()
        half = self.n // 2
        turn = (-1) ** (np.arange(half) + int(self.rng.integers(2)))
        signs[self.n - half :] = (signs[:half] * turn)[::-1]
        return signs

    @step(START)
    def residues(self) -> Signs:
        """Legendre symbols modulo the first prime from n on, from a random place."""
        self.spend(SMALL_WORK)
        prime = max(self.n, 3)
        while not all(prime % d for d in range(2, math.isqrt(prime) + 1)):
            prime += 1
        symbols = np.full(prime, -1, np.int8)
        symbols[np.arange(prime, dtype=np.int64) ** 2 % prime] = 1
        return np.roll(symbols, -int(self.rng.integers(prime)))[: self.n].copy()

    @step(START)
    def shapiro(self) -> Signs:
        """The first n signs of Rudin and Shapiro's sequence, whose polynomials stay below sqrt(2 n) for powers of 2."""
        self.spend(SMALL_WORK)
        k = np.arange(self.n)
        pairs = sum((k >> bit) & (k >> (bit + 1)) & 1 for bit in range(max(self.n, 2).bit_length()))
        signs = np.where(np.asarray(pairs) % 2 == 0, 1, -1).astype(np.int8)
        self.show(signs)
        return signs

    @step(MOVE)
    def flip(self, signs: Signs, *, count: Annotated[int, Whole(1, 20, 3)] = 3) -> Signs:
        """Some signs turn."""
        self.spend(SMALL_WORK)
        moved = signs.copy()
        moved[self.rng.choice(self.n, min(count, self.n), replace=False)] *= -1
        return moved

    @step(MOVE)
    def rotate(self, signs: Signs, *, most: Annotated[int, Whole(1, 64, 4)] = 4) -> Signs:
        """The last few signs come first."""
        self.spend(SMALL_WORK)
        return np.roll(signs, int(self.rng.integers(-most, most + 1)))

    @step(SOLVE)
    def anneal(
        self,
        signs: Signs,
        *,
        flips: Annotated[int, Whole(100, 1000000, 20000)] = 20000,
        hot: Annotated[float, Real(0.001, 1.0, 0.03)] = 0.03,
        cold: Annotated[float, Real(0.0001, 0.2, 0.003)] = 0.003,
        pairs: Annotated[int, Whole(0, 1, 0)] = 0,
    ) -> Signs:
        """Simulated annealing on single signs, or on pairs that mirror each other.

        Temperatures are shares of what is made small: the autocorrelations' energy, or the 16-norm of the modulus.
        """
        self.spend(0.05 + flips * (2 * self.n if self.goal == MERIT else 8 * self.n) / PLACES_PER_WORK)
        given, state = np.ascontiguousarray(signs, np.int8), fresh_state(self.rng)
        if self.goal == MERIT:
            found: Signs = _annealed_energy(given, flips, hot, cold, pairs, state)
        else:
            found = _annealed_modulus(given, self._waves, flips, hot, cold, pairs, state)
        self.show(found)
        return found


def merit_factor(signs: Signs) -> float:
    """n^2 over twice the sum of the squared autocorrelations."""
    n = len(signs)
    found = np.correlate(signs.astype(np.float64), signs.astype(np.float64), "full")[n:]
    energy = float((found**2).sum())
    return n * n / (2.0 * energy) if energy else math.inf


def flatness(signs: Signs) -> float:
    """Minus the largest modulus on a fine grid of the circle, over sqrt(n)."""
    n = len(signs)
    return -float(np.abs(np.fft.rfft(signs.astype(np.float64), FINE * n)).max()) / math.sqrt(n)


@compiled("float64(int8[:], int64[:], int64, float64)")
def _energy_after(signs: Any, sums: Any, k: Any, change: Any) -> Any:
    """Turn sign k where `change` is 1; returns the energy with that sign turned."""
    energy, n = 0.0, len(signs)
    for shift in range(1, n):
        near = 0
        if k >= shift:
            near += signs[k - shift]
        if k + shift < n:
            near += signs[k + shift]
        after = sums[shift] - 2 * signs[k] * near
        energy += after * after
        if change > 0:
            sums[shift] = after
    if change > 0:
        signs[k] = -signs[k]
    return energy


@compiled("int8[:](int8[:], int64, float64, float64, int64, uint64[:])")
def _annealed_energy(start: Any, flips: int, hot: float, cold: float, pairs: int, state: Any) -> Any:
    n, signs = len(start), start.copy()
    sums, now = np.zeros(n, np.int64), 0.0
    for shift in range(1, n):
        for k in range(n - shift):
            sums[shift] += signs[k] * signs[k + shift]
        now += sums[shift] ** 2
    best, least = signs.copy(), now
    for count in range(flips):
        k = below(state, n)
        twin = n - 1 - k if pairs and n - 1 - k != k else -1
        after = _energy_after(signs, sums, k, 1.0 if twin >= 0 else 0.0)
        if twin >= 0:
            after = _energy_after(signs, sums, twin, 0.0)
        if after <= now or chance(state) < np.exp((now - after) / (now * hot * (cold / hot) ** (count / flips))):
            _energy_after(signs, sums, k if twin < 0 else twin, 1.0)
            now = after
            if now < least:
                best, least = signs.copy(), now
        elif twin >= 0:
            _energy_after(signs, sums, k, 1.0)
    return best


@compiled("UniTuple(float64, 2)(float64[:,:], float64[:,:,::1], int64, float64)")
def _turned(values: Any, waves: Any, k: Any, change: Any) -> Any:
    """Add a multiple of a wave; returns the 16-norm and the largest modulus."""
    total, top = 0.0, 0.0
    for at in range(values.shape[1]):
        values[0, at] += change * waves[0, k, at]
        values[1, at] += change * waves[1, k, at]
        square = values[0, at] ** 2 + values[1, at] ** 2
        top = max(top, square)
        total += square**8
    return total ** (1.0 / 16.0), np.sqrt(top)


@compiled("int8[:](int8[:], float64[:,:,::1], int64, float64, float64, int64, uint64[:])")
def _annealed_modulus(  # noqa: PLR0913, PLR0917 - the arrays of one search
    start: Any, waves: Any, flips: int, hot: float, cold: float, pairs: int, state: Any
) -> Any:
    n, signs = len(start), start.copy()
    values = np.zeros((2, waves.shape[2]))
    now, top = 0.0, 0.0
    for k in range(n):
        now, top = _turned(values, waves, k, float(signs[k]))
    best, least = signs.copy(), top
    for count in range(flips):
        k = below(state, n)
        twin = n - 1 - k if pairs and n - 1 - k != k else -1
        after, top = _turned(values, waves, k, -2.0 * signs[k])
        if twin >= 0:
            after, top = _turned(values, waves, twin, -2.0 * signs[twin])
        if after <= now or chance(state) < np.exp((now - after) / (now * hot * (cold / hot) ** (count / flips))):
            signs[k] = -signs[k]
            if twin >= 0:
                signs[twin] = -signs[twin]
            now = after
            if top < least:
                best, least = signs.copy(), top
        else:
            _turned(values, waves, k, 2.0 * signs[k])
            if twin >= 0:
                _turned(values, waves, twin, 2.0 * signs[twin])
    return best
