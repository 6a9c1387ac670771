"""The interpreter's batches on torch: the same code on a CPU and on a GPU, one call for all programs at the same step.

Every value of every program is a row of one table, one column per point. Rows are sorted by step and by operation, so
that what runs together lies together and is written in place; only operands are gathered.

+ - * / sqrt abs minimum maximum round as in the compiled interpreter, bit by bit: products and sums are separate calls,
which no compiler fuses, and constants are tensors, because torch may divide by a plain number as a product with its
reciprocal. The other functions are torch's own and may differ in the last bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.kernel import (
    ABS,
    ADD,
    AFFINE,
    CONSTANT_DIV,
    COS,
    DIV,
    DIV_CONSTANT,
    EXP,
    FILL,
    LAST_OF_TWO,
    LAST_WITH_CONSTANT,
    LOG,
    MAX,
    MAX_CONSTANT,
    MIN,
    MIN_CONSTANT,
    MUL,
    SCALING,
    SIN,
    SQRT,
    SUB,
    TANH,
    Floats,
)
from sandbox.torch_device import TorchDevice

CPU_BYTES: Final = 32 << 20
"""Memory of one chunk on a CPU: about what its last cache holds, measured (smaller chunks pay for calls)."""

GPU_BYTES: Final = 2 << 30
"""Memory of one chunk on a GPU, if a quarter of what is free is not less: many times what its cores work on at once."""

IntArray = npt.NDArray[np.int64]

_MOST_KINDS: Final = 32
_SPARE_ROWS: Final = 4
"""Rows per program beside the table: an operand, a mask and an error in float64."""

_VALUE_BYTES: Final = 8
"""Of one value; errors of float32 programs are taken in float64 too."""

_LINK_BYTES: Final = 256
"""Of one row: its code, its constants and their places, before and after sorting."""

_NAMES: Final = {ABS: "abs", EXP: "exp", LOG: "log", SIN: "sin", COS: "cos", TANH: "tanh"}


@dataclass(frozen=True, slots=True)
class _Segment:
    """Rows of the table that one operation fills in one step."""

    operation: int
    start: int
    stop: int
    is_scaled: bool
    is_shifted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Linked:
    """Some programs as segments of a table whose first rows are the inputs; `outputs` has a row for each program.

    `left`, `right` (rows) and `constants` (operand, scale, shift) have one entry for each row after the inputs.
    """

    segments: tuple[_Segment, ...]
    left: Any
    right: Any
    constants: Any
    outputs: Any
    n_inputs: int
    n_rows: int


class TorchScreen:
    """Runs batches on one device.

    Args:
        opened: The device.
        memory_bytes: What one chunk of programs and points may take beside the batch, the points and the result.
            Less than one program needs at one point is taken as just that.
    """

    def __init__(self, opened: TorchDevice, *, memory_bytes: int | None = None) -> None:
        self._torch, self._device = opened.torch, opened.device
        self.memory_bytes = _default_bytes(opened) if memory_bytes is None else memory_bytes

    def values(self, batch: ProgramBatch, points: Floats) -> Floats:
        """Values of every program at every point, as `evaluate_batch` gives them."""
        values = np.empty((len(batch.lengths), points.shape[1]), dtype=points.dtype)
        for programs, columns, computed in self._chunks(batch, points):
            values[programs, columns] = computed.cpu().numpy()
        return values

    def largest_errors(
        self, batch: ProgramBatch, points: Floats, target: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """The largest `abs((value - target) * weight)` of every program, in float64; NaN where one of them is NaN."""
        torch = self._torch
        errors = torch.zeros(len(batch.lengths), dtype=torch.float64, device=self._device)
        wanted, weight = self._tensor(target), self._tensor(weights)
        for programs, columns, computed in self._chunks(batch, points):
            difference = computed.double().sub_(wanted[columns]).mul_(weight[columns]).abs_()
            which = self._tensor(programs)
            errors[which] = torch.maximum(errors[which], difference.amax(dim=1))
        found: npt.NDArray[np.float64] = errors.cpu().numpy()
        return found

    def _chunks(self, batch: ProgramBatch, points: Floats) -> Iterator[tuple[IntArray, slice, Any]]:
        """The values of some programs at some points: which programs, which points, and a tensor of both."""
        if not points.shape[1]:
            return
        for programs, n_points in self._shares(batch, points):
            linked = self._linked(batch.take(programs), points.dtype)
            for start in range(0, points.shape[1], n_points):
                columns = slice(start, min(start + n_points, points.shape[1]))
                yield programs, columns, self._run(linked, self._tensor(points[:, columns]))

    def _shares(self, batch: ProgramBatch, points: Floats) -> Iterator[tuple[IntArray, int]]:
        """Programs that fit together, and how many points at a time; longest first, so that few rows are padding."""
        order = np.argsort(-batch.lengths, kind="stable")
        rows = batch.lengths[order].tolist()
        most = max(rows, default=0) + _SPARE_ROWS + batch.n_inputs
        n_points = min(points.shape[1], max(1, (self.memory_bytes // most - _LINK_BYTES) // _VALUE_BYTES))
        n_rows = self.memory_bytes // (n_points * _VALUE_BYTES + _LINK_BYTES) - batch.n_inputs
        start = 0
        while start < len(order):
            stop = start + max(1, n_rows // (rows[start] + _SPARE_ROWS))
            yield order[start:stop], n_points
            start = stop

    def _linked(self, batch: ProgramBatch, dtype: np.dtype[Any]) -> _Linked:
        """Give every value a row of its own, and sort the rows by step and operation."""
        torch = self._torch
        code = self._tensor(batch.code).long()
        lengths = self._tensor(batch.lengths)
        is_used = torch.arange(code.shape[1], device=self._device) < lengths[:, None]
        with np.errstate(all="ignore"):
            constants = self._tensor(batch.constants.astype(dtype, copy=False)).flatten(0, 1)
        kinds = self._kinds(code, constants).masked_fill(~is_used, torch.iinfo(torch.int64).max).flatten()
        n_rows = int(batch.lengths.sum())
        order = kinds.argsort(stable=True)[:n_rows]
        row_of = torch.zeros_like(kinds)
        row_of[order] = torch.arange(batch.n_inputs, batch.n_inputs + n_rows, device=self._device)
        left, right, outputs = self._operands(batch, code, row_of.view(code.shape[:2]))
        return _Linked(
            segments=tuple(self._segments(kinds[order], batch.n_inputs)),
            left=left.flatten()[order],
            right=right.flatten()[order],
            constants=constants[order],
            outputs=outputs,
            n_inputs=batch.n_inputs,
            n_rows=batch.n_inputs + n_rows,
        )

    def _kinds(self, code: Any, constants: Any) -> Any:
        """One number for what may run together: step, operation, whether it scales, whether it shifts."""
        scale, shift = constants.view(*code.shape[:2], 3)[:, :, 1:].unbind(dim=2)
        is_scaled = scale != 1.0
        is_shifted = (shift != 0.0) | ~shift.signbit()
        steps = self._torch.arange(code.shape[1], device=self._device)
        return ((steps * _MOST_KINDS + code[:, :, 0]) * 2 + is_scaled) * 2 + is_shifted

    def _operands(self, batch: ProgramBatch, code: Any, row_of: Any) -> tuple[Any, Any, Any]:
        """The rows that each row reads, and those of the outputs: step by step, who wrote a register last."""
        torch = self._torch
        registers = torch.arange(max(batch.n_registers, 1), device=self._device)
        holder = registers.expand(len(code), -1).clone()
        reads = torch.empty_like(code[:, :, :2])
        for step in range(code.shape[1]):
            reads[:, step] = holder.gather(1, code[:, step, 2:])
            # Padding has zeros throughout: it says that row 0 is in register 0, where the first input is anyway.
            holder.scatter_(1, code[:, step, 1:2], row_of[:, step, None])
        outputs = holder.gather(1, self._tensor(batch.outputs).long()[:, None])
        return reads[:, :, 0], reads[:, :, 1], outputs[:, 0]

    def _segments(self, kinds: Any, start: int) -> Iterator[_Segment]:
        for kind, count in zip(*(each.tolist() for each in kinds.unique_consecutive(return_counts=True)), strict=True):
            operation = kind // 4 % _MOST_KINDS
            scales = operation in SCALING
            yield _Segment(operation, start, start + count, scales and kind & 2 > 0, scales and kind & 1 > 0)
            start += count

    def _run(self, linked: _Linked, points: Any) -> Any:
        table = self._torch.empty((linked.n_rows, points.shape[1]), dtype=points.dtype, device=self._device)
        table[: linked.n_inputs] = points
        for segment in linked.segments:
            self._fill(segment, linked, table)
        return table.index_select(0, linked.outputs)

    def _fill(self, segment: _Segment, linked: _Linked, table: Any) -> None:
        here = slice(segment.start - linked.n_inputs, segment.stop - linked.n_inputs)
        known, result = table[: segment.start], table[segment.start : segment.stop]
        constant, scale, shift = linked.constants[here].unsqueeze(2).unbind(dim=1)
        if segment.operation == FILL:
            result.copy_(constant.expand_as(result))
            return
        self._torch.index_select(known, 0, linked.left[here], out=result)
        if segment.operation <= LAST_OF_TWO:
            self._combine(segment.operation, result, known.index_select(0, linked.right[here]))
        elif segment.operation <= LAST_WITH_CONSTANT:
            self._combine(segment.operation, result, constant)
        else:
            self._apply(segment.operation, result)
        if segment.is_scaled:
            result.mul_(scale)
        if segment.is_shifted:
            result.add_(shift)

    def _combine(self, operation: int, left: Any, right: Any) -> None:
        torch = self._torch
        if operation in (MIN, MIN_CONSTANT):  # torch's own may take either of two zeros
            torch.where((left <= right) | left.isnan(), left, right, out=left)
        elif operation in (MAX, MAX_CONSTANT):
            torch.where((left >= right) | left.isnan(), left, right, out=left)
        elif operation == CONSTANT_DIV:
            torch.div(right, left, out=left)
        elif operation != AFFINE:
            {ADD: left.add_, SUB: left.sub_, MUL: left.mul_, DIV: left.div_, DIV_CONSTANT: left.div_}[operation](right)

    def _apply(self, operation: int, values: Any) -> None:
        if operation != SQRT:
            getattr(self._torch, _NAMES[operation])(values, out=values)
        elif values.is_cuda:
            self._torch.sqrt(values, out=values)
        else:  # torch asks MKL, which is a bit off now and then; numpy rounds as IEEE 754 has it
            with np.errstate(invalid="ignore"):
                np.sqrt(values.numpy(), out=values.numpy())

    def _tensor(self, array: npt.NDArray[Any]) -> Any:
        return self._torch.tensor(array, device=self._device)


def _default_bytes(opened: TorchDevice) -> int:
    free = opened.free_bytes()
    return CPU_BYTES if free is None else min(GPU_BYTES, free // 4)
