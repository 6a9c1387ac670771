"""What the compiled judge tells about a kernel: errors on points, the error of every float32, nanoseconds."""

import math
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from evaluators.float32.compiler import Kernel
from evaluators.float32.targets import Float32Array, Interval
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import FLOAT32

N_PARTS = 64
PART_SECONDS = 300.0
SHORT_SECONDS = 60.0
ROUNDS = 15
ROUNDS_OF_A_BLOCK = 50
N_RESAMPLES = 1000
N_TIMED = 2048
"""Numbers that are timed: input and output stay in the fastest cache."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The largest error found, in units in the last place, where it is, and how many numbers were tried."""

    ulp: float
    x: float
    count: int


@dataclass(frozen=True, slots=True)
class Speed:
    """Median nanoseconds per element, and the median ratio to the yardstick that ran in between."""

    nanoseconds: float
    ratio: float


def worst_of(kernel: Kernel, points: Float32Array) -> Worst:
    """The largest error on some numbers."""
    path = kernel.folder / "points.bin"
    points.tofile(path)
    return _read(kernel.ask("points", path, seconds=SHORT_SECONDS))[0]


def worst_everywhere(kernel: Kernel, interval: Interval, *, stop: float = math.inf, step: int = 1) -> list[Worst]:
    """The largest error of every slice of the interval, in order: 2^17 numbers, every `step`-th float32.

    Ends with the first slice that has an error above `stop`. All processors work on it, and the answer is always the
    same: parts begin in order, so none before the first bad one is left out.
    """
    edges = np.linspace(interval.first, interval.last + 1, N_PARTS + 1).astype(np.int64).tolist()
    parts = [(low, high - 1) for low, high in pairwise(edges) if low < high]
    bad = threading.Event()

    def check(part: tuple[int, int]) -> list[Worst]:
        if bad.is_set():
            return []
        slices = _read(kernel.ask("check", *map(str, part), str(step), float(stop).hex(), seconds=PART_SECONDS))
        if slices[-1].ulp > stop:
            bad.set()
        return slices

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = [worst for slices in pool.map(check, parts) for worst in slices]
    first_bad = next((k for k, worst in enumerate(found) if worst.ulp > stop), len(found))
    return found[: first_bad + 1]


def speed_of(kernel: Kernel, points: Float32Array, *, rounds: int = ROUNDS) -> Speed:
    """How fast the kernel runs over numbers of the interval in the fastest cache."""
    path = kernel.folder / "timed.bin"
    points[np.linspace(0, len(points) - 1, N_TIMED).astype(np.int64)].tofile(path)
    nanoseconds, ratio = kernel.ask("time", path, str(rounds), seconds=SHORT_SECONDS)
    return Speed(float.fromhex(nanoseconds), float.fromhex(ratio))


@dataclass(frozen=True, slots=True)
class Comparison:
    """The median ratio of a kernel's time to that of the one beside it, and its bootstrap interval of 95 percent.

    A ratio below 1 is faster; `nanoseconds` and `beside_nanoseconds` are the medians.
    """

    ratio: float
    low: float
    high: float
    nanoseconds: float
    beside_nanoseconds: float


def compared(kernel: Kernel, points: Float32Array, *, rounds: int, rng: np.random.Generator) -> Comparison:
    """Time a kernel and the one that it was compiled beside, in turn; each of the rounds gives one ratio.

    Rounds are resampled in blocks, for neighbours share what disturbs the machine.
    """
    path = kernel.folder / "timed.bin"
    points[np.linspace(0, len(points) - 1, N_TIMED).astype(np.int64)].tofile(path)
    words = kernel.ask("pairs", path, str(rounds), seconds=SHORT_SECONDS)
    times = np.array(words, np.float64).reshape(-1, 2)
    blocks = np.array_split(times[:, 0] / times[:, 1], max(1, len(times) // ROUNDS_OF_A_BLOCK))
    draws = rng.integers(0, len(blocks), (N_RESAMPLES, len(blocks)))
    medians = [np.median(np.concatenate([blocks[k] for k in draw])) for draw in draws]
    low, high = np.quantile(medians, (0.025, 0.975))
    own, beside = np.median(times, axis=0)
    return Comparison(float(np.median(times[:, 0] / times[:, 1])), float(low), float(high), float(own), float(beside))


def largest(found: Sequence[Worst]) -> Worst:
    """The largest of some errors; of equal ones the first."""
    return max(found, key=lambda worst: worst.ulp)


def polished(
    kernel: Kernel, program: Program, points: Float32Array, *, steps: int, rng_seed: int
) -> tuple[float, tuple[float, ...]]:
    """Better constants for the kernel's program on some numbers, and the largest error that they leave there.

    Constants that are bit patterns, arguments of integer operations, stay: the points may miss what those are for.
    """
    table, start = kernel.folder / "table.bin", kernel.folder / "constants.bin"
    points.tofile(table)
    np.array(program.constants, np.float32).tofile(start)
    patterns = {
        operand
        for instruction in program.instructions
        if FLOAT32.functions[instruction.function].name.endswith("_bits")
        for operand in instruction.arguments
    }
    moving = "".join("0" if -1 - slot in patterns else "1" for slot in range(len(program.constants)))
    words = kernel.ask("polish", table, start, moving, str(steps), str(rng_seed), seconds=PART_SECONDS)
    ulp, *better = map(float.fromhex, words)
    return ulp, tuple(better)


def _read(words: list[str]) -> list[Worst]:
    rows = zip(words[::3], words[1::3], words[2::3], strict=True)
    return [Worst(float.fromhex(ulp), float.fromhex(x), int(count)) for ulp, x, count in rows]
