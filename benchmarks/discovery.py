"""What default runs find from the seed program alone, over several seeds, beside the shipped baselines.

python -m benchmarks.discovery exp2 circle_packing_26 --seconds 120 --seeds 1,2,3
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path

from evolve.config.problem import Problem, load_problem
from evolve.loop import Event, RunOptions, start_run
from evolve.store import RunReader


def silent(event: Event) -> None:
    """Listen to nothing: only what is on disk in the end counts."""
    del event


def searched(problem: Problem, seed: int, seconds: float, folder: Path) -> RunReader:
    """A finished default run."""
    run_dir = folder / f"{problem.name}-{seed}"
    summary = start_run(problem, run_dir, RunOptions(rng_seed=seed, seconds=seconds), silent)
    reader = RunReader(run_dir)
    first = reader.candidate(1).evaluation.score
    print(
        f"{problem.name} seed {seed}: seed program {first:.4f}, best {summary.best_score:.6f}, "
        f"{summary.evaluations} evaluations, {summary.elites} elites, {summary.seconds:.0f} s",
        flush=True,
    )
    return reader


def least_errors(reader: RunReader) -> Mapping[int, float]:
    """The least error with at most so many operations."""
    errors: dict[int, float] = {}
    for row in reader.elites():
        metrics = row.evaluation.metrics
        for operations in range(int(metrics["operations"]), 15):
            errors[operations] = min(errors.get(operations, 1e300), metrics["max_relative_error"])
    return errors


def print_frontier(problem: Problem, found: list[Mapping[int, float]]) -> None:
    """One line for each number of operations: best, median and worst seed, then the baselines."""
    methods = ("polynomial", "rational", "continued_fraction", "transformed", "evolved_structure")
    print("operations       best     median      worst  | " + "  ".join(f"{name[:12]:>12}" for name in methods))
    limit = problem.tables.symbolic.max_operations
    for operations in range(2, limit + 1):
        errors = sorted(each[operations] for each in found)
        baselines = problem.baselines["operations"].get(str(operations), {})
        columns = [f"{baselines[name]['error']:12.3e}" if name in baselines else f"{'-':>12}" for name in methods]
        ours = f"{errors[0]:10.3e} {statistics.median(errors):10.3e} {errors[-1]:10.3e}"
        print(f"{operations:10d} {ours}  | " + "  ".join(columns), flush=True)


def main() -> None:
    """Run every problem with every seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problems", nargs="+")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seeds", default="1,2,3")
    arguments = parser.parse_args()
    print(json.dumps({"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}))
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.problems:
            problem = load_problem(name)
            seeds = [int(seed) for seed in arguments.seeds.split(",")]
            readers = [searched(problem, seed, arguments.seconds, Path(folder)) for seed in seeds]
            if problem.tables.evaluator.family == "function_approximation":
                print_frontier(problem, [least_errors(reader) for reader in readers])
            for reader in readers:
                reader.close()


if __name__ == "__main__":
    main()
