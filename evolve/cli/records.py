"""Candidates of a run as documents and as text."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.figures import figure, indented, named_figures
from evolve.cli.output import Command
from evolve.errors import EvolveEnvironmentError, UsageError

if TYPE_CHECKING:
    from evolve.store import CandidateRecord, RunReader

BEST = "best"
_MAX_DIGITS = 18


def candidate_argument(name: str, metavar: str, *, default: str | None = BEST) -> Callable[[Command], Command]:
    """Add an argument that is a candidate's number, or `best` to be looked up in the run; it can be left out."""
    return click.argument(name, metavar=metavar, required=False, default=default, callback=_read_candidate)


def _read_candidate(context: click.Context, parameter: click.Parameter, value: str | None) -> int | str | None:
    if value is None or value == BEST:
        return value
    if not (value.isascii() and value.isdigit()) or len(value) > _MAX_DIGITS:
        message = f"{value!r} is neither the number of a candidate nor `best`"
        raise click.BadParameter(message, ctx=context, param=parameter)
    return int(value)


@contextmanager
def reading(run: Path) -> "Iterator[RunReader]":
    """Open a run for reading and close it again.

    Raises:
        UsageError: there is no run in the folder.
        EvolveEnvironmentError: its database is damaged or cannot be reached.
    """
    import sqlite3

    from evolve.store import RunReader

    reader = RunReader(run)
    try:
        yield reader
    except sqlite3.Error as error:
        raise EvolveEnvironmentError(f"cannot read {run}/run.db: {error}") from error
    finally:
        reader.close()


def best_elites(reader: "RunReader", limit: int) -> "list[CandidateRecord]":
    """The best elites, best first.

    Raises:
        UsageError: the run has none yet.
    """
    elites = reader.elites(limit=limit)
    if not elites:
        raise UsageError(f"{reader.run_dir} has no elites yet")
    return elites


def chosen(reader: "RunReader", identifier: int | str) -> "CandidateRecord":
    """The candidate that an ID argument means."""
    if isinstance(identifier, int):
        return reader.candidate(identifier)
    return best_elites(reader, 1)[0]


def entry_text(record: "CandidateRecord") -> str:
    """The text of the entry file, the first one."""
    return next(iter(record.candidate.files.values()), "")


def problem_name(meta: Mapping[str, Any]) -> str:
    """The name of the problem that a run is about."""
    problem = meta.get("problem")
    if isinstance(problem, Mapping):
        return str(problem.get("tables", {}).get("problem", {}).get("name", "-"))
    return str(problem or "-")


def document_of(record: "CandidateRecord") -> dict[str, Any]:
    """All that is known of a candidate, for scripts."""
    candidate, evaluation = record.candidate, record.evaluation
    return {
        "id": candidate.id,
        "score": evaluation.score,
        "metrics": dict(evaluation.metrics),
        "descriptor": dict(evaluation.descriptor),
        "level": evaluation.level,
        "status": record.status,
        "cell": record.cell,
        "island": record.island,
        "operator": candidate.operator,
        "generation": candidate.generation,
        "iteration": candidate.iteration,
        "parents": list(candidate.parent_ids),
        "fingerprint": candidate.fingerprint,
        "source": entry_text(record),
        "files": dict(candidate.files),
    }


def heading_of(record: "CandidateRecord") -> str:
    """One line that says who a candidate is and how good."""
    candidate, evaluation = record.candidate, record.evaluation
    verdict = f"failed ({evaluation.failure})" if evaluation.score is None else f"score {figure(evaluation.score)}"
    return f"candidate {candidate.id}  {verdict}  {named_figures(evaluation.metrics)}".rstrip()


def source_lines(files: Mapping[str, str]) -> Iterator[str]:
    """The program, indented; file names only where there are several."""
    for name, text in files.items():
        if len(files) > 1:
            yield f"  {name}:"
        yield indented(text)
