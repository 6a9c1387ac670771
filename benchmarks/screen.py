"""Programs times points per second on torch, on a CPU or a GPU, beside the compiled interpreter of the same run.

Run `python -m benchmarks.screen --device cpu|cuda`. Medians of several repeats, each side on one thread of the CPU: CPU
seconds, or wall seconds where a GPU works too. Errors of both sides are compared bit by bit before anything is timed.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.interpreter import N_OPERATIONS, random_program
from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.interpreter import max_error_batch
from sandbox.symbolic.torch_screen import TorchScreen
from sandbox.symbolic.vocabulary import ARITHMETIC

REPEATS = 5
MOST_PROGRAMS = 20_000
"""As many are lowered; larger populations repeat them."""


def seconds(work: Callable[[], Any], clock: Callable[[], float]) -> float:
    """The median of several repeats, after one that is not counted."""
    work()
    taken = []
    for _ in range(REPEATS):
        start = clock()
        work()
        taken.append(clock() - start)
    return median(taken)


def compare(batch: ProgramBatch, n_points: int, dtype: str, device: str) -> None:
    """One line: both rates and their ratio."""
    x = np.linspace(0.0, 1.0, n_points, dtype=dtype)[None, :]
    target = np.exp2(x[0].astype(np.float64))
    ours = max_error_batch(batch, x, target)
    theirs = max_error_batch(batch, x, target, device=device)
    n_other = int((ours.view(np.int64) != theirs.view(np.int64)).sum())
    clock = time.process_time if device == "cpu" else time.perf_counter
    work = len(batch.lengths) * n_points
    compiled = work / seconds(lambda: max_error_batch(batch, x, target), clock)
    screened = work / seconds(lambda: max_error_batch(batch, x, target, device=device), clock)
    print(
        f"{len(batch.lengths):>9,} {n_points:>7,} {dtype:<8} {compiled / 1e6:>12,.1f} {screened / 1e6:>12,.1f}"
        f" {screened / compiled:>8.2f}x {n_other:>10,}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:1 (default: cpu)")
    parser.add_argument("--programs", type=int, default=10_000, help="population (default: 10,000)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    memory = TorchScreen(options.device).memory_bytes
    name = torch.cuda.get_device_name(options.device) if options.device.startswith("cuda") else "CPU, one thread"
    rng = np.random.default_rng(1)
    programs = [random_program(rng) for _ in range(min(options.programs, MOST_PROGRAMS))]
    batch = ProgramBatch.from_programs(programs, ARITHMETIC)
    print(f"torch {torch.__version__} on {options.device} ({name}), chunks of {memory / 2**20:,.0f} MiB")
    print(
        f"programs of {N_OPERATIONS} operations with + - * /, largest relative error; millions of programs x points/s"
    )
    print(
        f"{'programs':>9} {'points':>7} {'type':<8} {'interpreter':>12} {'torch':>12} {'ratio':>9} {'other bits':>10}"
    )
    for n_points in (64, 1_024, 16_384):
        n_programs = max(1, options.programs * min(n_points, 1_024) // n_points)
        for dtype in ("float64", "float32"):
            compare(batch.take(np.arange(n_programs) % len(batch.lengths)), n_points, dtype, options.device)


if __name__ == "__main__":
    main()
