"""A table of every shipped construction problem: what a default run without any key reaches in so many CPU seconds.

python -m benchmarks.constructions_table --folder /tmp/table --cpu-seconds 60
python -m benchmarks.constructions_table --folder /tmp/table minmax_distance_ratio:n=14,d=3 tammes:n=25,d=3
python -m benchmarks.constructions_table --folder /tmp/table --print > docs/constructions-table.md

Every run is the command `evolve run` with one worker, stopped when its processes have used the time, or when it is at
the best known value. FOLDER keeps the runs, and a line of JSON for each that is done: a second call does the others.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.process_tree import cpu_seconds
from evolve.config.locate import shipped_problems
from evolve.config.problem import Problem, load_problem
from evolve.errors import EvolveError
from evolve.store import RunReader

SLACK = 1e-12  # the best known values are rounded
LOOK_SECONDS = 0.3
LONGEST_SECONDS = 7200
RESULTS = "results.jsonl"
MORE_CASES = (
    "matrix_multiplication:n=2,m=2,p=2",
    "matrix_multiplication:n=2,m=2,p=3",
    "matrix_multiplication:n=2,m=3,p=3",
    "minmax_distance_ratio:n=14,d=3",
    "heilbronn_convex:n=14",
    "circles_in_square:n=26",
    "hexagons_in_hexagon:n=11",
    "tammes:n=25,d=3",
    "tammes:n=32,d=3",
    "happy_ending:k=6",
    "kakeya_finite_field:p=3,d=3",
    "kakeya_needle:n=8,shape=triangles",
    "no_five_on_a_sphere:n=8",
    "girth_five:n=60",
)


@dataclass(frozen=True, slots=True)
class Result:
    """One run: what it reached, and what it took. `first_value` is what the seed program alone is worth."""

    case: str
    rng_seed: int
    budget: float
    value: float
    first_value: float
    best_known: float | None
    alphaevolve: float | None
    gap: float | None
    evaluations: int
    cpu_seconds: float
    wall_seconds: float
    load: float
    at: str
    run: str
    problem_hash: str


def default_cases() -> list[str]:
    """Every folder with a verifier of constructions as it is, and some other members of families."""
    folders = [name for name, folder in shipped_problems().items() if folder.parent.name != "problems"]
    return [*folders, *MORE_CASES]


def loaded(case: str) -> Problem:
    """The problem of a case `name:n=2,m=3`."""
    name, _, told = case.partition(":")
    parameters = dict(each.split("=", 1) for each in told.split(",") if each)
    return load_problem(name, parameters=parameters)


def sign_of(problem: Problem) -> int:
    """What makes a value a score."""
    from evaluators.constructions.registry import verifier_named

    return 1 if verifier_named(problem.tables.evaluator.options["verifier"]).direction == "max" else -1


def target_of(problem: Problem) -> float | None:
    """The score at which nothing is left to be found."""
    known = problem.tables.known
    return None if known is None else sign_of(problem) * known.value - SLACK * abs(known.value)


def searched(case: str, run: Path, rng_seed: int, budget: float, target: float | None) -> tuple[float, float]:
    """Do the run; CPU seconds of all its processes, and seconds."""
    name, _, told = case.partition(":")
    command = [sys.executable, "-m", "evolve", "run", name, "--run-dir", str(run), "--seed", str(rng_seed)]
    command += ["--workers", "1", "--time", str(LONGEST_SECONDS), "--plain", "--durability", "fast"]
    command += ["--parameter", told] if told else []
    command += [f"--target={target!r}"] if target is not None else []
    started = time.monotonic()
    with (run.parent / f"{run.name}.txt").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    spent = 0.0
    is_asked = False
    while process.poll() is None:
        spent = max(spent, cpu_seconds(process.pid))
        if spent > budget and not is_asked and has_begun(run):
            process.send_signal(signal.SIGINT)
            is_asked = True
        time.sleep(LOOK_SECONDS)
    return spent, time.monotonic() - started


def has_begun(run: Path) -> bool:
    """Whether the seed program has been judged: it takes what it takes."""
    try:
        reader = RunReader(run)
    except EvolveError:
        return False
    try:
        return bool(reader.counts()["evaluations"])
    finally:
        reader.close()


def result_of(case: str, run: Path, rng_seed: int, budget: float, spent: tuple[float, float]) -> Result:
    """What the run found."""
    problem = loaded(case)
    sign, known = sign_of(problem), problem.tables.known
    reader = RunReader(run)
    try:
        counts, first = reader.counts(), reader.candidate(1).evaluation.score
    finally:
        reader.close()
    value = sign * counts["best_score"]
    best = None if known is None else known.value
    return Result(
        case=case,
        rng_seed=rng_seed,
        budget=budget,
        value=value,
        first_value=sign * first if first is not None else float("nan"),
        best_known=best,
        alphaevolve=None if known is None else known.alphaevolve,
        gap=None if best is None else sign * (best - value) / max(abs(best), 1e-300),
        evaluations=counts["evaluations"],
        cpu_seconds=round(spent[0], 1),
        wall_seconds=round(spent[1], 1),
        load=round(os.getloadavg()[0], 1),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        run=run.name,
        problem_hash=problem.content_hash,
    )


def results_in(folder: Path) -> list[dict[str, Any]]:
    """What is done of the problems as they are; of a case done twice the better run counts, then the shorter one."""
    path = folder / RESULTS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    best: dict[str, dict[str, Any]] = {}
    for line in lines:
        row = json.loads(line)
        if row["problem_hash"] != loaded(row["case"]).content_hash:
            continue
        best[row["case"]] = min(best.get(row["case"], row), row, key=_place)
    return [best[case] for case in sorted(best)]


def _place(row: Mapping[str, Any]) -> tuple[float, float]:
    return (-row["value"] * sign_of(loaded(row["case"])), row["cpu_seconds"])


_HEAD = """# The library, measured

What `evolve run` reaches on the problems of [the library](library.md) as it is shipped, without a language model or a
key: one run each with one worker, ended after {budget} CPU seconds of all its processes, start included, or when it
was at the best known value. `python -m benchmarks.constructions_table` makes the runs and this page, and does what is
left: {done} of {wanted} are measured, {days} on {machine}, load {loads}. The gap is relative to the best known value,
and negative where the run is better. Seeds of programs and the search are what they are after so short a time: tiers
in [the library](library.md) say what more would give, [finds](library.md#found-here) what longer runs gave.
"""


def page(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The table with what has to be known about it."""
    budgets, loads = ({row[name] for row in rows} for name in ("budget", "load"))
    days = sorted({row["at"][:10] for row in rows})
    yield _HEAD.format(
        done=len(rows),
        wanted=len({*default_cases(), *(row["case"] for row in rows)}),
        budget=" to ".join(f"{each:.0f}" for each in sorted({min(budgets), max(budgets)})),
        days=" to ".join(dict.fromkeys((days[0], days[-1]))),
        machine=f"{os.cpu_count()} cores ({platform.machine()})",
        loads=f"{min(loads):.0f} to {max(loads):.0f}",
    )
    yield from table(rows)


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows as Markdown."""
    yield "| problem | value | best known | gap | AlphaEvolve | seed program alone | evaluations | CPU s | s | seed |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        name, _, told = row["case"].partition(":")
        first = "the same" if row["first_value"] == row["value"] else figure(row["first_value"])
        cells = (
            f"`{name}` {told.replace(',', ', ')}".strip(),
            figure(row["value"]),
            figure(row["best_known"]),
            "-" if row["gap"] is None else "0" if abs(row["gap"]) < SLACK else f"{row['gap']:.1e}",
            figure(row["alphaevolve"]),
            first,
            f"{row['evaluations']:,}",
            f"{row['cpu_seconds']:.0f}",
            f"{row['wall_seconds']:.0f}",
            str(row["rng_seed"]),
        )
        yield f"| {' | '.join(cells)} |"


def figure(value: float | None) -> str:
    """A number as the table shows it."""
    return "-" if value is None else f"{value:.12g}"


def main() -> None:
    """Do what is left, or print the table of what is done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", help="NAME or NAME:n=2,m=3; without any: all folders and some more")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cpu-seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--print", action="store_true", dest="prints", help="only print the page")
    parser.add_argument("--again", action="store_true", help="also what is done, and past the best known value")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    if not arguments.prints:
        done = set() if arguments.again else {row["case"] for row in results_in(folder)}
        for case in arguments.cases or default_cases():
            if case not in done:
                _do(case, folder, arguments)
    sys.stdout.write("\n".join(page(results_in(folder))) + "\n")


def _do(case: str, folder: Path, arguments: argparse.Namespace) -> None:
    told = case.replace(":", "-").replace("=", "").replace(",", "-")
    run = folder / f"{told}-{arguments.seed}-{arguments.cpu_seconds:.0f}"
    shutil.rmtree(run, ignore_errors=True)
    target = None if arguments.again else target_of(loaded(case))
    spent = searched(case, run, arguments.seed, arguments.cpu_seconds, target)
    try:
        result = result_of(case, run, arguments.seed, arguments.cpu_seconds, spent)
    except Exception as error:  # noqa: BLE001 one problem that cannot run does not end the others
        print(f"{case}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return
    with (folder / RESULTS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(result)) + "\n")
    print(f"{case}: {result.value!r} (gap {result.gap}) in {result.cpu_seconds} CPU s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
