"""`best`, `show`, `diff`, `lineage`: the programs of a run."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.figures import figure, indented, named_figures, table
from evolve.cli.output import Output, json_option
from evolve.cli.picture import draw
from evolve.cli.places import run_argument
from evolve.cli.records import (
    best_elites,
    candidate_argument,
    chosen,
    document_of,
    heading_of,
    problem_name,
    reading,
    source_lines,
)
from evolve.cli.terminal import clean_line
from evolve.errors import EvolveEnvironmentError, UsageError

if TYPE_CHECKING:
    from evolve.store import CandidateRecord, RunReader


@click.command("best")
@run_argument
@click.option("-n", "count", type=click.IntRange(min=1), default=1, show_default=True, help="How many elites.")
@click.option(
    "-o",
    "target",
    type=click.Path(path_type=Path),
    help="Write the best program to this file (or folder, if many files).",
)
@json_option
def best_command(run: Path, count: int, target: Path | None, *, as_json: bool) -> None:
    """Show the best programs of RUN."""
    with reading(run) as reader:
        elites = best_elites(reader, count)
        problem = problem_name(reader.meta())
    if target is not None:
        write_program(elites[0].candidate.files, target)
    document = {
        "run": str(run),
        "problem": problem,
        "elites": [document_of(elite) for elite in elites],
        "written_to": target,
    }

    def lines() -> Iterator[str]:
        for elite in elites:
            yield heading_of(elite)
            yield from source_lines(elite.candidate.files)
        if target is not None:
            yield f"wrote candidate {elites[0].candidate.id} to {target}"

    Output(as_json=as_json).answer("evolve.best/1", document, lines)


def write_program(files: Mapping[str, str], target: Path) -> None:
    """Write a program of one file to `target`, one of several files into a folder of that name.

    Raises:
        EvolveEnvironmentError: it cannot be written.
    """
    several = len(files) > 1 or target.is_dir()
    try:
        for name, text in files.items():
            path = target / name if several else target
            if several and not path.resolve().is_relative_to(target.resolve()):
                raise EvolveEnvironmentError(f"the program's file {name!r} would be outside {target}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise EvolveEnvironmentError(f"cannot write {error.filename or target}: {error.strerror}") from error


@click.command("show")
@run_argument
@candidate_argument("identifier", "[ID]")
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw what the candidate made into this SVG file.",
)
@json_option
def show_command(run: Path, identifier: int | str, *, picture: Path | None, as_json: bool) -> None:
    """Show all about one candidate of RUN.

    The program, its scores or why it failed, its relatives.

    ID is the number of a candidate. Without it: the best one.
    """
    with reading(run) as reader:
        record = chosen(reader, identifier)
        children = reader.children_of(record.candidate.id)
    evaluation = record.evaluation
    document = {
        "run": str(run),
        **document_of(record),
        "children": children,
        "failure": evaluation.failure,
        "stage": evaluation.stage,
        "detail": evaluation.detail,
        "artifacts": dict(evaluation.artifacts),
        "seconds": evaluation.seconds,
    }
    proof = _proof_of(run, record)
    document["verified"] = proof
    if picture is not None:
        draw(run, record, picture)
        document["picture"] = picture
    Output(as_json=as_json).answer("evolve.show/1", document, lambda: _show_lines(record, children, proof))


def _proof_of(run: Path, record: "CandidateRecord") -> dict[str, Any] | None:
    """What `evolve verify` found out about this program, if it was asked."""
    from evolve.report.certificates import read_certificates

    found = read_certificates(run).get(record.candidate.id)
    if found is None or not found.is_about(record):
        return None
    return {"verdict": found.verdict, "value": found.value, "detail": found.detail}


def _show_lines(record: "CandidateRecord", children: list[int], proof: Mapping[str, Any] | None) -> Iterator[str]:
    candidate, evaluation = record.candidate, record.evaluation
    yield heading_of(record)
    made = f"by {candidate.operator} in iteration {candidate.iteration}, generation {candidate.generation}"
    yield f"made      {made}, judged in {figure(evaluation.seconds)} s"
    yield f"sandbox   {figure(evaluation.level or 'it never ran')}"
    yield f"archive   {record.status}, island {record.island}, cell {'-' if record.cell is None else record.cell}"
    if evaluation.descriptor:
        yield f"place     {named_figures(evaluation.descriptor)}"
    yield f"parents   {_ids(candidate.parent_ids)}"
    yield f"children  {_ids(children)}"
    if proof is not None:
        yield f"verified  {clean_line(proof['verdict'])}, value {figure(proof['value'])}"
        yield indented(proof["detail"])
    if evaluation.detail:
        yield f"detail{f' (stage {evaluation.stage})' if evaluation.stage else ''}:"
        yield indented(evaluation.detail)
    for name, text in evaluation.artifacts.items():
        yield f"{name}:"
        yield indented(text)
    yield "program:"
    yield from source_lines(candidate.files)


def _ids(identifiers: list[int] | tuple[int, ...], limit: int = 20) -> str:
    shown = " ".join(str(identifier) for identifier in identifiers[:limit])
    return (shown + (f" and {len(identifiers) - limit} more" if len(identifiers) > limit else "")) or "none"


@click.command("diff")
@run_argument
@candidate_argument("first", "[A]")
@candidate_argument("second", "[B]", default=None)
@json_option
def diff_command(run: Path, first: int | str, second: int | str | None, *, as_json: bool) -> None:
    """Show what changed from candidate A to B of RUN.

    Without B: from A's first parent to A. Without both: from the first parent of the best candidate to it.
    """
    with reading(run) as reader:
        before, after = _pair(reader, first, second)
    old, new = before.candidate, after.candidate
    text = unified_diff(old.files, new.files, f"candidate {old.id}", f"candidate {new.id}")
    document = {
        "run": str(run),
        "a": old.id,
        "b": new.id,
        "score_a": before.evaluation.score,
        "score_b": after.evaluation.score,
        "diff": text,
    }

    def lines() -> Iterator[str]:
        yield heading_of(before)
        yield heading_of(after)
        yield text.rstrip("\n") or "the programs are equal"

    Output(as_json=as_json).answer("evolve.diff/1", document, lines)


def _pair(reader: "RunReader", first: int | str, second: int | str | None) -> "tuple[CandidateRecord, CandidateRecord]":
    one = chosen(reader, first)
    if second is not None:
        return one, chosen(reader, second)
    if not one.candidate.parent_ids:
        raise UsageError(f"candidate {one.candidate.id} has no parent: name the two candidates to compare")
    return reader.candidate(one.candidate.parent_ids[0]), one


def unified_diff(old: Mapping[str, str], new: Mapping[str, str], old_label: str, new_label: str) -> str:
    """The difference of two programs, file by file."""
    parts = []
    for name in dict.fromkeys((*old, *new)):
        difference = difflib.unified_diff(
            old.get(name, "").splitlines(),
            new.get(name, "").splitlines(),
            f"{name} ({old_label})",
            f"{name} ({new_label})",
            lineterm="",
        )
        parts += [line + "\n" for line in difference]
    return "".join(parts)


@click.command("lineage")
@run_argument
@candidate_argument("identifier", "[ID]")
@click.option("--all", "everyone", is_flag=True, help="All ancestors, not only the line of first parents.")
@json_option
def lineage_command(run: Path, identifier: int | str, *, everyone: bool, as_json: bool) -> None:
    """Show the ancestors of a candidate of RUN.

    From candidate ID (without it: the best one) back to the seed program.
    """
    with reading(run) as reader:
        record = chosen(reader, identifier)
        ids = reader.ancestors_of(record.candidate.id) if everyone else _first_parents(reader, record.candidate.id)
        line = [_step(reader.candidate(each)) for each in ids]
    document = {"run": str(run), "id": record.candidate.id, "line": line}
    columns = ("id", "generation", "score", "operator", "parents")
    rows = [[str(step["id"]), *(step[name] for name in columns[1:-1]), _ids(step["parents"])] for step in line]
    Output(as_json=as_json).answer("evolve.lineage/1", document, lambda: table(columns, rows, left=(3, 4)))


def _first_parents(reader: "RunReader", identifier: int) -> list[int]:
    line = [identifier]
    while parents := reader.parents_of(line[-1]):
        line.append(parents[0])
    return line


def _step(record: "CandidateRecord") -> dict[str, Any]:
    candidate, evaluation = record.candidate, record.evaluation
    return {
        "id": candidate.id,
        "generation": candidate.generation,
        "score": evaluation.score,
        "failure": evaluation.failure,
        "metrics": dict(evaluation.metrics),
        "operator": candidate.operator,
        "iteration": candidate.iteration,
        "parents": list(candidate.parent_ids),
    }
