"""The largest errors of a batch by a kernel of our own, where Triton is: all of a program in one go, on the chip.

`torch_screen` writes every value of every program to the card's memory and reads it back; here only programs and points
go in, and one number for each program comes out. It runs what rounds as the compiled interpreter does, bit by bit:
+ - * / sqrt abs minimum maximum. Batches with other functions are left to `torch_screen`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.kernel import SQRT, Floats
from sandbox.torch_device import TorchDevice

KERNEL: Final = "sandbox.symbolic.triton_kernel"
REGISTERS: Final = (4, 8, 16)
"""How many registers there are variants of the kernel for: more of them take longer, whether they are used or not."""

SPAN: Final = 1024
"""Points of one group of threads; the card works on the next so many points of a program at the same time."""

MOST_POINTS: Final = (1 << 31) - 1
"""Numbers of a table of points that the kernel's integers can count."""

IntArray = npt.NDArray[np.int64]


def is_installed() -> bool:
    """Whether Triton is: it comes with torch's builds for CUDA on Linux."""
    return find_spec("triton") is not None


def can_run(batch: ProgramBatch, points: Floats) -> bool:
    """Whether the kernel runs this batch, to the bits of the compiled interpreter."""
    return (
        _registers(batch).max(initial=0) <= REGISTERS[-1]
        and 0 < points.size <= MOST_POINTS
        and batch.n_inputs > 0
        and is_exact(batch)
    )


def is_exact(batch: ProgramBatch) -> bool:
    """Whether every operation of the batch is rounded as IEEE 754 has it, and so the same on every device."""
    return int(np.where(_is_used(batch), batch.code[:, :, 0], 0).max(initial=0)) <= SQRT


class TritonScreen:
    """Runs batches on one card.

    Args:
        opened: The card; or a processor, where Triton's interpreter runs the kernel (slowly: for tests).
        memory_bytes: What the programs on the card may take at a time.
    """

    def __init__(self, opened: TorchDevice, *, memory_bytes: int) -> None:
        self._opened, self._torch, self._device = opened, opened.torch, opened.device
        self.memory_bytes = memory_bytes
        self._kernel: Any = import_module(KERNEL)

    def largest_errors(
        self, batch: ProgramBatch, points: Floats, target: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """The largest `abs((value - target) * weight)` of every program, in float64; NaN where one of them is NaN."""
        errors = np.zeros(len(batch.lengths), dtype=np.int64)
        table = (self._tensor(points), self._tensor(target), self._tensor(weights))
        with np.errstate(all="ignore"):  # constants may be too large for float32
            batch = replace(batch, constants=batch.constants.astype(points.dtype, copy=False))
        for programs, n_registers in self._shares(batch, points.itemsize):
            errors[programs] = self._run(batch.take(programs), table, n_registers).cpu().numpy()
        return errors.view(np.float64)

    def _run(self, batch: ProgramBatch, table: tuple[Any, Any, Any], n_registers: int) -> Any:
        """The bits of the errors of programs that are content with so many registers."""
        torch, (points, target, weights) = self._torch, table
        n_points = points.shape[1]
        shape = (len(batch.lengths), -(-n_points // SPAN))
        errors = torch.empty(shape, dtype=torch.int64, device=self._device)
        with self._on_the_device():
            self._kernel.largest_errors[shape](
                *(self._tensor(each) for each in (batch.code, batch.constants, batch.lengths, batch.outputs)),
                points,
                target,
                weights,
                errors,
                n_points,
                batch.code.shape[1],
                SPAN,
                N_INPUTS=batch.n_inputs,
                N_REGISTERS=n_registers,
                BLOCK=self._kernel.BLOCK,
                **self._kernel.LAUNCH,
            )
        return errors.amax(dim=1)

    def _shares(self, batch: ProgramBatch, value_bytes: int) -> Iterator[tuple[IntArray, int]]:
        """Programs that fit together and the registers they need, few first; in each share longest first."""
        needed = np.searchsorted(REGISTERS, _registers(batch))
        for variant, n_registers in enumerate(REGISTERS):
            those = np.flatnonzero(needed == variant)
            order = those[np.argsort(-batch.lengths[those], kind="stable")]
            row_bytes = batch.code.itemsize * 4 + (8 + value_bytes) * 3
            start = 0
            while start < len(order):
                longest = max(int(batch.lengths[order[start]]), 1)
                stop = start + max(1, self.memory_bytes // (longest * row_bytes))
                yield order[start:stop], n_registers
                start = stop

    def _on_the_device(self) -> AbstractContextManager[Any]:
        """The card that Triton launches on; elsewhere Triton's interpreter runs the kernel, on numpy."""
        if self._opened.is_card:
            context: AbstractContextManager[Any] = self._torch.cuda.device(self._device)
            return context
        return np.errstate(all="ignore")

    def _tensor(self, array: npt.NDArray[Any]) -> Any:
        return self._torch.tensor(array, device=self._device)


def _is_used(batch: ProgramBatch) -> npt.NDArray[np.bool_]:
    used: npt.NDArray[np.bool_] = np.arange(batch.code.shape[1]) < batch.lengths[:, None]
    return used


def _registers(batch: ProgramBatch) -> IntArray:
    """How many registers each program writes or reads, and at least its inputs."""
    code, used = batch.code, _is_used(batch)
    places = np.where(used[:, :, None], code[:, :, 1:], 0).max(axis=(1, 2), initial=0)
    found: IntArray = np.maximum(np.maximum(places, batch.outputs) + 1, batch.n_inputs).astype(np.int64)
    return found
