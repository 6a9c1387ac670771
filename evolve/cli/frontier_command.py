"""`frontier`: the table of a function approximation run beside the classical methods."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from evolve.cli.figures import indented, plural, table
from evolve.cli.output import Output, json_option
from evolve.cli.places import run_argument
from evolve.cli.records import document_of, entry_text, problem_name, reading
from evolve.view.frontier import FrontierRow, frontier_of, methods_of, read_baselines, tally


@click.command("frontier")
@run_argument
@click.option("--programs/--no-programs", default=True, show_default=True, help="Print the programs too.")
@json_option
def frontier_command(run: Path, *, programs: bool, as_json: bool) -> None:
    """Show the smallest errors by operation count.

    Beside the baselines of the problem that RUN is about.

    Each row is cumulative: the best with at most that many operations, for the discovered programs as for the
    baselines. For problems whose candidates report operations and an error.
    """
    with reading(run) as reader:
        meta = reader.meta()
        problem = meta["problem"]
        baselines = read_baselines(
            problem["baselines"], max_operations=problem["tables"].get("symbolic", {}).get("max_operations")
        )
        metric, rows = frontier_of(reader.elites(), baselines)
    document = {
        "run": str(run),
        "problem": problem_name(meta),
        "error_metric": metric,
        "rows": [_row_document(row) for row in rows],
        **tally(rows),
    }
    Output(as_json=as_json).answer(
        "evolve.frontier/1", document, lambda: _lines(problem_name(meta), metric, rows, programs=programs)
    )


def _row_document(row: FrontierRow) -> dict[str, Any]:
    return {
        "operations": row.operations,
        "error": row.error,
        "baselines": dict(row.baselines),
        "at_most_polynomial": row.is_at_most("polynomial"),
        "below_polynomial_and_rational": row.beats_both,
        "elite": None if row.record is None else document_of(row.record),
    }


def _lines(problem: str, metric: str, rows: Sequence[FrontierRow], *, programs: bool) -> Iterator[str]:
    methods = methods_of(row.baselines for row in rows)
    yield f"{problem}: {metric} with at most so many operations"
    yield ""
    headings = ("operations", "discovered", "candidate", *methods, "")
    cells = [
        [
            row.operations,
            _error(row.error),
            None if row.record is None else str(row.record.candidate.id),
            *(_error(row.baselines.get(method)) for method in methods),
            _verdict(row),
        ]
        for row in rows
    ]
    yield from table(headings, cells, left=(len(headings) - 1,))
    if methods:
        yield ""
        yield from _tally_lines(tally(rows))
    if programs:
        yield from _programs(rows, metric)


def _error(error: float | None) -> str | None:
    return None if error is None else f"{error:.3e}"


def _verdict(row: FrontierRow) -> str:
    if row.beats_both:
        return "below both"
    return {True: "at or below polynomial", False: "above polynomial", None: ""}[row.is_at_most("polynomial")]


def _tally_lines(counts: Mapping[str, Sequence[int]]) -> Iterator[str]:
    yield f"at or below the polynomial at {_listed(counts['at_most_polynomial'])}"
    yield f"above the polynomial at {_listed(counts['above_polynomial'])}"
    yield f"below the better of polynomial and rational at {_listed(counts['below_polynomial_and_rational'])}"


def _listed(counts: Sequence[int]) -> str:
    return f"{', '.join(str(count) for count in counts)} operations" if counts else "no operation count"


def _programs(rows: Sequence[FrontierRow], metric: str) -> Iterator[str]:
    shown = set()
    for row in rows:
        if row.record is None or row.record.candidate.id in shown:
            continue
        shown.add(row.record.candidate.id)
        metrics = row.record.evaluation.metrics
        yield ""
        operations = round(metrics["operations"])
        yield f"candidate {row.record.candidate.id}: {plural(operations, 'operation')}, {metric} {metrics[metric]:.3e}"
        yield indented(entry_text(row.record))
