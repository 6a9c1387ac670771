"""What default runs of the construction problems find without any key: value, best known value, seconds.

python -m benchmarks.constructions --seconds 300 --seeds 1,2,3
python -m benchmarks.constructions minmax_distance_ratio girth_five --seconds 60 --seeds 1

A run ends when it has reached its bar, or when its time is up. Values are those of the exact verifiers.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from evolve.config.problem import load_problem
from evolve.loop import RunOptions, start_run
from evolve.loop.events import Event


@dataclass(frozen=True)
class Bar:
    """A problem with parameters, and the value that a run of five minutes is to reach; `sign` makes higher better."""

    problem: str
    parameters: dict[str, int | str] = field(default_factory=dict)
    value: float = 0.0
    slack: float = 0.0
    sign: int = 1

    @property
    def name(self) -> str:
        """The problem and what is asked of it."""
        told = ",".join(f"{key}={value}" for key, value in self.parameters.items())
        return f"{self.problem} {told}".strip()

    @property
    def target(self) -> float:
        """The score to reach."""
        return self.sign * self.value - self.slack


GIRTH_FIVE = {20: 41, 30: 76, 40: 120, 50: 175, 53: 181, 60: 212}
BARS = (
    Bar("minmax_distance_ratio", {"n": 16, "d": 2}, 12.889229907694, 1e-11, sign=-1),
    Bar("minmax_distance_ratio", {"n": 14, "d": 3}, 4.165783474580, 1e-11, sign=-1),
    Bar("spherical_code", {"n": 30, "d": 3}, 0.6736467551690225, 1e-12),
    Bar("heilbronn_triangle", {"n": 11}, 0.0365298898800, 1e-9),
    Bar("circles_in_square", {"n": 26}, 2.63598308, 0.0),
    Bar("more_sums_than_differences", {"n": 30}, 51 / 47, 1e-15),
    Bar("autocorrelation_1", {}, 1.509, 0.0, sign=-1),
    Bar("erdos_overlap", {}, 0.3811, 0.0, sign=-1),
    *(Bar("girth_five", {"n": n}, edges) for n, edges in GIRTH_FIVE.items()),
    Bar("matrix_multiplication", {"n": 2, "m": 2, "p": 2}, 7, sign=-1),
    Bar("matrix_multiplication", {"n": 2, "m": 2, "p": 3}, 11, sign=-1),
    Bar("matrix_multiplication", {"n": 2, "m": 3, "p": 3}, 15, sign=-1),
    Bar("matrix_multiplication", {"n": 3, "m": 3, "p": 3}, 23, sign=-1),
)


def silent(event: Event) -> None:
    """Listen to nothing."""
    del event


def reached(bar: Bar, rng_seed: int, seconds: float, folder: Path) -> tuple[float, float]:
    """The value that one run found, and how many seconds it took."""
    problem = load_problem(bar.problem, parameters=bar.parameters)
    run_dir = folder / f"{bar.name.replace(' ', '-').replace('=', '').replace(',', '-')}-{rng_seed}"
    options = RunOptions(rng_seed=rng_seed, seconds=seconds, target=bar.target)
    started = time.monotonic()
    summary = start_run(problem, run_dir, options, silent)
    assert summary.best_score is not None
    return bar.sign * summary.best_score, time.monotonic() - started


def print_bar(bar: Bar, seeds: list[int], seconds: float, folder: Path) -> None:
    """One row: the median over the seeds, the bar, whether every run met it."""
    found = [reached(bar, seed, seconds, folder) for seed in seeds]
    values, times = [value for value, _ in found], [took for _, took in found]
    met = sum(bar.sign * value >= bar.target for value in values)
    print(
        f"| {bar.name} | {statistics.median(values):.15g} | {bar.value:.15g} | {met} of {len(seeds)} "
        f"| {statistics.median(times):.0f} s |",
        flush=True,
    )


def main() -> None:
    """Print a table of all bars, or of the problems named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="*")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seeds", default="1,2,3")
    arguments = parser.parse_args()
    print(json.dumps({"cores": os.cpu_count(), "machine": platform.machine(), "load": os.getloadavg()[0]}))
    print("| problem | value (median) | bar | met | seconds (median) |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for bar in BARS:
            if not arguments.problems or bar.problem in arguments.problems:
                print_bar(bar, [int(seed) for seed in arguments.seeds.split(",")], arguments.seconds, Path(folder))


if __name__ == "__main__":
    main()
