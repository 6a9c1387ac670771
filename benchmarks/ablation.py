"""What each mechanism of the symbolic search is worth: every one left out in turn, several seeds, equal work.

python -m benchmarks.ablation log2_1p sin erf --work 15 --seeds 0,1,2,3,4

Work is counted in steps and never by the clock, so the figures are the same on a busy machine. The figure of merit is
the mean over 3 to 12 operations of log10(error found / best classical error at most so large), lower is better.
"""

import argparse
import math
import statistics
from collections import deque
from collections.abc import Iterable

import numpy as np

from benchmarks.search import OuterArchive, baselines, fit_target
from evolve.symbolic.burst import burst
from evolve.symbolic.contract import BurstKind, BurstResult, BurstSettings, FitTarget, Mechanism
from sandbox.symbolic.vocabulary import ARITHMETIC

KINDS = (BurstKind.MUTATE, BurstKind.MUTATE, BurstKind.MUTATE, BurstKind.REFIT, BurstKind.CROSSOVER)
CLASSICAL = ("polynomial", "preconditioned", "rational", "continued_fraction", "transformed")
MAX_OPERATIONS = 12
WINDOW = 4


def searched(target: FitTarget, without: frozenset[Mechanism], work: float, rng_seed: int) -> OuterArchive:
    """Bursts that see an archive a few bursts old, as parallel workers do, until the work is spent."""
    archive, flying, spent, number = OuterArchive(), deque[BurstResult](), 0.0, 0
    while spent < work:
        kind = KINDS[int(np.random.default_rng([rng_seed, number]).integers(len(KINDS)))]
        settings = BurstSettings(max_operations=MAX_OPERATIONS, kind=kind, without=without)
        result = burst(archive.programs(), ARITHMETIC, target, settings, [rng_seed, number])
        flying.append(result)
        spent += result.work
        number += 1
        if len(flying) >= WINDOW:
            for child in flying.popleft().children:
                archive.add(child.program, child.error)
    for late in flying:
        for child in late.children:
            archive.add(child.program, child.error)
    return archive


def merit(archive: OuterArchive, function: str) -> float:
    """Mean over operation counts of the logarithm of found over classical."""
    classical, found = baselines(function), archive.best()
    logarithms = []
    best, known = math.inf, math.inf
    for n in range(2, MAX_OPERATIONS + 1):
        row = classical.get(str(n), {})
        known = min([known, *(row[name] for name in CLASSICAL if name in row)])
        best = min(best, found[n][0] if n in found else math.inf)
        if n >= 3:
            logarithms.append(math.log10(best / known))
    return statistics.fmean(logarithms)


def variants() -> Iterable[tuple[str, frozenset[Mechanism]]]:
    """Nothing left out, then each mechanism, then all of them."""
    yield "all of it", frozenset()
    for mechanism in Mechanism:
        yield f"without {mechanism}", frozenset({mechanism})
    yield "without any", frozenset(Mechanism)


def main() -> None:
    """Print one line for each variant: the median of the seeds for each function, and their mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("functions", nargs="+")
    parser.add_argument("--work", type=float, default=15.0, help="of each search; 1 is about a second of one core")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    arguments = parser.parse_args()
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    targets = {function: fit_target(function) for function in arguments.functions}
    print("| variant | " + " | ".join(arguments.functions) + " | mean |")
    print("|---|" + "---|" * (len(targets) + 1), flush=True)
    for name, without in variants():
        medians = []
        for function, target in targets.items():
            merits = [merit(searched(target, without, arguments.work, seed), function) for seed in seeds]
            medians.append(statistics.median(merits))
        cells = " | ".join(f"{each:.3f}" for each in medians)
        print(f"| {name} | {cells} | {statistics.fmean(medians):.3f} |", flush=True)


if __name__ == "__main__":
    main()
