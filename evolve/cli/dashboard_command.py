"""`evolve dashboard`, also `evolve top`: watch a run in the terminal."""

import os
import sys
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from evolve.cli.output import Output, json_option
from evolve.cli.places import run_argument
from evolve.cli.terminal import is_live_terminal, speaks_unicode
from evolve.errors import UsageError

_FEW_COLOURS = 8


@click.command("dashboard")
@run_argument
@click.option("--ascii", "only_ascii", is_flag=True, help="Draw with ASCII characters only.")
@json_option
def dashboard_command(run: Path, *, only_ascii: bool, as_json: bool) -> None:
    """Watch RUN in the terminal: overview, map, elites, programs, lineage, operators, failures, workers, log.

    Works on running, finished and crashed runs, also over ssh, and only reads. `?` explains the keys, `q` leaves.
    `evolve top` is the same. With --json it writes what the overview shows, once, and needs no terminal.
    """
    if as_json:
        Output(as_json=True).line("evolve.dashboard/1", overview_of(run))
        return
    if not is_live_terminal(sys.stderr) or not sys.stdin.isatty():  # it draws on standard error
        raise UsageError(
            "the dashboard needs a terminal to draw on",
            hint="`evolve status RUN --json` answers scripts, `evolve report RUN` writes a page",
        )
    from evolve.dashboard.commands import RunDashboard
    from evolve.dashboard.palette import Painter

    in_colour = has_colours(os.environ, colours_of_terminal)
    os.environ.pop("NO_COLOR", None)
    if not in_colour:
        os.environ["NO_COLOR"] = "1"  # what the display looks at; it takes an empty value for a yes
    look = Painter(in_colour=in_colour, unicode=speaks_unicode(sys.stderr) and not only_ascii)
    RunDashboard(run, look).run()


def overview_of(run: Path) -> dict[str, Any]:
    """What the first screen shows, as data for scripts.

    Raises:
        UsageError: there is no run in the folder.
        EvolveEnvironmentError: its database is damaged or cannot be reached.
    """
    from evolve.view.overview import overview
    from evolve.view.run import RunView

    with RunView(run) as view:
        return {"run": str(run), **asdict(overview(view)), "notices": list(view.notices)}


top_command = copy(dashboard_command)
top_command.name = "top"
top_command.short_help = "The same as `dashboard`."


def has_colours(environment: Mapping[str, str], colours_of: Callable[[str], int]) -> bool:
    """Whether the terminal shows more than a handful of colours, and colour is wanted.

    `colours_of` says how many a kind of terminal has.
    """
    if environment.get("NO_COLOR"):
        return False
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return True
    return colours_of(environment.get("TERM", "")) > _FEW_COLOURS


def colours_of_terminal(name: str) -> int:
    """How many colours the kind of terminal has as far as this machine knows it, else 0."""
    import curses

    try:
        curses.setupterm(name or "dumb", sys.stderr.fileno())
    except (curses.error, OSError, ValueError):
        return 0
    return curses.tigetnum("colors")
