"""One archive, several islands, or age layers, for the symbolic search: equal work, several seeds.

python -m benchmarks.diversity log2_1p sin --work 25 --seeds 0,1,2

With islands, archives breed alone and get the others' elites after every so many bursts. With ages, a second archive
begins from nothing again and again, and gives its elites to the first when its time is over, after Hornby, "ALPS: the
age-layered population structure for reducing the problem of premature convergence" (2006),
https://doi.org/10.1145/1143997.1144142. The figure of merit is that of `benchmarks.ablation`, lower is better.
"""

import argparse
import statistics
from collections import deque
from collections.abc import Callable

import numpy as np

from benchmarks.ablation import KINDS, MAX_OPERATIONS, WINDOW, merit
from benchmarks.search import OuterArchive, fit_target
from evolve.symbolic.burst import burst
from evolve.symbolic.contract import BurstResult, BurstSettings, FitTarget
from sandbox.symbolic.vocabulary import ARITHMETIC

MIGRATE_EVERY = 8
LIFETIME = 8
YOUNG_SHARE = 0.4

Chooser = Callable[[list[OuterArchive], int, np.random.Generator], int]


def poured(source: OuterArchive, into: OuterArchive) -> None:
    """Offer all elites of one archive to another."""
    for cell in source.cells.values():
        for error, _, program in cell:
            into.add(program, error)


def in_turn(archives: list[OuterArchive], number: int, rng: np.random.Generator) -> int:
    """Islands take turns, and trade."""
    del rng
    if number % MIGRATE_EVERY == 0:
        before = [OuterArchive({key: list(cell) for key, cell in each.cells.items()}) for each in archives]
        for position, archive in enumerate(archives):
            poured(before[position - 1], archive)
    return number % len(archives)


def by_age(archives: list[OuterArchive], number: int, rng: np.random.Generator) -> int:
    """Mostly the old archive; the young one is poured into it, and emptied, when its time is over."""
    if number % int(LIFETIME / YOUNG_SHARE) == 0:
        poured(archives[1], archives[0])
        archives[1] = OuterArchive()
    return int(rng.random() < YOUNG_SHARE)


def searched(target: FitTarget, n_archives: int, choose: Chooser, work: float, rng_seed: int) -> OuterArchive:
    """Bursts that see their archive a few bursts old, until the work is spent; all archives poured together."""
    archives = [OuterArchive() for _ in range(n_archives)]
    flying, spent, number = deque[tuple[int, BurstResult]](), 0.0, 0

    def land() -> None:
        position, result = flying.popleft()
        for child in result.children:
            archives[position].add(child.program, child.error)

    while spent < work:
        rng = np.random.default_rng([rng_seed, number])
        kind = KINDS[int(rng.integers(len(KINDS)))]
        position = choose(archives, number, rng)
        settings = BurstSettings(max_operations=MAX_OPERATIONS, kind=kind)
        result = burst(archives[position].programs(), ARITHMETIC, target, settings, [rng_seed, number])
        flying.append((position, result))
        spent += result.work
        number += 1
        if len(flying) >= WINDOW:
            land()
    while flying:
        land()
    for other in archives[1:]:
        poured(other, archives[0])
    return archives[0]


def main() -> None:
    """Print one line for each variant: every seed, and the median, for each function."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("functions", nargs="+")
    parser.add_argument("--work", type=float, default=25.0, help="of each search; 1 is about a second of one core")
    parser.add_argument("--seeds", default="0,1,2")
    arguments = parser.parse_args()
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    targets = {function: fit_target(function) for function in arguments.functions}
    variants: dict[str, tuple[int, Chooser]] = {
        "one archive": (1, in_turn),
        "2 islands": (2, in_turn),
        "4 islands": (4, in_turn),
        "ages": (2, by_age),
    }
    print("| variant | " + " | ".join(arguments.functions) + " | mean |")
    print("|---|" + "---|" * (len(targets) + 1), flush=True)
    for name, (n_archives, choose) in variants.items():
        medians, cells = [], []
        for function, target in targets.items():
            merits = [merit(searched(target, n_archives, choose, arguments.work, seed), function) for seed in seeds]
            medians.append(statistics.median(merits))
            cells.append(f"{medians[-1]:.3f} ({', '.join(f'{each:.2f}' for each in merits)})")
        print(f"| {name} | {' | '.join(cells)} | {statistics.fmean(medians):.3f} |", flush=True)


if __name__ == "__main__":
    main()
