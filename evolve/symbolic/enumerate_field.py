"""Arithmetic modulo the prime 2^61 - 1, to tell functions apart: equal values at random points mean equal functions."""

import numpy as np
import numpy.typing as npt

from evolve.symbolic.kernel import compiled

PRIME = np.uint64((1 << 61) - 1)
HALF = np.uint64(1 << 60)
WordArray = npt.NDArray[np.uint64]

ZERO = np.uint64(0)
ONE = np.uint64(1)
_LOW31 = np.uint64((1 << 31) - 1)
_LOW30 = np.uint64((1 << 30) - 1)
_S30, _S31, _S61 = np.uint64(30), np.uint64(31), np.uint64(61)
_S27, _S33 = np.uint64(27), np.uint64(33)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)


@compiled
def plus(a: np.uint64, b: np.uint64) -> np.uint64:
    """Sum of two."""
    total = a + b
    return total - PRIME if total >= PRIME else total


@compiled
def negated(a: np.uint64) -> np.uint64:
    """The number that makes 0 with it."""
    return ZERO if a == ZERO else PRIME - a


@compiled
def times(a: np.uint64, b: np.uint64) -> np.uint64:
    """Product of two, from 31-bit halves, with 2^61 = 1 and 2^62 = 2."""
    high_a, low_a = a >> _S31, a & _LOW31
    high_b, low_b = b >> _S31, b & _LOW31
    middle = high_a * low_b + low_a * high_b
    total = ((high_a * high_b) << ONE) + (middle >> _S30) + ((middle & _LOW30) << _S31) + low_a * low_b
    total = (total & PRIME) + (total >> _S61)
    return total - PRIME if total >= PRIME else total


@compiled
def inverse(a: np.uint64) -> np.uint64:
    """1 / a, as a to the power p - 2 (Fermat); 0 for 0."""
    result, power, exponent = ONE, a, PRIME - np.uint64(2)
    while exponent > ZERO:
        if exponent & ONE:
            result = times(result, power)
        power = times(power, power)
        exponent >>= ONE
    return result


@compiled
def mixed(a: np.uint64, b: int) -> np.uint64:
    """A number below the prime that looks random, from two others (the mixing steps of splitmix64)."""
    z = (a + np.uint64(b + 1) * _STEP) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    z = (z ^ (z >> _S33)) * _MIX1
    return np.uint64(z ^ (z >> _S30)) % PRIME
