"""Keep what runs found: constructions worth AlphaEvolve's published value or more, with proof, beside their problems.

python -m benchmarks.keep_finds RUN ...

Verifies the best candidate of each RUN and writes `found/<parameters>.json` into the folder of its problem, if the
construction is better than the one that is there. `python -m evolve.cli.library` makes the table of all finds.
"""

import argparse
import json
import sys
from fractions import Fraction
from pathlib import Path

from benchmarks.constructions_table import RESULTS, sign_of
from evolve.config.finds import FOLDER, MAX_BYTES, Find, Finder, finds_in, standing_of
from evolve.config.problem import Problem, load_problem
from evolve.errors import EvolveError
from evolve.loop import verify_candidate
from evolve.store import CandidateRecord, RunReader

DAY = len("2026-11-22")


def find_of(run: Path) -> tuple[Problem, Find]:
    """The best construction of a run as a find, proved again.

    Raises:
        ValueError: there is nothing to keep; the text says why.
    """
    reader = RunReader(run)
    try:
        meta, day = reader.meta(), reader.sessions()[0]["started"][:DAY]
        best, first = reader.elites(limit=1)[0], reader.candidate(1)
        judged = [
            each for row in reader.iterations() for each in row.candidates if each.candidate.id <= best.candidate.id
        ]
    finally:
        reader.close()
    ran = Problem.from_json(meta["problem"])
    if ran.tables.family is not None and ran.tables.family.generalize:
        raise ValueError(f"{ran.name}: programs for many sizes are no construction")
    problem = load_problem(ran.folder.name, parameters=ran.tables.parameters)
    if ran.seed_files != problem.seed_files:
        raise ValueError(f"{problem.name}: the seed program has changed since the run")
    known = problem.tables.known
    if known is None or known.alphaevolve is None:
        raise ValueError(f"{problem.name}: no value of AlphaEvolve's is known")
    verification = verify_candidate(run, best.candidate.id)
    if verification.certificate is None:
        raise ValueError(f"{problem.name}: {verification.verdict}: {verification.detail}")
    certificate = json.loads(verification.certificate.read_text(encoding="utf-8"))["certificate"]
    rng_seed = meta["options"]["rng_seed"]
    return problem, Find(
        problem=problem.folder.name,
        parameters=dict(certificate["parameters"]),
        alphaevolve=known.alphaevolve,
        standing=standing_of(Fraction(certificate["value"]), known.alphaevolve, certificate["direction"]),
        found_by=_finder(problem, first),
        command=_command(problem, rng_seed, best.candidate.id),
        rng_seed=rng_seed,
        evaluations=best.candidate.id,
        seconds=round(sum(each.evaluation.seconds for each in judged if each.candidate.id <= best.candidate.id), 1),
        cpu_seconds=_cpu_seconds(run),
        date=day,
        certificate=certificate,
    )


def _finder(problem: Problem, first: CandidateRecord) -> Finder:
    """Who came as far as AlphaEvolve: what the run started from, or the search."""
    known, score = problem.tables.known, first.evaluation.score
    assert known is not None
    assert known.alphaevolve is not None
    sign = sign_of(problem)
    if score is None or standing_of(Fraction(sign * score), known.alphaevolve, "max" if sign > 0 else "min") == "below":
        return "search"
    return "seed strategy" if problem.tables.search.toolbox else "seed program"


def _command(problem: Problem, rng_seed: int, evaluations: int) -> str:
    told = ",".join(f"{name}={value}" for name, value in problem.tables.parameters.items())
    parameters = f" --parameter {told}" if told else ""
    return f"evolve run {problem.folder.name}{parameters} --seed {rng_seed} --evaluations {evaluations}"


def _cpu_seconds(run: Path) -> float | None:
    """What `benchmarks.constructions_table` measured, if it made the run."""
    path = run.parent / RESULTS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    measured = [row["cpu_seconds"] for row in map(json.loads, lines) if row["run"] == run.name]
    return float(measured[-1]) if measured else None


def kept(run: Path) -> str:
    """Keep the best construction of a run; what became of it, in a line."""
    try:
        problem, find = find_of(run)
    except (EvolveError, ValueError) as error:
        return f"{run}: {error}"
    target = problem.folder / FOLDER / find.file_name
    sign = sign_of(problem)
    older = [each for each in finds_in(problem.folder) if each.file_name == find.file_name]
    text = json.dumps(find.to_json(), indent=1) + "\n"
    told = f"{problem.name}: {float(find.value)!r} {find.standing} {find.alphaevolve!r}"
    known = problem.tables.known
    if known is not None and standing_of(find.value, known.value, known.direction) == "beats":
        told += f" and the best known value {known.value!r}"
    if find.standing == "below":
        return told
    if older and sign * older[0].value >= sign * find.value and not _is_only_measured_better(find, older[0]):
        return f"{told}, no better than {float(older[0].value)!r}"
    if len(text) > MAX_BYTES:
        return f"{told}, but its file would have {len(text)} bytes, at most {MAX_BYTES} are kept"
    target.parent.mkdir(exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return f"{told}, kept in {target}"


def _is_only_measured_better(find: Find, older: Find) -> bool:
    return find.value == older.value and find.cpu_seconds is not None and older.cpu_seconds is None


def main() -> None:
    """Keep what the runs named found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    for run in parser.parse_args().runs:
        sys.stdout.write(f"{kept(run)}\n")


if __name__ == "__main__":
    main()
