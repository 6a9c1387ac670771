"""The compiled interpreter: runs a batch of programs over blocks of points that stay in the fastest cache."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.canonical import live
from sandbox.symbolic.kernel import STRIDE, Floats, run_blocks
from sandbox.symbolic.program import Program
from sandbox.symbolic.screens import largest_errors, values
from sandbox.symbolic.vocabulary import Vocabulary

_CACHE_LINE: Final = 64


def evaluate(program: Program, vocabulary: Vocabulary, inputs: Sequence[Any]) -> Any:
    """Run one program the plain way, for any vocabulary: each function is called as it stands.

    `inputs` has one value per input (arrays, tensors, numbers); constants are passed as floats. A program whose
    output is a constant returns that float. Division by zero and overflow give inf or NaN without a warning.

    Raises:
        Exception: whatever a function of the problem's own vocabulary raises.
    """
    values: dict[int, Any] = dict(enumerate(inputs))

    def operand(k: int) -> Any:
        return values[k] if k >= 0 else program.constants[-1 - k]

    with np.errstate(all="ignore"):
        for i in live(program):
            instruction = program.instructions[i]
            apply = vocabulary.functions[instruction.function].apply
            values[len(inputs) + i] = apply(*(operand(a) for a in instruction.arguments))
    return operand(program.output)


def evaluate_batch(batch: ProgramBatch, points: Floats, *, device: str | None = None) -> Floats:
    """Values of every program at every point: `points[input, n]` in, `[program, n]` out, in the type of `points`.

    float32 points run in float32 arithmetic. Division by zero and overflow give inf or NaN without a warning.
    With a `device` ("cpu", "cuda", "cuda:1", "auto") torch computes there (see `screens`): the same values for
    + - * / sqrt abs minimum maximum, to a few ulp for the others.

    Raises:
        ValueError: `points` is not two-dimensional, or has another number of inputs than the batch.
        DeviceError: torch or the device is not there.
    """
    points = _checked(batch, points)
    if device is not None:
        return values(device, batch, points)
    outputs = np.empty((len(batch.lengths), points.shape[1]), dtype=points.dtype)
    nothing = np.empty(0)
    _run(batch, points, nothing, nothing, outputs)
    return outputs


def max_error_batch(
    batch: ProgramBatch,
    points: Floats,
    target: npt.NDArray[np.float64],
    *,
    relative: bool = True,
    device: str | None = None,
) -> npt.NDArray[np.float64]:
    """The largest error of every program over all points; inf if a value is not finite anywhere.

    Relative errors are divided by the target's size; where the target is 0 any error above 1e-28 counts as
    beyond measure (above 1e280). With float32 points the programs run in float32 and the errors are taken in float64.
    `device` is the one of `evaluate_batch`.

    Raises:
        ValueError: the shapes of `points`, `target` and the batch disagree, or the target is not finite.
        DeviceError: torch or the device is not there.
    """
    points = _checked(batch, points)
    target = np.asarray(target, dtype=np.float64)
    if target.shape != points.shape[1:] or not np.isfinite(target).all():
        raise ValueError(f"target must be {points.shape[1]} finite numbers, one per point, got shape {target.shape}")
    weights = np.ones_like(target)
    if relative:
        with np.errstate(divide="ignore", over="ignore"):
            weights = np.minimum(1.0 / np.abs(target), np.finfo(np.float64).max)
    if device is not None:
        errors = largest_errors(device, batch, points, target, weights)
    else:
        errors = _run(batch, points, _aligned(target), _aligned(weights), np.empty((0, 0), dtype=points.dtype))
    return np.where(np.isfinite(errors), errors, np.inf)


def _checked(batch: ProgramBatch, points: Floats) -> Floats:
    dtype = np.float32 if points.dtype == np.float32 else np.float64
    if points.ndim != 2 or points.shape[0] != batch.n_inputs:
        raise ValueError(f"points must have shape [{batch.n_inputs}, n] (one row per input), got {points.shape}")
    return np.ascontiguousarray(points, dtype=dtype)


def _run(
    batch: ProgramBatch,
    points: Floats,
    target: Floats,
    weights: Floats,
    outputs: Floats,
) -> npt.NDArray[np.float64]:
    registers = _aligned(np.zeros(max(batch.n_registers, 1) * STRIDE, dtype=points.dtype))
    errors = np.zeros(len(batch.lengths), dtype=np.int64)
    with np.errstate(all="ignore"):
        constants = batch.constants.astype(points.dtype, copy=False)
    code = (batch.code, batch.lengths, batch.outputs, constants)
    run_blocks(code, points, target, weights, registers, outputs, errors)
    return errors.view(np.float64)


def _aligned(values: Floats) -> Floats:
    """A copy that starts on a cache line: vectors that straddle two lines cost twice."""
    raw = np.empty(values.nbytes + _CACHE_LINE, dtype=np.uint8)
    start = -raw.ctypes.data % _CACHE_LINE
    aligned = raw[start : start + values.nbytes].view(values.dtype)
    aligned[:] = values
    return aligned
