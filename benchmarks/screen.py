"""Programs times points per second of every way to run a batch, beside the compiled interpreter of the same run.

Run `python -m benchmarks.screen --device cpu|cuda|auto`: the interpreter on one core, torch on the CPU on one thread,
and on a graphics card torch and the Triton kernel; then the screen that searches open with, in pairs of values per
second. Medians of several repeats: CPU seconds, or wall seconds where a card works too. Results of all sides are
compared bit by bit before anything is timed; a way that is not there is said to be missing.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.interpreter import N_OPERATIONS, random_program
from evolve.symbolic.screen_pairs import PAIRED, CompiledScorer, Scorer, TorchScorer
from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.interpreter import max_error_batch
from sandbox.symbolic.torch_screen import TorchScreen
from sandbox.symbolic.triton_screen import TritonScreen, is_installed
from sandbox.symbolic.vocabulary import ARITHMETIC
from sandbox.torch_device import TorchDevice, open_device

REPEATS = 5
MOST_PROGRAMS = 20_000
"""As many are lowered; larger populations repeat them."""

N_ROWS = {"cpu": 400, "cuda": 4_000}
N_TARGETS = 5

Array = npt.NDArray[Any]
Errors = Callable[[ProgramBatch, Array, Array, Array], Array]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run a batch, and the clock that tells what it takes."""

    name: str
    errors: Errors
    clock: Callable[[], float] = time.process_time


def ways(opened: TorchDevice) -> Iterator[Way]:
    """Those that this machine has, the reference first."""
    yield Way("interpreter", lambda batch, x, target, _: max_error_batch(batch, x, target))
    yield Way("torch, CPU", TorchScreen(open_device("cpu")).largest_errors)
    if not opened.is_card:
        print(f"torch and Triton on a graphics card: missing ({opened.notice or 'not asked for'})")
        return
    screen = TorchScreen(opened)
    yield Way("torch, card", screen.largest_errors, time.perf_counter)
    if is_installed():
        triton = TritonScreen(opened, memory_bytes=screen.memory_bytes)
        yield Way("Triton, card", triton.largest_errors, time.perf_counter)
    else:
        print("Triton on a graphics card: missing (not installed)")


def seconds(work: Callable[[], Any], clock: Callable[[], float]) -> float:
    """The median of several repeats, after one that is not counted."""
    work()
    taken = []
    for _ in range(REPEATS):
        start = clock()
        work()
        taken.append(clock() - start)
    return median(taken)


def compare(batch: ProgramBatch, n_points: int, dtype: str, all_ways: list[Way]) -> None:
    """One line for each way: rate, ratio to the interpreter, and how many errors have other bits."""
    x = np.linspace(0.0, 1.0, n_points, dtype=dtype)[None, :]
    target = np.exp2(x[0].astype(np.float64))
    weights = 1.0 / target
    work = len(batch.lengths) * n_points
    expected, reference = finite(all_ways[0].errors(batch, x, target, weights)), 0.0
    for way in all_ways:
        found = finite(way.errors(batch, x, target, weights))
        n_other = int((found.view(np.int64) != expected.view(np.int64)).sum())
        rate = work / seconds(partial(way.errors, batch, x, target, weights), way.clock)
        reference = reference or rate
        print(
            f"{len(batch.lengths):>9,} {n_points:>7,} {dtype:<8} {way.name:<13} {rate / 1e6:>14,.1f}"
            f" {rate / reference:>8.2f}x {n_other:>10,}"
        )


def finite(errors: Array) -> Array:
    """As the interpreter has them: infinite where a value was not finite."""
    return np.where(np.isfinite(errors), errors, np.inf)


def compare_pairs(opened: TorchDevice) -> None:
    """The screens of a search: compiled scores on one core against torch."""
    rng = np.random.default_rng(2)
    n_rows = N_ROWS["cuda" if opened.is_card else "cpu"]
    values = rng.normal(size=(n_rows, 64))
    targets = rng.normal(size=(N_TARGETS, 64))
    targets -= targets.mean(axis=1, keepdims=True)
    scorers: dict[str, tuple[Scorer, Callable[[], float]]] = {
        "compiled": (CompiledScorer(), time.process_time),
        "torch, CPU": (TorchScorer(open_device("cpu")), time.process_time),
    }
    if opened.is_card:
        scorers["torch, card"] = TorchScorer(opened), time.perf_counter
    reference = 0.0
    first = values[: max(1, CompiledScorer().n_first(64, n_rows))][:60]
    expected = [CompiledScorer().score(opcode, first, values, targets)[0] for opcode in PAIRED]
    for name, (scorer, clock) in scorers.items():
        found = [scorer.score(opcode, first, values, targets)[0] for opcode in PAIRED]
        n_other = sum(int((a.view(np.int64) != b.view(np.int64)).sum()) for a, b in zip(found, expected, strict=True))
        taken = seconds(partial(_all_pairs, scorer, first, values, targets), clock)
        rate = len(PAIRED) * len(first) * n_rows / taken
        reference = reference or rate
        print(f"{name:<13} {rate / 1e6:>12,.2f} {rate / reference:>8.2f}x {n_other:>10,}")


def _all_pairs(scorer: Scorer, first: Array, second: Array, targets: Array) -> None:
    for opcode in PAIRED:
        scorer.score(opcode, first, second, targets)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1 or auto (default: auto)")
    parser.add_argument("--programs", type=int, default=10_000, help="population (default: 10,000)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    opened = open_device(options.device)
    all_ways = list(ways(opened))
    rng = np.random.default_rng(1)
    programs = [random_program(rng) for _ in range(min(options.programs, MOST_PROGRAMS))]
    batch = ProgramBatch.from_programs(programs, ARITHMETIC)
    print(f"torch {torch.__version__} on {opened.device} ({opened.name})")
    print(f"programs of {N_OPERATIONS} operations with + - * /, largest relative error:")
    print(f"{'programs':>9} {'points':>7} {'type':<8} {'way':<13} {'M prog*pts/s':>14} {'ratio':>9} {'other bits':>10}")
    for n_points in (64, 1_024, 16_384):
        n_programs = max(1, options.programs * min(n_points, 1_024) // n_points)
        for dtype in ("float64", "float32"):
            compare(batch.take(np.arange(n_programs) % len(batch.lengths)), n_points, dtype, all_ways)
    print(f"pairs of values at 64 points, joined by + - * /, against {N_TARGETS} targets:")
    print(f"{'way':<13} {'M pairs/s':>12} {'ratio':>9} {'other bits':>10}")
    compare_pairs(opened)


if __name__ == "__main__":
    main()
