"""Whole runs with local workers and on Ray, for `benchmarks.ray`: candidates a second, and the same archive."""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from evolve.config.problem import load_problem
from evolve.loop.events import Event, RunOptions
from evolve.loop.running import start_run

PROBLEMS = Path(__file__).parents[1] / "problems"
DEFAULT = "circle_packing_26"
EXECUTORS = ("local", "ray")
WINDOW_PER_WORKER = 4
HEADER = (
    f"{'problem':<22}{'window':>7}{'workers':>8} {'executor':<9}{'candidates/s':>13}{'seconds':>9}"
    f"{'CPU: controller':>18}  archive"
)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run took once its seed program was scored, the controller's CPU seconds among it, and its archive."""

    seconds: float
    cpu_seconds: float
    n_candidates: int
    archive_hash: str


class _Meter:
    """Counts from the first report of progress to the last: starting and ending workers or a cluster is not counted."""

    def __init__(self) -> None:
        self._readings: list[float] = []

    def hear(self, event: Event) -> None:
        """Listens to the run."""
        if event.kind == "progress":
            self._readings[1:] = [time.process_time()]

    @property
    def cpu_seconds(self) -> float:
        """User and system time of this process."""
        return self._readings[-1] - self._readings[0]


def run(pipe: Connection, problem: str, options: RunOptions) -> None:
    """One whole run in a process of its own."""
    meter = _Meter()
    with tempfile.TemporaryDirectory() as folder:
        summary = start_run(load_problem(PROBLEMS / problem), Path(folder) / "run", options, meter.hear)
    pipe.send(Ran(summary.seconds, meter.cpu_seconds, summary.evaluations - 1, summary.archive_hash))


def ran(problem: str, options: RunOptions) -> Ran:
    """Do one whole run."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs, problem, options))
    process.start()
    theirs.close()
    try:
        answer: Ran = ours.recv()
    except EOFError:
        raise SystemExit(f"the run of {problem} with {options.executor} failed") from None
    finally:
        process.join()
    return answer


def side_by_side(arguments: argparse.Namespace) -> None:
    """The table: both executors in turns, the same seed and window everywhere."""
    window = arguments.window or WINDOW_PER_WORKER * max(arguments.workers)
    print(HEADER)
    for problem in arguments.runs or [DEFAULT]:
        for n_workers in arguments.workers:
            options = {
                executor: RunOptions(
                    executor=executor,
                    workers=n_workers,
                    window=window,
                    evaluations=arguments.candidates,
                    durability="fast",
                    network_fs_allowed=True,
                )
                for executor in EXECUTORS
            }
            rounds: dict[str, list[Ran]] = {executor: [] for executor in EXECUTORS}
            for number in range(arguments.rounds):
                for executor in EXECUTORS if number % 2 == 0 else reversed(EXECUTORS):
                    rounds[executor].append(ran(problem, options[executor]))
            for executor in EXECUTORS:
                print(_row(problem, window, n_workers, executor, rounds[executor]), flush=True)


def _row(problem: str, window: int, n_workers: int, executor: str, runs: Sequence[Ran]) -> str:
    hashes = sorted({each.archive_hash[:8] for each in runs})
    rate = median(each.n_candidates / each.seconds for each in runs)
    return (
        f"{problem:<22}{window:>7}{n_workers:>8} {executor:<9}{rate:>13.2f}"
        f"{median(each.seconds for each in runs):>9.2f}"
        f"{median(1e3 * each.cpu_seconds / each.n_candidates for each in runs):>15.2f} ms  {' '.join(hashes)}"
    )
