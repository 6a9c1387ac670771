"""Memory that a controller shares with one candidate: large arrays cross the border without being sent."""

import fcntl
import math
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

ALIGNMENT = 4096
"""Arrays begin on pages of their own, so that no two share a line of a cache."""


@dataclass(frozen=True, slots=True, eq=False)
class SharedArray:
    """An array that lies in shared memory: as an argument of a call it is handed over by its place."""

    values: npt.NDArray[Any]
    offset: int


class SharedMemory:
    """The controller's end of memory that one candidate can read and write at any time, too.

    So nothing in it can be trusted while the candidate runs: it may change between two looks. Its size is sealed, or a
    candidate could end its controller by making it smaller.
    """

    def __init__(self, n_bytes: int) -> None:
        """Make it, filled with zeros; no page is taken before it is touched.

        Raises:
            OSError: there is not so much, or no descriptor is left.
        """
        self._descriptor = os.memfd_create("shared", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self._descriptor, n_bytes)
            fcntl.fcntl(
                self._descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
            )
            self._memory = mmap.mmap(self._descriptor, n_bytes)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._used = 0

    @property
    def descriptor(self) -> int:
        """For the other side, until `give_away`."""
        return self._descriptor

    def give_away(self) -> None:
        """Close the descriptor, which the other side has by now; harmless when repeated."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def array(
        self, shape: Sequence[int], dtype: npt.DTypeLike = np.float64, *, strides: Sequence[int] | None = None
    ) -> SharedArray:
        """A place for an array that no other array since the last `clear` has; its values are what lies there.

        `strides` are in bytes, for arrays with gaps; none may be negative.

        Raises:
            MemoryError: there is not so much room left.
        """
        kind = np.dtype(dtype)
        size = extent(shape, kind.itemsize, strides)
        offset = -(-self._used // ALIGNMENT) * ALIGNMENT
        if offset + size > len(self._memory):
            raise MemoryError(
                f"{size} bytes do not fit into shared memory, of whose {len(self._memory)} bytes {self._used} are "
                "taken: raise [limits] shared_mb"
            )
        self._used = offset + size
        return SharedArray(placed(self._memory, kind, shape, offset, strides), offset)

    def clear(self) -> None:
        """Take all arrays back: the next ones may lie where they lay."""
        self._used = 0


def extent(shape: Sequence[int], itemsize: int, strides: Sequence[int] | None) -> int:
    """The bytes from the first to the end of the last element."""
    if math.prod(shape) == 0:
        return 0
    if strides is None:
        return math.prod(shape) * itemsize
    return sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True)) + itemsize


def placed(
    memory: mmap.mmap, dtype: np.dtype[Any], shape: Sequence[int], offset: int, strides: Sequence[int] | None
) -> npt.NDArray[Any]:
    """An array over shared memory, which it keeps alive.

    Raises:
        ValueError, TypeError: it does not lie inside.
    """
    steps = None if strides is None else tuple(strides)
    return np.ndarray(tuple(shape), dtype, buffer=memory, offset=offset, strides=steps)
