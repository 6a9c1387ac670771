"""Sets of integers: sums against differences, and differences that cover an interval.

A set is an array of 0 and 1, int8 of shape (size,): entry k says whether k is in it.
"""

import math
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.compiled import below, chance, compiled, fresh_state

Membership = npt.NDArray[np.int8]
FLIPS_PER_WORK = 10_000
SUMS = "sums"
LOGARITHM = "logarithm"
BASIS = "basis"
_GOALS = {SUMS: 0, LOGARITHM: 1, BASIS: 2}


class IntegerSet(Toolbox[Membership]):
    """Subsets of {0, ..., size - 1}.

    Goals: `sums` is |A+A| / |A-A|; `logarithm` is log|A+A| / log|A-A|; `basis` is v for the largest v such that all of
    1, ..., v are differences, against the square of the number of elements: v / |A|^2.
    """

    def __init__(self, size: int, goal: str = SUMS, *, work: float, seed: int, warm: Membership | None = None) -> None:
        super().__init__(self.reached, work=work, seed=seed, warm=warm)
        if goal not in _GOALS:
            raise ValueError(f"goal is {goal!r}, expected one of {', '.join(_GOALS)}")
        self.size, self._goal = size, _GOALS[goal]

    def reached(self, thing: Membership) -> float:
        """What the goal says; minus infinity for sets of fewer than two elements."""
        if int(thing.sum()) < 2:
            return -math.inf
        return float(_worth(_counts(thing), int(thing.sum()), self._goal))

    @step(START)
    def random(self, *, density: Annotated[float, Real(0.02, 0.9, 0.5)] = 0.5) -> Membership:
        """Each number with equal chance."""
        self.spend(SMALL_WORK)
        return (self.rng.random(self.size) < density).astype(np.int8)

    @step(START)
    def symmetric(self, *, density: Annotated[float, Real(0.02, 0.9, 0.5)] = 0.5) -> Membership:
        """A random set that is its own mirror image: as many sums as differences, one step from more."""
        half = self.random(density=density)
        return np.maximum(half, half[::-1])

    @step(START)
    def residues(self, *, power: Annotated[int, Whole(2, 6, 2)] = 2) -> Membership:
        """The powers modulo a random prime below the size, as numbers of the interval."""
        self.spend(0.1)
        primes = [q for q in range(3, self.size + 1) if all(q % d for d in range(2, math.isqrt(q) + 1))]
        chosen = np.zeros(self.size, np.int8)
        if primes:
            prime = int(self.rng.choice(primes))
            chosen[[pow(x, power, prime) for x in range(prime)]] = 1
        return chosen

    @step(START)
    def singer(self, *, order: Annotated[int, Whole(2, 31, 7)] = 7) -> Membership:
        """Singer's perfect difference set for the largest prime up to `order`, repeated as far as the size reaches."""
        self.spend(0.5)
        primes = [q for q in range(2, order + 1) if all(q % d for d in range(2, math.isqrt(q) + 1))]
        difference_set, modulus = perfect_difference_set(primes[-1])
        shift = int(self.rng.integers(0, modulus))
        chosen = np.zeros(self.size, np.int8)
        for element in difference_set:
            chosen[(element + shift) % modulus :: modulus] = 1
        return chosen

    @step(MOVE)
    def toggle(self, chosen: Membership, *, count: Annotated[int, Whole(1, 12, 2)] = 2) -> Membership:
        """Some numbers, in or out."""
        self.spend(SMALL_WORK)
        moved = chosen.copy()
        moved[self.rng.choice(self.size, min(count, self.size), replace=False)] ^= 1
        return moved

    @step(MOVE)
    def shift(self, chosen: Membership, *, most: Annotated[int, Whole(1, 10, 2)] = 2) -> Membership:
        """One element, moved by at most so much."""
        self.spend(SMALL_WORK)
        moved, places = chosen.copy(), np.flatnonzero(chosen)
        if len(places):
            old = int(self.rng.choice(places))
            moved[old] = 0
            moved[int(np.clip(old + self.rng.integers(-most, most + 1), 0, self.size - 1))] = 1
        return moved

    @step(SOLVE)
    def anneal(
        self,
        chosen: Membership,
        *,
        flips: Annotated[int, Whole(200, 500000, 20000)] = 20000,
        hot: Annotated[float, Real(1e-4, 1.0, 0.03)] = 0.03,
        cold: Annotated[float, Real(1e-6, 0.1, 0.002)] = 0.002,
    ) -> Membership:
        """Simulated annealing on single numbers and swaps; temperatures are in units of the goal."""
        self.spend(0.05 + flips / FLIPS_PER_WORK * self.size / 30.0)
        state = fresh_state(self.rng)
        found = np.asarray(
            _annealed(np.ascontiguousarray(chosen, np.int8), flips, hot, cold, self._goal, state), np.int8
        )
        self.show(found)
        return found


def perfect_difference_set(q: int) -> tuple[list[int], int]:
    """Give q + 1 residues modulo q^2 + q + 1, for a prime q, whose differences are all residues but 0, once each.

    Singer 1938 (https://doi.org/10.1090/S0002-9947-1938-1501951-4): the powers of a primitive element of GF(q^3) that
    lie in a plane.
    """
    modulus = q * q + q + 1
    for a in range(q):
        for b in range(q):
            for c in range(1, q):
                found = _plane_powers((c, b, a), q)
                if len(found) == q + 1 and _is_perfect(found, modulus):
                    return found, modulus
    raise ValueError(f"{q} is no prime")


def _plane_powers(cubic: tuple[int, int, int], q: int) -> list[int]:
    """Exponents k below q^2 + q + 1 for which x^k, modulo x^3 = c + b x + a x^2, has no term in x^2."""
    c, b, a = cubic
    element, found = (1, 0, 0), []
    for exponent in range(q * q + q + 1):
        if element[2] == 0:
            found.append(exponent)
        top = element[2]
        element = (c * top % q, (element[0] + b * top) % q, (element[1] + a * top) % q)
    return found


def _is_perfect(residues: list[int], modulus: int) -> bool:
    differences = {(x - y) % modulus for x in residues for y in residues if x != y}
    return len(differences) == modulus - 1


@compiled("UniTuple(int64, 3)(int8[:])")
def _counts(chosen: Any) -> Any:
    """The numbers of sums and of differences, and up to where all differences are there."""
    size = len(chosen)
    sums, differences = np.zeros(2 * size, np.int8), np.zeros(size, np.int8)
    for i in range(size):
        if chosen[i]:
            for j in range(i + 1):
                if chosen[j]:
                    sums[i + j] = 1
                    differences[i - j] = 1
    n_sums, n_differences, covered = 0, 0, 0
    for k in range(2 * size):
        n_sums += sums[k]
    for k in range(size):
        n_differences += differences[k]
    while covered + 1 < size and differences[covered + 1]:
        covered += 1
    return n_sums, 2 * n_differences - 1, covered


@compiled("float64(UniTuple(int64, 3), int64, int64)")
def _worth(counts: Any, elements: Any, goal: int) -> Any:
    n_sums, n_differences, covered = counts
    if goal == 0:
        return n_sums / n_differences
    if goal == 1:
        return np.log(n_sums) / np.log(n_differences)
    return covered / elements**2


@compiled("int64(int8[:], int64, uint64[:])")
def _partner(chosen: Any, one: Any, state: Any) -> Any:
    """For a swap, a number that is in if the other is out, or the reverse; -1 where there is to be none."""
    two = below(state, len(chosen))
    return -1 if chance(state) < 0.5 or chosen[two] == chosen[one] else two


@compiled("int8[:](int8[:], int64)")
def _flipped(chosen: Any, k: Any) -> Any:
    if k >= 0:
        chosen[k] ^= 1
    return chosen


@compiled("int8[:](int8[:], int64, float64, float64, int64, uint64[:])")
def _annealed(start: Any, flips: int, hot: float, cold: float, goal: int, state: Any) -> Any:
    size, chosen = len(start), start.copy()
    elements = 0
    for k in range(size):
        elements += chosen[k]
    while elements < 2:
        k = below(state, size)
        elements += 1 - chosen[k]
        chosen[k] = 1
    now = _worth(_counts(chosen), elements, goal)
    best, best_worth = chosen.copy(), now
    for count in range(flips):
        temperature = hot * (cold / hot) ** (count / flips)
        one = below(state, size)
        two = _partner(chosen, one, state)
        change = 1 - 2 * chosen[one] if two < 0 else 0
        if elements + change < 2:
            continue
        _flipped(_flipped(chosen, one), two)
        after = _worth(_counts(chosen), elements + change, goal)
        if after >= now or chance(state) < np.exp((after - now) / temperature):
            now, elements = after, elements + change
            if now > best_worth:
                best, best_worth = chosen.copy(), now
        else:
            _flipped(_flipped(chosen, one), two)
    return best
