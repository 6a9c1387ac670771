"""Compiled loops: the decorator, and random numbers from a state of one's own."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
State = npt.NDArray[np.uint64]


def compiled(signature: str) -> Callable[[Function], Function]:
    """Compile for these types when the module is imported, from the cache if there is one.

    A candidate's process has no time to compile, so the process that it is forked from imports the toolbox.
    """

    def decorate(function: Function) -> Function:
        try:
            return cast("Function", njit(signature, cache=True)(function))
        except RuntimeError:  # no folder for a cache can be written: it is compiled each time
            return cast("Function", njit(signature)(function))

    return decorate


def fresh_state(rng: np.random.Generator) -> State:
    """A state for `below` and `chance`, from a generator."""
    return np.array([rng.integers(1, 2**63)], np.uint64)


@compiled("uint64(uint64[:])")
def _next(state: Any) -> Any:
    """Xorshift64* (Vigna 2016, https://doi.org/10.1145/2845077)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return x * np.uint64(2685821657736338717)


@compiled("int64(uint64[:], int64)")
def below(state: Any, n: Any) -> Any:
    """A whole number from 0 to n - 1."""
    return np.int64((_next(state) >> np.uint64(32)) * np.uint64(n) >> np.uint64(32))


@compiled("float64(uint64[:])")
def chance(state: Any) -> Any:
    """A number in [0, 1)."""
    return np.float64(_next(state) >> np.uint64(11)) * 2.0**-53
