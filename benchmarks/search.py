"""Symbolic search from the empty program: the frontier reached in given CPU seconds, beside the classical columns.

    python benchmarks/search.py exp2 --cpu 120 --seeds 0,1,2

One process stands for the engine: bursts see an archive that lags a few bursts behind, as parallel workers do.
"""

import argparse
import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from evaluators.approximation.family import FunctionApproximation  # noqa: E402
from evolve.symbolic.burst import burst  # noqa: E402
from evolve.symbolic.contract import BurstKind, BurstResult, BurstSettings, FitTarget  # noqa: E402
from sandbox.symbolic.canonical import depth, fingerprint, operation_count  # noqa: E402
from sandbox.symbolic.program import Program  # noqa: E402
from sandbox.symbolic.render import render  # noqa: E402
from sandbox.symbolic.vocabulary import ARITHMETIC  # noqa: E402

INTERVALS = {"exp2": (0, 1), "exp": (0, 1), "log2_1p": (0, 1), "erf": (0, 2), "sin": (0, "pi/2")}
ODD = ("sin", "erf")
FOLDERS = {"log2_1p": "log2"}
KEEP = 6
COLUMNS = ("polynomial", "rational", "continued_fraction", "transformed", "evolved_structure")


@dataclass
class OuterArchive:
    """Cells by operations and depth, the best programs of distinct structure in each."""

    cells: dict[tuple[int, int], list[tuple[float, str, Program]]] = field(default_factory=dict)

    def add(self, program: Program, error: float) -> None:
        """Offer a program."""
        cell = self.cells.setdefault((operation_count(program), depth(program)), [])
        structure = fingerprint(program, ARITHMETIC, structure_only=True)
        known = [k for k, (_, other, _) in enumerate(cell) if other == structure]
        if known and cell[known[0]][0] <= error:
            return
        for k in known:
            del cell[k]
        cell.append((error, structure, program))
        cell.sort(key=lambda entry: entry[:2])
        del cell[KEEP:]

    def programs(self) -> list[Program]:
        """All programs, in a fixed order."""
        return [program for cell in sorted(self.cells) for _, _, program in self.cells[cell]]

    def best(self) -> dict[int, tuple[float, Program]]:
        """The best error and program of each operation count."""
        found: dict[int, tuple[float, Program]] = {}
        for (n, _), cell in self.cells.items():
            if cell and (n not in found or cell[0][0] < found[n][0]):
                found[n] = (cell[0][0], cell[0][2])
        return dict(sorted(found.items()))


def fit_target(function: str) -> FitTarget:
    """The table the evaluator family gives for a function."""
    options = {"function": function, "interval": list(INTERVALS[function])}
    if function in ODD:
        options["symmetry"] = "odd"
    family = FunctionApproximation(options, ARITHMETIC)
    points, values, relative = family.fit_target()
    symmetry = "odd" if function in ODD else None
    return FitTarget(
        points=points, values=values, relative=relative, values_low=family.fit_target_low(), symmetry=symmetry
    )


def baselines(function: str) -> dict[str, dict[str, float]]:
    """Classical errors by operation count and column, where the problem folder ships them."""
    path = ROOT / "problems" / FOLDERS.get(function, function) / "baselines.json"
    if not path.exists():
        return {}
    content = json.loads(path.read_text())
    table = content.get("operations", content)
    errors: dict[str, dict[str, float]] = {}
    for n, row in table.items():
        if isinstance(row, dict):
            cells = {name: cell.get("error") if isinstance(cell, dict) else cell for name, cell in row.items()}
            errors[n] = {name: float(value) for name, value in cells.items() if isinstance(value, int | float)}
    return errors


def search(target: FitTarget, options: argparse.Namespace, rng_seed: int) -> tuple[OuterArchive, dict[int, float]]:
    """One search; also when each length's best last improved by more than a tenth, in CPU seconds."""
    archive, found_at = OuterArchive(), dict[int, float]()
    flying: deque[BurstResult] = deque()
    start, number = time.process_time(), 0
    kinds = (BurstKind.MUTATE,) * 3 + (BurstKind.REFIT, BurstKind.CROSSOVER)
    while time.process_time() - start < options.cpu:
        kind = kinds[int(np.random.default_rng([rng_seed, number]).integers(len(kinds)))]
        settings = BurstSettings(work=options.work, max_operations=options.max_operations, kind=kind)
        flying.append(burst(archive.programs(), ARITHMETIC, target, settings, [rng_seed, number]))
        number += 1
        if len(flying) < options.window:
            continue
        before = archive.best()
        for child in flying.popleft().children:
            archive.add(child.program, child.error)
        for n, (error, _) in archive.best().items():
            if n not in before or error < 0.9 * before[n][0]:
                found_at[n] = time.process_time() - start
    return archive, found_at


def show(function: str, rng_seed: int, archive: OuterArchive, found_at: dict[int, float], *, programs: bool) -> None:
    """Print the frontier of one search."""
    classical = baselines(function)
    columns = [name for name in COLUMNS if any(name in row for row in classical.values())]
    print(f"\n{function}, rng_seed {rng_seed}: {sum(map(len, archive.cells.values()))} elites")
    print(f"{'ops':>3} {'found':>9} {'at CPU-s':>8}  " + " ".join(f"{name[:11]:>11}" for name in columns))
    for n, (error, program) in archive.best().items():
        row = classical.get(str(n), {})
        cells = " ".join(f"{row[name]:11.2e}" if name in row else f"{'-':>11}" for name in columns)
        print(f"{n:>3} {error:9.2e} {found_at.get(n, 0.0):8.0f}  {cells}", flush=True)
        if programs:
            print(render(program, ARITHMETIC))


def main() -> None:
    """Run the searches that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("functions", nargs="+", choices=sorted(INTERVALS))
    parser.add_argument("--cpu", type=float, default=120.0, help="CPU seconds for each search")
    parser.add_argument("--seeds", default="0", help="rng seeds, separated by commas")
    parser.add_argument("--max-operations", type=int, default=10)
    parser.add_argument("--work", type=float, default=0.5, help="work of one burst")
    parser.add_argument("--window", type=int, default=6, help="bursts in flight")
    parser.add_argument("--programs", action="store_true", help="also print the programs")
    options = parser.parse_args()
    for function in options.functions:
        target = fit_target(function)
        clock = time.process_time()
        settings = BurstSettings(work=0.001, max_operations=options.max_operations)
        burst([], ARITHMETIC, target, settings, [0])
        print(f"first call (compilation, unless cached): {time.process_time() - clock:.1f} CPU-s")
        for rng_seed in map(int, options.seeds.split(",")):
            archive, found_at = search(target, options, rng_seed)
            show(function, rng_seed, archive, found_at, programs=options.programs)


if __name__ == "__main__":
    main()
