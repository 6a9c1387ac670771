"""What a candidate is timed on: fresh inputs each time, and a check of every output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.shared import SharedArray, SharedMemory

Array = npt.NDArray[Any]
POISON = 0xFF
"""A byte that makes every float a NaN: what a program does not write is not right by chance."""


class WrongOutputError(ValueError):
    """An output is wrong; the text says on which task and how, for the candidate's record."""


class TooNoisyError(RuntimeError):
    """The times differ too much to say anything; not the candidate's fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedTask:
    """One kind of inputs.

    `draw(rng)` gives fresh input arrays, `outputs(*inputs)` arrays of the right shape, type and strides to be written
    to, whose values do not matter. `error(inputs, outputs)` is how wrong the outputs are: at most 1 is right, NaN is
    wrong, 0 is exact. It is asked about copies that no candidate can reach.
    """

    name: str
    draw: Callable[[np.random.Generator], Sequence[Array]]
    outputs: Callable[..., Sequence[Array]]
    error: Callable[[Sequence[Array], Sequence[Array]], float]

    def checked(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> float:
        """The error.

        Raises:
            WrongOutputError: it is above 1, or no number.
        """
        error = float(self.error(inputs, outputs))
        if not error <= 1.0:
            raise WrongOutputError(f"wrong on {self.name}: the error is {error:.3g} times the allowed one")
        return error


def laid_out(memory: SharedMemory, inputs: Sequence[Array], outputs: Sequence[Array]) -> list[SharedArray]:
    """Copies of the inputs, and poisoned places for the outputs, in shared memory; what lay there is gone."""
    memory.clear()
    placed = [_like(memory, each) for each in (*inputs, *outputs)]
    for array, place in zip(inputs, placed, strict=False):
        place.values[...] = array
    for place in placed[len(inputs) :]:
        # Rows with gaps are no bytes in a row, so the poison goes in through the values.
        place.values[...] = np.frombuffer(bytes([POISON]) * place.values.itemsize, place.values.dtype)[0]
    return placed


def _like(memory: SharedMemory, array: Array) -> SharedArray:
    is_plain = array.flags.c_contiguous
    return memory.array(array.shape, array.dtype, strides=None if is_plain else array.strides)
