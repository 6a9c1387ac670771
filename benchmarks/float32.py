"""float32 functions side by side: error in ulp, instructions and nanoseconds of libm, numpy, torch and our programs.

    python -m benchmarks.float32 [exp2_f32 log2_f32] [--quick] [--pairs]

Our programs are those of the problem's baselines.json: the classical form that we wrote for it, and what the search
found. Their errors are over every float32 of the interval; those of the libraries over every 101st (`--quick`: all
over every 101st). `--pairs` instead times each of our programs in turn with the first of its list, the classical form,
in 3,000 rounds: the median of the ratios (below 1 is faster) with a bootstrap interval of 95 percent.

Times are medians of runs in turn, in one thread: 2,048 numbers in the first-level cache for compiled code, 16,384 for
numpy and torch, whose calls cost half a microsecond each. Instructions are those of the vector loop, loads, stores and
counting included.
"""

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from evaluators.float32.compiler import Compiler  # noqa: E402
from evaluators.float32.measure import N_TIMED, compared, largest, speed_of, worst_everywhere  # noqa: E402
from evaluators.float32.targets import Interval, from_keys, interval_of, spread, target_named  # noqa: E402
from evolve.config.problem import load_problem  # noqa: E402
from sandbox.symbolic.c_source import array_source, c_source  # noqa: E402
from sandbox.symbolic.canonical import canonical  # noqa: E402
from sandbox.symbolic.parse import parse  # noqa: E402
from sandbox.symbolic.vocabulary import FLOAT32  # noqa: E402

STEP = 101
N_LIBRARY = 16_384
ROUNDS = 21
PAIRED_ROUNDS = 3000
BLOCK = 1 << 20
LIBM = """\
#include <math.h>
void kernel(const float *restrict x, float *restrict y, long n) {{ for (long i = 0; i < n; i++) y[i] = {0}f(x[i]); }}
void kernel_with(const float *c, const float *x, float *y, long n) {{ (void)c; kernel(x, y, n); }}
"""

Row = tuple[str, float, float, float]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("problems", nargs="*", default=["exp2_f32", "log2_f32"])
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--pairs", action="store_true")
    given = arguments.parse_args()
    for name in given.problems:
        problem = load_problem(ROOT / "problems" / name)
        options = problem.tables.evaluator.options
        interval = interval_of(options["interval"])
        print(f"\n{name}: {problem.title}")
        if given.pairs:
            _print_pairs(str(options["function"]), interval, problem.baselines)
            continue
        print(f"{'':34} {'max ulp':>9} {'instructions':>13} {'ns':>8} {'libm / this':>12}")
        rows = list(_rows(str(options["function"]), interval, problem.baselines, step=STEP if given.quick else 1))
        libm = rows[0][3]
        for label, ulp, instructions, nanoseconds in rows:
            counted = f"{instructions:.0f}" if instructions else "-"
            print(f"{label:34} {ulp:9.4f} {counted:>13} {nanoseconds:8.4f} {libm / nanoseconds:12.2f}")


def _print_pairs(function: str, interval: Interval, baselines: Any) -> None:
    points, rng = spread(interval, 60_000), np.random.default_rng(0)
    sources = {
        label: c_source(canonical(parse(entry["program"], FLOAT32), FLOAT32))
        for label, entry in baselines["programs"].items()
    }
    first = next(iter(sources.values()))
    print(f"{'':40} {'instructions':>13} {'time / first':>13} {'95 percent':>20}")
    with Compiler(target_named(function)) as compiler:
        for label, source in sources.items():
            kernel = compiler.kernel(source, beside=first)
            found = compared(kernel, points, rounds=PAIRED_ROUNDS, rng=rng)
            between = f"{found.low:.4f} to {found.high:.4f}"
            print(f"{label:40} {kernel.loop.instructions:>13.0f} {found.ratio:13.4f} {between:>20}")


def _rows(function: str, interval: Interval, baselines: Any, *, step: int) -> Iterator[Row]:
    points = spread(interval, 60_000)
    with Compiler(target_named(function)) as compiler:
        yield _compiled(compiler, "libm", LIBM.format(function), interval, points, STEP, ())
        flags = ("-ffast-math",)
        yield _compiled(compiler, "libmvec (-ffast-math)", LIBM.format(function), interval, points, STEP, flags)
        yield from _libraries(function, interval, points)
        for label, entry in baselines["programs"].items():
            program = canonical(parse(entry["program"], FLOAT32), FLOAT32)
            yield _compiled(compiler, label, c_source(program), interval, points, step, ())
            for module in ("numpy", "torch"):
                if _module(module) is not None:
                    names: dict[str, Any] = {}
                    exec(array_source(program, module), names)
                    yield _called(f"{label}, in {module}", names["f"], module, function, interval, points)


def _compiled(  # noqa: PLR0913, PLR0917 - one row of the table
    compiler: Compiler, label: str, source: str, interval: Interval, points: Any, step: int, flags: tuple[str, ...]
) -> Row:
    kernel = compiler.kernel(source, flags)
    worst = largest(worst_everywhere(kernel, interval, step=step))
    speed = speed_of(kernel, points, rounds=ROUNDS)
    # A loop that calls a function shows none of its instructions.
    counted = 0.0 if "call" in kernel.loop.text else kernel.loop.instructions
    return label, worst.ulp, counted, speed.nanoseconds


def _libraries(function: str, interval: Interval, points: Any) -> Iterator[Row]:
    for name in ("numpy", "torch"):
        module = _module(name)
        if module is None:
            print(f"{name} is not installed")
            continue
        yield _called(f"{name}.{function}", getattr(module, function), name, function, interval, points)


def _module(name: str) -> Any:
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    if name == "torch":
        module.set_num_threads(1)
    return module


def _called(label: str, call: Callable[[Any], Any], module: str, function: str, interval: Interval, points: Any) -> Row:
    def run(x: Any) -> Any:
        return call(_module("torch").from_numpy(x)) if module == "torch" else call(x)

    worst = 0.0
    for start in range(interval.first, interval.last + 1, BLOCK * STEP):
        x = from_keys(np.arange(start, min(start + BLOCK * STEP, interval.last + 1), STEP))
        exact = getattr(np, function)(x.astype(np.float64))
        ulp = np.exp2(np.maximum(np.floor(np.log2(np.maximum(np.abs(exact), 1e-300))), -126.0) - 23.0)
        worst = max(worst, float((np.abs(np.asarray(run(x), np.float64) - exact) / ulp).max()))
    few = np.resize(points[np.linspace(0, len(points) - 1, N_TIMED).astype(np.int64)], N_LIBRARY)
    prepared = _module("torch").from_numpy(few) if module == "torch" else few
    call(prepared)
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(50):
            call(prepared)
        times.append((time.perf_counter() - begin) * 1e9 / (50 * N_LIBRARY))
    return label, worst, 0.0, statistics.median(times)


if __name__ == "__main__":
    main()
