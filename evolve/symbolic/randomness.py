"""A random stream that compiled code can carry as an array of one uint64 (splitmix64, Steele et al. 2014)."""

from math import cos, log, pi, sqrt

import numpy as np
import numpy.typing as npt

from evolve.symbolic.kernel import compiled

RandomState = npt.NDArray[np.uint64]


@compiled
def next_uint64(state: RandomState) -> np.uint64:
    """Advance the stream by one 64-bit number."""
    state[0] = state[0] + np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.uint64(z ^ (z >> np.uint64(31)))


@compiled
def uniform(state: RandomState) -> float:
    """Draw from [0, 1)."""
    return float(next_uint64(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def below(state: RandomState, n: int) -> int:
    """Draw from 0 .. n-1."""
    return int(uniform(state) * n)


@compiled
def normal(state: RandomState) -> float:
    """Draw from the standard normal distribution."""
    radius = sqrt(-2.0 * log(1.0 - uniform(state)))
    return radius * cos(2.0 * pi * uniform(state))
