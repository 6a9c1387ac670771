"""Programs per second of the compiled interpreter, beside a plain numpy loop on the same programs.

Run `python -m benchmarks.interpreter` (as a module: files here share names with packages). Rates are per core from CPU
time, medians of several repeats, so other load on the machine matters less; the line that says wall suffers from it.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.canonical import canonical, fingerprint, operation_count
from sandbox.symbolic.interpreter import max_error_batch
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC

N_OPERATIONS = 12
N_PROGRAMS = 10_000
N_POINTS = 1_024
REPEATS = 7

Array = npt.NDArray[np.float64]


def random_program(rng: np.random.Generator) -> Program:
    """A program of `N_OPERATIONS` random operations in which every one is live."""
    unused = [0]
    instructions: list[Instruction] = []
    constants: list[float] = []
    for k in range(N_OPERATIONS):
        must_join = len(unused) - 1 >= N_OPERATIONS - k
        left = unused.pop(int(rng.integers(len(unused))))
        if unused and (must_join or rng.random() < 0.3):
            right = unused.pop(int(rng.integers(len(unused))))
        elif rng.random() < 0.5:
            right = int(rng.integers(k + 1))
            unused = [value for value in unused if value != right]
        else:
            constants.append(float(rng.normal()))
            right = -len(constants)
        pair = (left, right) if rng.random() < 0.5 else (right, left)
        instructions.append(Instruction(int(rng.integers(4)), pair))
        unused.append(k + 1)
        if not must_join and rng.random() < 0.2 and len(unused) < N_OPERATIONS - k - 1:
            unused.append(int(rng.integers(k + 1)))
    return Program(name="f", inputs=("x",), constants=tuple(constants), instructions=tuple(instructions), output=k + 1)


def numpy_errors(programs: list[Program], x: Array, target: Array) -> Array:
    """The same work as one numpy call per operation, writing into arrays made beforehand."""
    functions = [function.apply for function in ARITHMETIC.functions]
    registers = [x, *(np.empty_like(x) for _ in range(N_OPERATIONS))]
    weights = 1.0 / np.abs(target)
    error = np.empty_like(x)
    errors = np.empty(len(programs))
    with np.errstate(all="ignore"):
        for p, program in enumerate(programs):
            constants = program.constants
            for i, instruction in enumerate(program.instructions):
                a, b = instruction.arguments
                left = registers[a] if a >= 0 else constants[-1 - a]
                right = registers[b] if b >= 0 else constants[-1 - b]
                functions[instruction.function](left, right, out=registers[i + 1])
            np.subtract(registers[program.output], target, out=error)
            np.multiply(error, weights, out=error)
            np.abs(error, out=error)
            errors[p] = error.max()
    return np.where(np.isfinite(errors), errors, np.inf)


def rate(work: Callable[[], Any], n_programs: int, *, clock: Callable[[], float] = time.process_time) -> float:
    """Programs per second, the median of several repeats."""
    seconds = []
    for _ in range(REPEATS):
        start = clock()
        work()
        seconds.append(clock() - start)
    return n_programs / median(seconds)


def report(name: str, programs_per_second: float, base: float, n_points: int = N_POINTS) -> None:
    """One line of the table."""
    nanoseconds = 1e9 / (programs_per_second * N_OPERATIONS * n_points)
    ratio = f"{programs_per_second / base:6.1f}x" if base else " " * 7
    print(f"{name:<52}{programs_per_second:>12,.0f} programs/s {ratio}  {nanoseconds:6.3f} ns/operation/point")


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(1)
    programs = [random_program(rng) for _ in range(N_PROGRAMS)]
    if any(operation_count(program) != N_OPERATIONS for program in programs):
        raise SystemExit("the generator made a program with dead code")
    start = time.process_time()
    batch = ProgramBatch.from_programs(programs, ARITHMETIC)
    lowering = N_PROGRAMS / (time.process_time() - start)
    x = np.linspace(0.0, 1.0, N_POINTS)[None, :]
    target = np.exp2(x[0])
    start = time.perf_counter()
    errors = max_error_batch(batch.part(0, 1), x, target)
    print(f"first call (compiling, or loading from numba's cache): {time.perf_counter() - start:.2f} s")
    errors = max_error_batch(batch, x, target)
    sample = programs[:1000]
    np.testing.assert_allclose(numpy_errors(sample, x[0], target), errors[:1000], rtol=1e-12)
    print(f"{N_PROGRAMS} programs of {N_OPERATIONS} live operations, maximal relative error included\n")
    base = rate(lambda: numpy_errors(sample, x[0], target), len(sample))
    report("numpy, one call per operation, out=", base, base)
    report("interpreter, 1,024 float64 points", rate(lambda: max_error_batch(batch, x, target), N_PROGRAMS), base)
    few = x[:, ::16].copy()
    few_target = np.exp2(few[0])
    report("interpreter, 64 float64 points", rate(lambda: max_error_batch(batch, few, few_target), N_PROGRAMS), 0, 64)
    single = x.astype(np.float32)
    max_error_batch(batch.part(0, 1), single, target)
    report("interpreter, 1,024 float32 points", rate(lambda: max_error_batch(batch, single, target), N_PROGRAMS), base)
    halves = [batch.part(0, N_PROGRAMS // 2), batch.part(N_PROGRAMS // 2, N_PROGRAMS)]
    with ThreadPoolExecutor(2) as pool:

        def on_two_threads() -> None:
            list(pool.map(lambda half: max_error_batch(half, x, target), halves))

        report("the same, two threads, per 2 CPU seconds", 2 * rate(on_two_threads, N_PROGRAMS), base)
        report("the same, two threads, wall", rate(on_two_threads, N_PROGRAMS, clock=time.perf_counter), base)
    print(f"\nlowering programs to a batch: {lowering:,.0f} programs/s")
    for name, function in (
        ("render", lambda program: render(program, ARITHMETIC)),
        ("canonical", lambda program: canonical(program, ARITHMETIC)),
        ("fingerprint", lambda program: fingerprint(program, ARITHMETIC)),
    ):
        print(f"{name}: {rate(lambda f=function: [f(p) for p in sample], len(sample)):,.0f} programs/s")  # type: ignore[misc]
    texts = [render(program, ARITHMETIC) for program in sample]
    print(f"parse: {rate(lambda: [parse(text, ARITHMETIC) for text in texts], len(texts)):,.0f} programs/s")


if __name__ == "__main__":
    main()
