"""What a candidate is timed on: fresh inputs each time, and a check of every output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.shared import SharedArray, SharedMemory
from sandbox.wire import DTYPES

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
    wrong, 0 is exact. It is asked about copies that no candidate can reach. Arrays are numpy's, or what the timer's
    bench takes.
    """

    name: str
    draw: Callable[[np.random.Generator], Sequence[Any]]
    outputs: Callable[..., Sequence[Any]]
    error: Callable[[Sequence[Any], Sequence[Any]], float]

    def drawn(self, rng: np.random.Generator) -> Sequence[Any]:
        """Fresh inputs.

        Raises:
            TypeError: `draw` gave something else.
        """
        return _arrays(f"draw of the task {self.name!r}", self.draw(rng))

    def places(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Arrays like the outputs.

        Raises:
            TypeError: `outputs` gave something else.
        """
        return _arrays(f"outputs of the task {self.name!r}", self.outputs(*inputs))

    def error_of(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> float:
        """How wrong the outputs are.

        Raises:
            TypeError: `error` gave something else than a number.
        """
        error = self.error(inputs, outputs)
        try:
            return float(error)
        except (TypeError, ValueError):
            got = type(error).__name__ + (f" of shape {tuple(error.shape)}" if hasattr(error, "shape") else "")
            raise TypeError(
                f"error of the task {self.name!r} gave {got}, expected one number: the largest of all errors, 1 for "
                "what is just allowed"
            ) from None

    def checked(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> float:
        """The error.

        Raises:
            WrongOutputError: it is above 1, or no number.
        """
        error = self.error_of(inputs, outputs)
        if not error <= 1.0:
            raise WrongOutputError(f"wrong on {self.name}: the error is {error:.3g} times the allowed one")
        return error


def _arrays(what: str, given: Any) -> Sequence[Any]:
    """What a problem's function gave, if it is a tuple or list of arrays."""
    if isinstance(given, tuple | list) and all(hasattr(each, "dtype") and hasattr(each, "shape") for each in given):
        return given
    inside = f" with {type(given[0]).__name__} in it" if isinstance(given, tuple | list) and given else ""
    raise TypeError(f"{what} gave {type(given).__name__}{inside}, expected a tuple of arrays, such as (x,)")


def laid_out(memory: SharedMemory, inputs: Sequence[Array], outputs: Sequence[Array]) -> list[SharedArray]:
    """Copies of the inputs, and poisoned places for the outputs, in shared memory; what lay there is gone.

    Raises:
        ValueError: there is not so much room, or an array holds other things than numbers.
    """
    memory.clear()
    placed = [_like(memory, each) for each in (*inputs, *outputs)]
    for array, place in zip(inputs, placed, strict=False):
        place.values[...] = array
    for place in placed[len(inputs) :]:
        # Rows with gaps are no bytes in a row, so the poison goes in through the values.
        place.values[...] = np.frombuffer(bytes([POISON]) * place.values.itemsize, place.values.dtype)[0]
    return placed


def _like(memory: SharedMemory, array: Array) -> SharedArray:
    if array.dtype.str not in DTYPES:
        raise ValueError(
            f"an array of {array.dtype} cannot be shared: allowed are {', '.join(map(str, DTYPES.values()))}"
        )
    is_plain = array.flags.c_contiguous
    try:
        return memory.array(array.shape, array.dtype, strides=None if is_plain else array.strides)
    except MemoryError as error:  # of shared memory, which is not what else is called so
        raise ValueError(str(error)) from None
