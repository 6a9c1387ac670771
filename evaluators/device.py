"""Where a batched evaluator computes, and how to get the same numbers there: for families that judge many at once.

One text for both devices: tensors are made on `device_for(spec).device`, under `repeatable`, in `chunks` that fit; a
test compares both devices by `compare`. Where scores must not depend on the device, let the card decide what is worth
an evaluation, and evaluate on the CPU.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from evaluators.spec import GPUS_IF_ANY, JudgeSpec
from sandbox.torch_device import DeviceError, TorchDevice, open_device

__all__ = ["Comparison", "DeviceError", "TorchDevice", "chunks", "compare", "device_for", "open_device", "repeatable"]

SHARE: Final = 0.25
"""How much of a card's free memory one chunk takes: four workers may share a card."""

CPU_BYTES: Final = 256 << 20
"""Memory of one chunk on a processor."""

_CUBLAS: Final = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
"""What cuBLAS needs to be told, before its first product, to add in the same order every time."""

_UNSIGNED: Final = {2: np.uint16, 4: np.uint32, 8: np.uint64}


def device_for(spec: JudgeSpec) -> TorchDevice:
    """The device of a judge: the cards that it was given, as `[sandbox] gpus` says, else the processor.

    Show the device's `notice`: a problem that takes a card if there is one runs on the CPU now.

    Raises:
        DeviceError: a card is needed, and torch is not installed or sees none.
    """
    if not spec.gpus:
        return open_device("cpu")
    return open_device("auto" if GPUS_IF_ANY in spec.gpus else "cuda")


@contextmanager
def repeatable(opened: TorchDevice, *, rng_seed: int) -> Iterator[None]:
    """Torch so that the same program gives the same bits every time, and a card rounds as a processor does.

    Products of float32 are taken in float32 (no TF32), sums of half-precision products too; operations that have no
    fixed order raise RuntimeError. Random numbers start from `rng_seed`, on a generator of each device: for the same
    numbers on both, draw them on the CPU and move them. All settings are as before afterwards.
    """
    torch = opened.torch
    os.environ.setdefault(*_CUBLAS)
    products = torch.backends.cuda.matmul
    halves = ("allow_fp16_reduced_precision_reduction", "allow_bf16_reduced_precision_reduction")
    before = {name: getattr(products, name) for name in halves}
    precision, is_strict = torch.get_float32_matmul_precision(), torch.are_deterministic_algorithms_enabled()
    only_warns = torch.is_deterministic_algorithms_warn_only_enabled()
    cards = [opened.device] if opened.is_card else []
    cudnn = torch.backends.cudnn
    exact = cudnn.flags(enabled=cudnn.enabled, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.random.fork_rng(devices=cards), exact:
        try:
            for name in halves:
                setattr(products, name, False)
            torch.set_float32_matmul_precision("highest")
            torch.use_deterministic_algorithms(True)
            torch.manual_seed(rng_seed)
            yield
        finally:
            torch.use_deterministic_algorithms(is_strict, warn_only=only_warns)
            torch.set_float32_matmul_precision(precision)
            for name in halves:
                setattr(products, name, before[name])


def chunks(n: int, *, bytes_each: int, opened: TorchDevice, share: float = SHARE) -> Iterator[slice]:
    """Slices of `n` items that fit into memory together, if each needs `bytes_each` at its peak; never less than one.

    What is free on a card is asked once, when the first slice is taken.
    """
    free = opened.free_bytes()
    room = CPU_BYTES if free is None else int(free * share)
    size = max(1, room // max(bytes_each, 1))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How two arrays of numbers differ.

    `n_other_bits` counts the values that are not the same number (any NaN is the same as any other, zeros of both signs
    are not); `most_ulp` is how many numbers of that type lie between two values at most, infinite if only one is NaN.
    """

    n_values: int
    n_other_bits: int
    most_ulp: float


def compare(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> Comparison:
    """Compare numbers of one device with those of another.

    Raises:
        ValueError: the arrays differ in shape or type, or are not of floating-point numbers.
    """
    if found.shape != expected.shape or found.dtype != expected.dtype or found.dtype.kind != "f":
        raise ValueError(
            f"got {found.dtype}{list(found.shape)} and {expected.dtype}{list(expected.shape)}, "
            f"expected two arrays of floating-point numbers alike in type and shape"
        )
    is_nan = np.isnan(found), np.isnan(expected)
    both = is_nan[0] & is_nan[1]
    ranks = _rank(found), _rank(expected)
    apart = np.where(both, 0.0, np.where(is_nan[0] | is_nan[1], np.inf, np.maximum(*ranks) - np.minimum(*ranks)))
    n_other = int(np.count_nonzero(apart))
    return Comparison(n_values=found.size, n_other_bits=n_other, most_ulp=float(apart.max(initial=0.0)))


def _rank(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The place of each number among all of its type, as an unsigned integer: neighbours differ by 1."""
    unsigned: Any = _UNSIGNED[values.dtype.itemsize]
    bits = np.ascontiguousarray(values).view(unsigned)
    sign = unsigned(1) << unsigned(8 * values.dtype.itemsize - 1)
    ranks: npt.NDArray[Any] = np.where(bits & sign, ~bits, bits | sign)
    return ranks
