"""`report`: a run as one HTML file."""

from pathlib import Path

import click

from evolve.cli.output import Output, json_option
from evolve.cli.places import run_argument

DEFAULT_NAME = "report.html"


@click.command("report")
@run_argument
@click.option(
    "-o",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Write to FILE.  [default: {DEFAULT_NAME} in RUN]",
)
@json_option
def report_command(run: Path, target: Path | None, *, as_json: bool) -> None:
    """Write a report of RUN: one HTML file to look at, print or send.

    It needs no network and holds no script. Works on running, finished and crashed runs.
    """
    from evolve.report.page import write_report

    place = run / DEFAULT_NAME if target is None else target
    size = write_report(run, place)
    document = {"run": str(run), "file": place, "bytes": size}
    Output(as_json=as_json).answer("evolve.report/1", document, lambda: [f"wrote {place} ({size:,} bytes)"])
