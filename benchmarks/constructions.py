"""What default runs of the construction problems find without any key: every run's value and what it took.

python -m benchmarks.constructions --cpu-seconds 600 --seeds 1,2,3 --folder /tmp/bars
python -m benchmarks.constructions minmax_distance_ratio autocorrelation_1 --cpu-seconds 60 --seeds 1
python -m benchmarks.constructions --girth-five 5-60 --cpu-seconds 60 --seeds 1

A run ends when it has reached its bar, or when its processes have used the CPU seconds: five minutes on two cores are
600 of them. Counted that way, other programs on the machine do not matter. Values are those of the exact verifiers.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.constructions_table import searched
from evolve.config.problem import load_problem
from evolve.store import RunReader

GIRTH_FIVE = (20, 30, 40, 50, 53, 60)


@dataclass(frozen=True)
class Bar:
    """A problem with parameters, and the value that a run of five minutes is to reach; `sign` makes higher better."""

    problem: str
    parameters: dict[str, int | str] = field(default_factory=dict)
    value: float = 0.0
    slack: float = 0.0
    sign: int = 1

    @property
    def case(self) -> str:
        """The problem with its parameters, `name:n=2,m=3`."""
        told = ",".join(f"{key}={value}" for key, value in self.parameters.items())
        return f"{self.problem}:{told}" if told else self.problem

    @property
    def target(self) -> float:
        """The score to reach."""
        return self.sign * self.value - self.slack


@dataclass(frozen=True, slots=True)
class Reached:
    """What one run found, and what it took."""

    value: float
    is_met: bool
    cpu_seconds: float
    wall_seconds: float


BARS = (
    Bar("minmax_distance_ratio", {"n": 16, "d": 2}, 12.889229907694, 1e-11, sign=-1),
    Bar("minmax_distance_ratio", {"n": 14, "d": 3}, 4.165783474580, 1e-11, sign=-1),
    Bar("spherical_code", {"n": 30, "d": 3}, 0.6736467551690225, 1e-12),
    Bar("heilbronn_triangle", {"n": 11}, 0.0365298898800, 1e-9),
    Bar("circles_in_square", {"n": 26}, 2.63598308, 0.0),
    Bar("more_sums_than_differences", {"n": 30}, 51 / 47, 1e-15),
    Bar("autocorrelation_1", {}, 1.509, 0.0, sign=-1),
    Bar("erdos_overlap", {}, 0.3811, 0.0, sign=-1),
    Bar("matrix_multiplication", {"n": 2, "m": 2, "p": 2}, 7, sign=-1),
    Bar("matrix_multiplication", {"n": 2, "m": 2, "p": 3}, 11, sign=-1),
    Bar("matrix_multiplication", {"n": 2, "m": 3, "p": 3}, 15, sign=-1),
    Bar("matrix_multiplication", {"n": 3, "m": 3, "p": 3}, 23, sign=-1),
)


def girth_five_bars(sizes: Sequence[int]) -> Iterator[Bar]:
    """Graphs with the largest, or the best known, number of edges."""
    for n in sizes:
        known = load_problem("girth_five", parameters={"n": n}).tables.known
        assert known is not None
        yield Bar("girth_five", {"n": n}, known.value)


def reached(bar: Bar, rng_seed: int, budget: float, folder: Path) -> Reached:
    """Do one run; what is in the folder is not done again."""
    name = f"{bar.case.replace(':', '-').replace(',', '-').replace('=', '')}-{rng_seed}"
    record = folder / f"{name}.json"
    if not record.exists():
        shutil.rmtree(folder / name, ignore_errors=True)  # of a call that was broken off
        cpu, wall = searched(bar.case, folder / name, rng_seed, budget, bar.target)
        reader = RunReader(folder / name)
        try:
            score = reader.counts()["best_score"]
        finally:
            reader.close()
        record.write_text(json.dumps([bar.sign * score, score >= bar.target, round(cpu, 1), round(wall, 1)]))
    return Reached(*json.loads(record.read_text()))


def print_bar(bar: Bar, seeds: Sequence[int], budget: float, folder: Path) -> None:
    """One row: the median over the seeds, the bar, what each run took."""
    found = [reached(bar, seed, budget, folder) for seed in seeds]
    each = ", ".join(f"{one.value:.12g} ({one.cpu_seconds:.0f} s)" for one in found)
    print(
        f"| {bar.case} | {bar.value:.15g} | {statistics.median(one.value for one in found):.15g} "
        f"| {sum(one.is_met for one in found)} of {len(found)} "
        f"| {statistics.median(one.cpu_seconds for one in found):.0f} s "
        f"| {statistics.median(one.wall_seconds for one in found):.0f} s | {each} |",
        flush=True,
    )


def sizes_in(text: str) -> list[int]:
    """The numbers of `5-60` or `20,30`."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if last else [int(each) for each in text.split(",")]


def main() -> None:
    """Print a table of all bars, or of the problems named."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="*")
    parser.add_argument("--cpu-seconds", type=float, default=600.0)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--folder", type=Path, help="keep the runs here; those that are here are not done again")
    parser.add_argument("--girth-five", type=sizes_in, metavar="SIZES", help="only these graphs: 5-60, or 20,30")
    arguments = parser.parse_args()
    bars = [*BARS, *girth_five_bars(GIRTH_FIVE)]
    if arguments.girth_five is not None:
        bars = list(girth_five_bars(arguments.girth_five))
    chosen = [bar for bar in bars if not arguments.problems or bar.problem in arguments.problems]
    load = round(os.getloadavg()[0], 1)
    print(json.dumps({"cores": os.cpu_count(), "machine": platform.machine(), "load": load}), flush=True)
    print("| problem | bar | median | met | CPU seconds | seconds | each seed |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for bar in chosen:
            print_bar(bar, [int(seed) for seed in arguments.seeds.split(",")], arguments.cpu_seconds, folder)


if __name__ == "__main__":
    main()
