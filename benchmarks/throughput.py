"""Throughput per core of the symbolic search, beside pyoperon and a numpy loop in the same run.

    python -m benchmarks.throughput

Rates come from CPU time, medians of several repeats. Three layers: programs evaluated (12 live operations, largest
relative error included, 1,024 and 64 points); Levenberg-Marquardt iterations on structures that a search met (5 to 8
operations, 3 to 8 constants, 40 points, from random starts, each with its geodesic acceleration); and structures fitted
in bursts, all their Python included. pyoperon is left out with a line if it is not installed.
"""

import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from benchmarks.interpreter import N_POINTS, N_PROGRAMS, numpy_errors, random_program, rate
from evaluators.approximation.family import FunctionApproximation
from evolve.symbolic.burst import burst
from evolve.symbolic.contract import BurstSettings, FitTarget
from evolve.symbolic.genomes import write_genome
from evolve.symbolic.kernel import compiled
from evolve.symbolic.least_squares import Table, Workspace, allocate, fit
from evolve.symbolic.moves import random_start
from evolve.symbolic.normal_form import link
from evolve.symbolic.randomness import RandomState
from evolve.symbolic.tables import search_table
from evolve.symbolic.tape import FloatArray
from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.interpreter import max_error_batch
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC

FUNCTIONS = ("exp2", "log2_1p", "erf")
INTERVALS = {"exp2": [0, 1], "log2_1p": [0, 1], "erf": [0, 2]}
BURSTS = 6
STRUCTURES = 10
STARTS = 100
REPEATS = 7


@compiled
def fit_often(work: Workspace, n: int, n_constants: int, inherited: FloatArray, table: Table, rng: RandomState) -> None:
    """Fits from random starts as the search makes them: ten iterations, then up to sixty."""
    constants = np.zeros(n_constants)
    for _ in range(STARTS):
        random_start(constants, n_constants, inherited, rng)
        fit(work, n, n_constants, constants, table, 10, True)
        fit(work, n, n_constants, constants, table, 60, False)


def target_of(function: str) -> FitTarget:
    """The fit target of a function."""
    family = FunctionApproximation({"function": function, "interval": INTERVALS[function]}, ARITHMETIC)
    points, values, relative = family.fit_target()
    return FitTarget(points=points, values=values, relative=relative, values_low=family.fit_target_low())


def line(what: str, value: float, unit: str) -> None:
    """One line of the table."""
    print(f"{what:<76}{value:>14,.0f} {unit}", flush=True)


def measure_programs() -> None:
    """Programs per second of the interpreter and of a numpy loop."""
    rng = np.random.default_rng(1)
    programs = [random_program(rng) for _ in range(N_PROGRAMS)]
    batch = ProgramBatch.from_programs(programs, ARITHMETIC)
    x = np.linspace(0.0, 1.0, N_POINTS)[None, :]
    few = x[:, ::16].copy()
    target, few_target = np.exp2(x[0]), np.exp2(few[0])
    max_error_batch(batch.part(0, 1), x, target)
    sample = programs[:1000]
    line("interpreter, 12 operations, 1,024 points", rate(lambda: max_error_batch(batch, x, target), N_PROGRAMS), "/s")
    line("numpy loop, the same", rate(lambda: numpy_errors(sample, x[0], target), len(sample)), "/s")
    line(
        "interpreter, 12 operations, 64 points", rate(lambda: max_error_batch(batch, few, few_target), N_PROGRAMS), "/s"
    )
    line("numpy loop, the same", rate(lambda: numpy_errors(sample, few[0], few_target), len(sample)), "/s")


def measure_bursts(function: str) -> list[Program]:
    """Rates of bursts that build on each other; returns what the last one found."""
    target = target_of(function)
    burst([], ARITHMETIC, target, BurstSettings(work=0.001), [0])
    programs: list[Program] = []
    rates: dict[str, list[float]] = {"fits": [], "structures": [], "iterations": [], "steps": []}
    for number in range(BURSTS):
        start = time.process_time()
        result = burst(programs, ARITHMETIC, target, BurstSettings(work=0.5, max_operations=10), [1, number])
        seconds = time.process_time() - start
        for name, values in rates.items():
            values.append(result.statistics[name] / seconds)
        programs = [child.program for child in result.children]
    start = time.process_time()
    burst(programs, ARITHMETIC, target, BurstSettings(work=0.0, max_operations=10, n_children=0), [2])
    overhead = time.process_time() - start
    line(f"bursts for {function}: structures fitted (each from several starts)", median(rates["fits"]), "/s")
    line("  different structures among the mutants", median(rates["structures"]), "/s")
    line("  Levenberg-Marquardt iterations, everything else included", median(rates["iterations"]), "/s")
    line(f"  a burst that does nothing, with {len(programs)} parents", 1e3 * overhead, "ms")
    return programs


def measure_fits(function: str, programs: list[Program]) -> list[float]:
    """Iterations per second of fits from random starts, one figure for each structure and repeat."""
    table = search_table(target_of(function))
    rates = []
    for program in [p for p in programs if 5 <= operation_count(p) <= 8 and 3 <= len(p.constants) <= 8][:STRUCTURES]:
        code, constants = np.zeros((8, 3), np.int64), np.zeros((8, 2))
        n = write_genome(program, ARITHMETIC, code, constants)
        work, inherited = allocate(1, 24, table.target.size), np.zeros(48)
        work.values[:1] = table.inputs
        n_constants = link(code, constants, n, 1, work.tape, inherited)
        fit_often(work, n, n_constants, inherited, table, np.array([0], np.uint64))
        for repeat in range(REPEATS):
            before, start = int(work.ticks[1]), time.process_time()
            fit_often(work, n, n_constants, inherited, table, np.array([repeat], np.uint64))
            rates.append((int(work.ticks[1]) - before) / (time.process_time() - start))
    return rates


def measure_operon() -> None:
    """Evaluations of pyoperon's regressor on 1,024 points, and fits of constants on 40."""
    try:
        from pyoperon.sklearn import SymbolicRegressor
    except ImportError:
        print("pyoperon: not installed: pip install pyoperon")
        return

    def evaluations_of(n_points: int, **settings: Any) -> Callable[[int], tuple[float, float, float]]:
        x = np.linspace(0.0, 1.0, n_points)

        def run(seed: int) -> tuple[float, float, float]:
            regressor = SymbolicRegressor(
                allowed_symbols="add,sub,mul,div,constant,variable", max_length=25, population_size=1000,
                generations=10_000, epsilon=0.0, n_threads=1, random_state=seed + 1, **settings,
            )  # fmt: skip
            start = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                regressor.fit(x[:, None], np.exp2(x))
            seconds = time.process_time() - start
            stats = regressor.stats_
            individuals = 1000.0 * (stats["generations"] + 1)
            return (
                individuals / seconds,
                stats["residual_evaluations"] / seconds,
                stats["jacobian_evaluations"] / seconds,
            )

        return run

    for name, n_points, settings in (
        ("no local search, 1,024 points", 1024, {"max_evaluations": 60_000}),
        ("no local search, 64 points", 64, {"max_evaluations": 200_000}),
        (
            "10 iterations of its Levenberg-Marquardt, 40 points",
            40,
            {"max_evaluations": 80_000, "optimizer_iterations": 10},
        ),
    ):
        runs = [evaluations_of(n_points, **settings)(seed) for seed in range(3)]
        line(f"pyoperon, {name}: trees", median(run[0] for run in runs), "/s")
        if "optimizer_iterations" in settings:
            line("  residual evaluations", median(run[1] for run in runs), "/s")
            line("  Jacobian evaluations, one an accepted iteration", median(run[2] for run in runs), "/s")


def main() -> None:
    """Measure and print."""
    measure_programs()
    rates = [each for function in FUNCTIONS for each in measure_fits(function, measure_bursts(function))]
    line("Levenberg-Marquardt iterations, fits alone, median over structures", median(rates), "/s")
    measure_operon()


if __name__ == "__main__":
    main()
