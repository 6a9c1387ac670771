"""The frontier that default runs find from the empty program, beside the best classical forms, with proven bounds.

python -m benchmarks.approximation exp2 exp log2 sin erf --seconds 600 --at 120 --seeds 1,2,3

For every number of operations: median and worst seed, the best classical method of at most as many operations (and,
for exponentials, the structure that AutoNumerics-Zero published), the ratio of the worst seed to it, and the same at
an earlier moment of the runs. Then the best program of every count with the error that the judge proves for it.
"""

import argparse
import json
import math
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evaluators.approximation.family import FunctionApproximation
from evolve.config.problem import Problem, load_problem
from evolve.loop import Event, RunOptions, start_run
from evolve.store import RunReader
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import load_vocabulary

CLASSICAL = ("polynomial", "preconditioned", "rational", "continued_fraction", "transformed")
PUBLISHED = "evolved_structure"
LEVEL = 1.002  # within this ratio two errors are the same: a sampled error, and constants of finitely many digits


@dataclass
class Clock:
    """Listens to a run and notes how many candidates were on disk after so many seconds."""

    run_dir: Path
    at: float
    began: float = field(default_factory=time.monotonic)
    n_candidates: int | None = None

    def __call__(self, event: Event) -> None:
        """Look at the time; the event itself says nothing that is needed."""
        del event
        if self.n_candidates is None and time.monotonic() - self.began >= self.at:
            reader = RunReader(self.run_dir)
            self.n_candidates = int(reader.counts()["evaluations"])
            reader.close()


@dataclass(frozen=True)
class Found:
    """What one run found: the least error at each count, at the end and at the earlier moment, and the programs."""

    errors: Mapping[int, float]
    early: Mapping[int, float]
    programs: Mapping[int, str]


def searched(problem: Problem, rng_seed: int, seconds: float, at: float, folder: Path) -> Found:
    """The frontier of one run."""
    run_dir = folder / f"{problem.name}-{rng_seed}"
    clock = Clock(run_dir, at)
    summary = start_run(problem, run_dir, RunOptions(rng_seed=rng_seed, seconds=seconds), clock)
    reader = RunReader(run_dir)
    errors: dict[int, float] = {}
    early: dict[int, float] = {}
    programs: dict[int, str] = {}
    limit = clock.n_candidates or summary.evaluations
    for iteration in reader.iterations():
        for row in iteration.candidates:
            if row.evaluation.score is None:
                continue
            metrics = row.evaluation.metrics
            n, error = int(metrics["operations"]), float(metrics["max_relative_error"])
            if row.candidate.id <= limit:
                early[n] = min(error, early.get(n, math.inf))
            if error < errors.get(n, math.inf):
                errors[n] = error
                programs[n] = next(iter(row.candidate.files.values()))
    reader.close()
    print(f"# {problem.name} seed {rng_seed}: {summary.evaluations} evaluations, {summary.seconds:.0f} s", flush=True)
    return Found(errors, early, programs)


def at_most(errors: Mapping[int, float], operations: int) -> float:
    """The least error with at most so many operations."""
    return min((error for n, error in errors.items() if n <= operations), default=math.inf)


def baseline(problem: Problem, operations: int, columns: Sequence[str]) -> float:
    """The least error of the given columns with at most so many operations."""
    table = {int(n): row for n, row in problem.baselines["operations"].items()}
    errors = {n: min((row[c]["error"] for c in columns if c in row), default=math.inf) for n, row in table.items()}
    return at_most(errors, operations)


def print_frontier(problem: Problem, found: Sequence[Found], at: float) -> None:
    """One line for each number of operations."""
    early_columns = f"at {at:.0f} s: median | worst"
    print(f"\n| operations | median | worst | classical | published | worst / best known | {early_columns} |")
    print("|---|---|---|---|---|---|---|---|")
    for operations in range(3, problem.tables.symbolic.max_operations + 1):
        errors = sorted(at_most(each.errors, operations) for each in found)
        early = sorted(at_most(each.early, operations) for each in found)
        classical = baseline(problem, operations, CLASSICAL)
        published = baseline(problem, operations, (PUBLISHED,))
        known = min(classical, published)
        mark = "" if errors[-1] <= LEVEL * known else " (above)"
        named = f"{published:.3e}" if published < math.inf else ""
        print(
            f"| {operations} | {statistics.median(errors):.3e} | {errors[-1]:.3e} | {classical:.3e} | {named} "
            f"| {errors[-1] / known:.3g}{mark} | {statistics.median(early):.3e} | {early[-1]:.3e} |",
            flush=True,
        )


def print_programs(problem: Problem, found: Sequence[Found]) -> None:
    """The best program of every count over all seeds, with the bound that is proven for it."""
    vocabulary = load_vocabulary(problem.tables.symbolic.vocabulary)
    judge = FunctionApproximation(problem.tables.evaluator.options, vocabulary)
    least = math.inf
    for operations in range(3, problem.tables.symbolic.max_operations + 1):
        best = min(found, key=lambda each: each.errors.get(operations, math.inf))
        if not best.errors.get(operations, math.inf) < least:
            continue
        least = best.errors[operations]
        verdict = judge.verify(parse(best.programs[operations], vocabulary, inputs=problem.tables.symbolic.inputs))
        known = min(baseline(problem, operations, CLASSICAL), baseline(problem, operations, (PUBLISHED,)))
        proven = f"{verdict.value:.6g}" if verdict.value is not None else f"not proven: {verdict.detail}"
        print(f"\n## {problem.name}, {operations} operations: {proven} ({verdict.verdict}), ratio {least / known:.3g}")
        print(best.programs[operations].rstrip(), flush=True)


def main() -> None:
    """Run every function with every seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="+")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--at", type=float, default=120.0, help="also show the frontier after so many seconds")
    parser.add_argument("--seeds", default="1,2,3")
    arguments = parser.parse_args()
    print(json.dumps({"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}))
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.problems:
            problem = load_problem(name)
            seeds = [int(seed) for seed in arguments.seeds.split(",")]
            found = [searched(problem, seed, arguments.seconds, arguments.at, Path(folder)) for seed in seeds]
            print_frontier(problem, found, arguments.at)
            print_programs(problem, found)


if __name__ == "__main__":
    main()
