"""Peers side by side: the smallest error at each operation count after the same CPU seconds on the same function.

    python -m benchmarks.symbolic exp2 exp log2_1p erf sin --cpu 60 --seed 0

Peers are Operon (pyoperon), gplearn, DEAP and PySR, each with the settings that its module in `benchmarks/peers` names;
one that is not installed is a printed line. `pip install --group peers` installs them. All see the points of the
evaluator family, + - * / and constants of their own. What a peer finds is read into our language, which saves it the
operations that plain algebra can save; its constants are fitted again and levelled; then the family judges it as it
judges ours: the largest relative error on the interval over the real numbers. Operations count as ours do: repeated
work once, arithmetic of constants free, cumulative (at most that many).

Ours is what `benchmarks/search.py` runs: bursts from the empty program in one process. Seconds are CPU seconds of this
process, compiling left out.
"""

import argparse
import importlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

from benchmarks.peers.expression import UnreadableExpressionError, program_of
from benchmarks.peers.refit import refitted
from benchmarks.peers.task import Found, Task
from evaluators.approximation.family import FunctionApproximation
from evolve.symbolic.burst import burst
from evolve.symbolic.contract import BurstKind, BurstSettings, FitTarget
from sandbox.symbolic.canonical import canonical, depth, fingerprint, operation_count
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC

INTERVALS: dict[str, tuple[float | str, float | str]] = {
    "exp2": (0, 1), "exp": (0, 1), "log2_1p": (0, 1), "erf": (0, 2), "sin": (0, "pi/2"),
}  # fmt: skip
PACKAGES = {"operon": "pyoperon", "gplearn": "gplearn", "deap": "deap", "pysr": "pysr"}
OPERATIONS = range(3, 13)
KINDS = (BurstKind.MUTATE, BurstKind.MUTATE, BurstKind.MUTATE, BurstKind.REFIT, BurstKind.CROSSOVER)
KEPT_PER_CELL = 6


@dataclass(slots=True)
class Column:
    """What one library found: the least error at each operation count, and the work done for it."""

    name: str
    evaluations: str
    cpu_seconds: float
    best: dict[int, tuple[float, Program]] = field(default_factory=dict)

    def add(self, family: FunctionApproximation, program: Program) -> None:
        """Judge a program and keep it if it is the best of its operation count."""
        error = family.evaluate(program).metrics.get("max_relative_error")
        operations = operation_count(program)
        if error is not None and (operations not in self.best or error < self.best[operations][0]):
            self.best[operations] = (error, program)

    def error(self, operations: int) -> float | None:
        """The least error with at most so many operations."""
        return min((error for n, (error, _) in self.best.items() if n <= operations), default=None)


def family_of(function: str) -> FunctionApproximation:
    """The judge of a function."""
    return FunctionApproximation({"function": function, "interval": list(INTERVALS[function])}, ARITHMETIC)


def peer_column(
    name: str, module: ModuleType, family: FunctionApproximation, task: Task, options: argparse.Namespace
) -> Column:
    """Run one peer and judge all it found, as written and with constants fitted again."""
    start = time.process_time()
    found: Found = module.search(task, options.cpu, options.seed)
    column = Column(name, f"{found.evaluations:,} programs", time.process_time() - start)
    programs = {}
    for text in found.expressions:
        try:
            program = program_of(text, found.variable, times_x=task.divided)
        except UnreadableExpressionError:
            continue
        if operation_count(program) <= OPERATIONS[-1]:
            programs[fingerprint(program, ARITHMETIC)] = program
    for program in programs.values():
        column.add(family, program)
        column.add(family, canonical(refitted(program, task), ARITHMETIC))
    return column


def our_column(family: FunctionApproximation, target: FitTarget, options: argparse.Namespace) -> Column:
    """Bursts in one process, an archive by operations and depth between them."""
    burst([], ARITHMETIC, target, BurstSettings(work=0.001), [0])
    cells: dict[tuple[int, int], dict[str, tuple[float, Program]]] = {}
    start, number, fits = time.process_time(), 0, 0.0
    while time.process_time() - start < options.cpu:
        settings = BurstSettings(work=0.5, max_operations=OPERATIONS[-1], kind=KINDS[number * 7 % len(KINDS)])
        parents = [program for key in sorted(cells) for _, program in cells[key].values()]
        result = burst(parents, ARITHMETIC, target, settings, [options.seed, number])
        fits += result.statistics["fits"] + result.statistics["refits"]
        number += 1
        for child in result.children:
            cell = cells.setdefault((operation_count(child.program), depth(child.program)), {})
            structure = fingerprint(child.program, ARITHMETIC, structure_only=True)
            if structure not in cell or child.error < cell[structure][0]:
                cell[structure] = (child.error, child.program)
            for worst in sorted(cell, key=lambda held: cell[held][0])[KEPT_PER_CELL:]:
                del cell[worst]
    column = Column("ours", f"{fits:,.0f} fits from several starts", time.process_time() - start)
    for cell in cells.values():
        column.add(family, min(cell.values(), key=lambda entry: entry[0])[1])
    return column


def show(function: str, columns: list[Column]) -> None:
    """One table: errors, and how many times ours each peer's error is."""
    ours, peers = columns[0], columns[1:]
    interval = ", ".join(map(str, INTERVALS[function]))
    print(f"\n## {function} on [{interval}]\n")
    for column in columns:
        print(f"- {column.name}: {column.cpu_seconds:.0f} CPU-s, {column.evaluations}")
    print("\n| operations | ours | " + " | ".join(f"{peer.name} | ratio" for peer in peers) + " |")
    print("|" + "---|" * (2 + 2 * len(peers)))
    for operations in OPERATIONS:
        base = ours.error(operations)
        cells = [_number(base)]
        for peer in peers:
            error = peer.error(operations)
            ratio = f"{error / base:.3g}x" if error is not None and base else ""
            cells += [_number(error), ratio]
        print(f"| {operations} | " + " | ".join(cells) + " |", flush=True)


def _number(error: float | None) -> str:
    return "" if error is None else f"{error:.3e}"


def installed(names: Iterable[str]) -> dict[str, ModuleType]:
    """The adapters of the peers that can be imported; a line for each other one."""
    modules = {}
    for name in names:
        package = PACKAGES[name]
        try:
            modules[name] = importlib.import_module(f"benchmarks.peers.{name}")
        except ImportError as error:
            print(f"{name}: not installed: pip install {package} ({error})")
        except (OSError, RuntimeError) as error:
            print(f"{name}: {package} is installed but does not start: {error}")
    return modules


def main() -> None:
    """Run the comparisons that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("functions", nargs="*", default=list(INTERVALS), help=f"of {', '.join(INTERVALS)}")
    parser.add_argument("--cpu", type=float, default=60.0, help="CPU seconds for each library and function")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers", default=",".join(PACKAGES), help="names, separated by commas")
    parser.add_argument("--programs", action="store_true", help="also print the programs")
    options = parser.parse_args()
    unknown = [name for name in options.functions if name not in INTERVALS]
    if unknown:
        parser.error(f"unknown function {unknown[0]!r}, expected one of {', '.join(INTERVALS)}")
    modules = installed(options.peers.split(","))
    for name in modules:
        try:
            print(f"{name}: {PACKAGES[name]} {version(PACKAGES[name])}")
        except PackageNotFoundError:
            print(f"{name}: version unknown")
    for function in options.functions:
        family = family_of(function)
        points, values, relative = family.fit_target()
        target = FitTarget(points=points, values=values, relative=relative, values_low=family.fit_target_low())
        columns = [our_column(family, target, options)]
        task = Task(function, points, values)
        columns += [peer_column(name, module, family, task, options) for name, module in modules.items()]
        show(function, columns)
        if options.programs:
            for column in columns:
                for operations, (error, program) in sorted(column.best.items()):
                    print(f"# {column.name}, {operations} operations, {error:.3e}")
                    print(render(program, ARITHMETIC))


if __name__ == "__main__":
    main()
