"""How many evaluators one controller keeps busy, and what stops it: its own CPU, or stragglers that are told in order.

    python -m benchmarks.scale [--evaluators 10 100 1000 10000] [--seconds 0.05 1 10 60] [--window-factor 2]
    python -m benchmarks.scale --windows        only the table of windows (no driver: the rule alone)

The real driver, search, gate, journal, pulse and `run.db` work with simulated evaluators on a virtual clock: it runs on
while the controller computes (CPU time, user and system, measured) and jumps over all waiting. Not counted: waiting for
the disk, the sandbox's side, and what an executor costs in the controller's process; `--executor-ms` and `--sync-ms`
charge assumed milliseconds for an evaluation and for a commit. The operator is trivial: real ones and language models
cost more, see `benchmarks.overhead`.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.scale_run import PARTS, SATISFIED, Case, Outcome, simulate, watched
from benchmarks.scale_time import Workload, limit_of_order, needed_window

FEWEST = 2000
WINDOWS_TOLD = 3.0
TAIL = 1.0
FACTORS = (1, 2, 4, 8, 16, 32)
MOST_OF = 1000


def kinds(arguments: argparse.Namespace) -> Iterator[Workload]:
    """The workloads that were asked for, with a mean of one second."""
    for sigma in arguments.sigmas:
        for rate in arguments.failures:
            yield Workload(mean_seconds=1.0, sigma=sigma, failure_rate=rate, longest=arguments.longest)


def name_of(work: Workload) -> str:
    """How evaluations of a workload last."""
    return f"sigma {work.sigma:g}" if work.sigma else "constant"


def print_capacity(arguments: argparse.Namespace) -> None:
    """The table of the real driver."""
    watch = watched()
    head = "evaluators   mean s  durations    failed  window   busy  allowed  candidates/s  controller  bottleneck"
    print(f"{head}       CPU ms: all {''.join(f'{part:>8}' for part in (*PARTS, 'rest'))}")
    for n in arguments.evaluators:
        window = round(arguments.window_factor * n)
        for mean in arguments.seconds:
            for work in kinds(arguments):
                case = Case(
                    workload=replace(work, mean_seconds=mean),
                    n_evaluators=n,
                    window=window,
                    n_candidates=arguments.candidates or max(FEWEST, round(WINDOWS_TOLD * window)),
                    executor_ms=arguments.executor_ms,
                    sync_ms=arguments.sync_ms,
                )
                _print_row(case, simulate(case, watch))
    _print_advice(arguments)


def _print_advice(arguments: argparse.Namespace) -> None:
    print(f"\nthe window that keeps {SATISFIED:.0%} of the evaluators busy, as far as order allows:")
    n = min(max(arguments.evaluators), MOST_OF)
    for work in kinds(arguments):
        needed = needed_window(work, n_evaluators=n, wanted=SATISFIED, rng=np.random.default_rng(2))
        print(f"  {name_of(work)}, {work.failure_rate:.0%} failed: {needed} x evaluators")


def _print_row(case: Case, outcome: Outcome) -> None:
    work = case.workload
    print(
        f"{case.n_evaluators:>10,} {work.mean_seconds:>8g}  {name_of(work):<10} {work.failure_rate:>8.0%}"
        f" {case.window:>7,}"
        f" {outcome.busy:>6.1%} {outcome.allowed:>8.1%} {outcome.per_second:>13,.1f} {outcome.controller:>11.1%}"
        f"  {outcome.bottleneck:<15} {outcome.milliseconds['all']:>13.2f} "
        + "".join(f"{outcome.milliseconds[part]:>8.2f}" for part in (*PARTS, "rest")),
        flush=True,
    )


def print_windows(arguments: argparse.Namespace) -> None:
    """What ordered telling allows by window, without any cost of the controller."""
    print(f"busy share of {arguments.of:,} evaluators that ordered telling allows, by window / evaluators; time limit:")
    print(f"{arguments.longest:g} times the mean; needed: the smallest window that keeps {SATISFIED:.0%} busy")
    print(f"{'durations':<12}{'failed':>8}" + "".join(f"{factor:>8}" for factor in FACTORS) + f"{'needed':>9}")
    for work in kinds(arguments):
        shares = [
            limit_of_order(work, n_evaluators=arguments.of, window=factor * arguments.of, rng=np.random.default_rng(2))
            for factor in FACTORS
        ]
        needed = needed_window(work, n_evaluators=arguments.of, wanted=SATISFIED, rng=np.random.default_rng(2))
        columns = "".join(f"{share:>8.1%}" for share in shares)
        print(f"{name_of(work):<12}{work.failure_rate:>8.0%}{columns}{needed!s:>9}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluators", type=int, nargs="+", default=[10, 100, 1000, 10000])
    parser.add_argument("--seconds", type=float, nargs="+", default=[0.05, 1, 10, 60], help="mean of an evaluation")
    parser.add_argument("--sigmas", type=float, nargs="+", default=[0.0, TAIL], help="of the lognormal; 0: all alike")
    parser.add_argument("--failures", type=float, nargs="+", default=[0.0])
    parser.add_argument("--longest", type=float, default=20.0, help="the limit of time, in means")
    parser.add_argument("--window-factor", type=float, default=2.0, help="window / evaluators")
    parser.add_argument("--candidates", type=int, help="of each run; the default is three windows, at least 2,000")
    parser.add_argument("--executor-ms", type=float, default=0.0)
    parser.add_argument("--sync-ms", type=float, default=0.0)
    parser.add_argument("--windows", action="store_true", help="only what ordered telling allows")
    parser.add_argument("--of", type=int, default=1000, help="evaluators in the table of windows")
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}")
    if arguments.windows:
        print_windows(arguments)
    else:
        print_capacity(arguments)


if __name__ == "__main__":
    main()
