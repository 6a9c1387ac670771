"""`export`: tables of a run for other programs, and what it discovered as code."""

import sys
from pathlib import Path
from typing import Any

import click

from evolve.cli.export_options import discovery_options
from evolve.cli.figures import plural
from evolve.cli.output import Output, json_option
from evolve.cli.places import run_argument
from evolve.cli.records import BEST, candidate_argument
from evolve.errors import UsageError

_TABLES = ("candidates", "elites", "calls", "curve", "events")
_FORMATS = ("csv", "jsonl", "parquet")


@click.command("export")
@run_argument
@candidate_argument("identifier", "[ID]", default=None)
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Write a table; FILE's ending says it too.")
@click.option("--what", type=click.Choice(_TABLES), help=f"Which table to write.  [default: {_TABLES[0]}]")
@click.option("--texts/--no-texts", default=None, help="With programs, prompts and replies.  [default: texts]")
@discovery_options
@click.option(
    "-o", "target", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE.  [default: standard output]"
)
@json_option
def export_command(
    run: Path, identifier: int | str | None, target: Path | None, *, wanted: str | None, as_json: bool, **options: Any
) -> None:
    """Write what RUN found for other programs: a table, or one program as code.

    A table (--format): csv is for spreadsheets. In it, text that would begin a formula gets an apostrophe in front, and
    control characters are written as escapes. jsonl and parquet hold every text as it is.

    A program (--as): ID is the number of a candidate, without it the best one.
    """
    form, what, texts = (options.pop(name) for name in ("form", "what", "texts"))
    if wanted is not None:
        if form is not None:
            raise UsageError("--format writes a table and --as a program: give one of them")
        if what is not None or texts is not None:
            raise UsageError("--what and --texts are for tables, --as writes a program: leave them out")
        from evolve.cli.export_discovery import export_discovery

        chosen = BEST if identifier is None else identifier
        export_discovery(run, chosen, wanted=wanted, target=target, as_json=as_json, **options)
        return
    if options["verify"] or options["with_test"]:
        raise UsageError("--verify and --with-test are for programs: say with --as how to write one")
    if identifier is not None:
        raise UsageError("a table holds all candidates", hint="leave ID out, or say with --as how to write the program")
    _export_table(run, _format_of(form, target), what or _TABLES[0], target, texts=texts is not False, as_json=as_json)


def _format_of(form: str | None, target: Path | None) -> str:
    """The format that was asked for, else the one that the file's name ends with."""
    ending = "" if target is None else target.suffix.removeprefix(".").lower()
    if form is None and ending not in _FORMATS:
        raise UsageError(
            "which format? expected --format csv, jsonl or parquet (or a FILE that ends so), or --as for a program"
        )
    return form or ending


def _export_table(run: Path, form: str, what: str, target: Path | None, *, texts: bool, as_json: bool) -> None:
    from evolve.export.tables import write_table

    if target is None and (as_json or form == "parquet"):
        reason = "--json answers" if as_json else "Parquet is not for terminals and is written"
        raise UsageError(f"{reason} on standard output beside a file: name the file with -o")
    place = sys.stdout.buffer if target is None else target
    written = write_table(run, what, form, place, texts=texts)
    if target is None:
        sys.stdout.buffer.flush()
        return
    document = {
        "run": str(run),
        "what": what,
        "format": form,
        "file": target,
        "rows": written.rows,
        "columns": list(written.columns),
        "bytes": target.stat().st_size,
    }
    line = f"wrote {plural(written.rows, 'row')} of {what} to {target} ({document['bytes']:,} bytes)"
    Output(as_json=as_json).answer("evolve.export/1", document, lambda: [line])
