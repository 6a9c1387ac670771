"""Memory of a graphics card that a controller shares with one candidate: arrays cross the border without leaving it.

The controller makes a piece of the card's memory and exports it as a descriptor, which goes to the candidate's process
when that starts; there it is mapped at an address of its own. The descriptor is the only right that counts, so this
works between different users and namespaces, where CUDA's older way (`cuIpcGetMemHandle`) does not.
https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__VA.html

Never tried on a card: written from that page, and tested against a library that plays the driver.
"""

import ctypes
import math
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.errors import SandboxError

LIBRARY = "libcuda.so.1"
ALIGNMENT = 4096
_DEVICE = 1  # kinds of places: a card, by its number
_PINNED, _AS_DESCRIPTOR, _MAY_READ_AND_WRITE, _SMALLEST = 1, 1, 3, 0
_OUT_OF_MEMORY = 2
_FIRST_CARD = 0  # of those that this process sees; judge and candidate see the same


class _Place(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int), ("number", ctypes.c_int))


class _Wanted(ctypes.Structure):  # CUmemAllocationProp
    _fields_ = (
        ("kind", ctypes.c_int),
        ("exported_as", ctypes.c_int),
        ("place", _Place),
        ("only_on_windows", ctypes.c_void_p),
        ("flags", ctypes.c_ubyte * 8),
    )


class _Access(ctypes.Structure):  # CUmemAccessDesc
    _fields_ = (("place", _Place), ("flags", ctypes.c_int))


@dataclass(frozen=True, slots=True, eq=False)
class CardArray:
    """An array in shared memory of a card: as an argument of a call it is handed over by its place.

    `address` is where it lies in this process.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    address: int

    def tensor(self, torch: Any) -> Any:
        """The same memory as a tensor; `torch` is the module."""
        return torch.as_tensor(_Exposed(self), device="cuda")


class _Exposed:
    """What torch asks for: https://numba.readthedocs.io/en/stable/cuda/cuda_array_interface.html."""

    def __init__(self, array: CardArray) -> None:
        self.__cuda_array_interface__ = {
            "shape": array.shape,
            "typestr": array.dtype.str,
            "data": (array.address, False),
            "version": 3,
        }


class MappedCardMemory:
    """A piece of a card's memory at an address of this process; it stays until the process ends or `close`."""

    def __init__(self, n_bytes: int, descriptor: int | None = None) -> None:
        """Map what a descriptor stands for, or make new memory.

        Raises:
            SandboxError: the driver refused; the text names the call.
        """
        self._cuda = _started()
        wanted = _Wanted(kind=_PINNED, exported_as=_AS_DESCRIPTOR, place=_Place(_DEVICE, _FIRST_CARD))
        step = ctypes.c_size_t()
        self._ask("cuMemGetAllocationGranularity", ctypes.byref(step), ctypes.byref(wanted), _SMALLEST)
        self.n_bytes = -(-n_bytes // step.value) * step.value
        self._handle = ctypes.c_ulonglong()
        size = ctypes.c_size_t(self.n_bytes)
        if descriptor is None:
            self._ask("cuMemCreate", ctypes.byref(self._handle), size, ctypes.byref(wanted), ctypes.c_ulonglong(0))
        else:
            named = ctypes.c_void_p(descriptor)
            self._ask("cuMemImportFromShareableHandle", ctypes.byref(self._handle), named, _AS_DESCRIPTOR)
        self.address = 0
        try:
            self._map(size)
        except SandboxError:
            self._give_back(("cuMemRelease", (self._handle,)))
            raise

    def _map(self, size: ctypes.c_size_t) -> None:
        place, zero = ctypes.c_ulonglong(), ctypes.c_ulonglong(0)
        self._ask("cuMemAddressReserve", ctypes.byref(place), size, ctypes.c_size_t(0), zero, zero)
        try:
            self._ask("cuMemMap", place, size, ctypes.c_size_t(0), self._handle, zero)
            access = _Access(place=_Place(_DEVICE, _FIRST_CARD), flags=_MAY_READ_AND_WRITE)
            self._ask("cuMemSetAccess", place, size, ctypes.byref(access), ctypes.c_size_t(1))
        except SandboxError:
            self._give_back(("cuMemUnmap", (place, size)), ("cuMemAddressFree", (place, size)))
            raise
        self.address = place.value

    def exported(self) -> int:
        """A descriptor for it, which the caller owns.

        Raises:
            SandboxError: the driver refused.
        """
        descriptor = ctypes.c_int(-1)
        self._ask(
            "cuMemExportToShareableHandle",
            ctypes.byref(descriptor),
            self._handle,
            _AS_DESCRIPTOR,
            ctypes.c_ulonglong(0),
        )
        return descriptor.value

    def array(self, shape: Sequence[int], dtype: npt.DTypeLike, offset: int) -> CardArray:
        """An array that lies there.

        Raises:
            ValueError: it does not lie inside.
        """
        kind = np.dtype(dtype)
        if offset < 0 or offset % kind.itemsize or offset + math.prod(shape) * kind.itemsize > self.n_bytes:
            raise ValueError(f"no array of shape {tuple(shape)} lies at {offset} in {self.n_bytes} bytes of the card")
        return CardArray(tuple(shape), kind, offset, self.address + offset)

    def close(self) -> None:
        """Give the memory back; nothing may use it any more. Harmless when repeated."""
        if self.address:
            place, size = ctypes.c_ulonglong(self.address), ctypes.c_size_t(self.n_bytes)
            self.address = 0
            errors = self._give_back(
                ("cuMemUnmap", (place, size)), ("cuMemAddressFree", (place, size)), ("cuMemRelease", (self._handle,))
            )
            if errors:
                raise errors[0]

    def _give_back(self, *calls: tuple[str, tuple[Any, ...]]) -> list[SandboxError]:
        """Ask all of it, whatever the driver says; what it refused."""
        errors = []
        for name, arguments in calls:
            try:
                self._ask(name, *arguments)
            except SandboxError as error:
                errors.append(error)
        return errors

    def _ask(self, name: str, *arguments: Any) -> None:
        _ask(self._cuda, name, *arguments)


class CardMemory:
    """The controller's end: memory that one candidate can read and write at any time, as its kernels can.

    They go on when its process stands still. So whoever reads here copies first, and looks at the copy.
    """

    def __init__(self, n_bytes: int) -> None:
        """Make it; what lies there is anything.

        Raises:
            SandboxError: the driver refused, or there is none.
        """
        self._memory = MappedCardMemory(n_bytes)
        try:
            self._descriptor = self._memory.exported()
        except SandboxError:
            with suppress(SandboxError):
                self._memory.close()
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

    def array(self, shape: Sequence[int], dtype: npt.DTypeLike = np.float32) -> CardArray:
        """A place for an array that no other array since the last `clear` has.

        Raises:
            MemoryError: there is not so much room left.
        """
        offset = -(-self._used // ALIGNMENT) * ALIGNMENT
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if offset + size > self._memory.n_bytes:
            raise MemoryError(
                f"{size} bytes do not fit into the card's shared memory, of whose {self._memory.n_bytes} bytes "
                f"{self._used} are taken: raise [limits] gpu_shared_mb"
            )
        self._used = offset + size
        return self._memory.array(shape, dtype, offset)

    def clear(self) -> None:
        """Take all arrays back: the next ones may lie where they lay."""
        self._used = 0

    def close(self) -> None:
        """Give it back to the card; harmless when repeated."""
        self.give_away()
        self._memory.close()


def _started() -> Any:
    """The driver, with the context that torch uses as the current one of this thread.

    Raises:
        SandboxError: there is no driver, or no card.
    """
    try:
        cuda = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise SandboxError(f"memory of a card cannot be shared: {error}") from error
    card, context = ctypes.c_int(), ctypes.c_void_p()
    _ask(cuda, "cuInit", 0)
    _ask(cuda, "cuDeviceGet", ctypes.byref(card), _FIRST_CARD)
    _ask(cuda, "cuDevicePrimaryCtxRetain", ctypes.byref(context), card)
    _ask(cuda, "cuCtxSetCurrent", context)
    return cuda


def _ask(cuda: Any, name: str, *arguments: Any) -> None:
    number = getattr(cuda, name)(*arguments)
    if number != 0:
        short = ": no such room is left on the card" if number == _OUT_OF_MEMORY else ""
        raise SandboxError(f"memory of a card cannot be shared: {name} gave the error {number}{short}")
