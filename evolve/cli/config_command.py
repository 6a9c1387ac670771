"""`config show`: every setting of a run, and where its value comes from."""

import os
import re
from collections.abc import Iterator
from typing import Any

import click
from click.core import ParameterSource

from evolve.cli.figures import table
from evolve.cli.output import Command, Output, json_option
from evolve.cli.places import problem_completion
from evolve.cli.run_commands import run_command
from evolve.config.settings import KNOWN, resolve_settings, user_file


@click.group("config")
def config_group() -> None:
    """Show the settings. What a run would be started with, and why."""


def _settings_options(command: Command) -> Command:
    """Add the options of `evolve run` that are settings: what they would change can be seen before."""
    for parameter in reversed(run_command.params):
        if parameter.name in KNOWN:
            command = _with(command, parameter)
    return command


def _with(command: Command, parameter: click.Parameter) -> Command:
    parameters = getattr(command, "__click_params__", [])
    command.__click_params__ = [*parameters, parameter]  # type: ignore[attr-defined]
    return command


@config_group.command("show")
@click.argument("problem", metavar="[PROBLEM|PATH]", required=False, shell_complete=problem_completion)
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@json_option
@_settings_options
@click.pass_context
def show_command(context: click.Context, /, problem: str | None, *, origin: bool, as_json: bool, **given: Any) -> None:
    """Show every setting and its value. With --origin where it comes from.

    The nearest source wins: the command line (options of `evolve run` can be given here), then the environment
    (EVOLVE_ and the name in capitals), the problem.toml of PROBLEM, the user's settings file, the default.

    Keys of language models are no settings and are never shown.
    """
    settings = resolve_settings(
        command_line={key: value for key, value in given.items() if _is_given(context, key)},
        environment=os.environ,
        problem=_problem_settings(problem),
    )
    values = settings.to_json()
    values["base_url"] = _without_query(values["base_url"])
    rows = [
        {"name": name, "value": values[name], "origin": settings.origins[name], "help": KNOWN[name].help}
        for name in KNOWN
    ]
    document = {"settings": rows, "user_file": str(user_file(os.environ)), "problem": problem}
    Output(as_json=as_json).answer("evolve.config/1", document, lambda: _lines(document, with_origin=origin))


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _problem_settings(problem: str | None) -> dict[str, Any]:
    if problem is None:
        return {}
    from evolve.config.problem import load_problem

    return load_problem(problem).settings_mapping()


def _without_query(address: str | None) -> str | None:
    """Some servers take their key in the address."""
    return None if address is None else re.sub(r"[?#].*", "?...", address)


def _lines(document: dict[str, Any], *, with_origin: bool) -> Iterator[str]:
    headings = ("setting", "value", "origin") if with_origin else ("setting", "value")
    rows = []
    for row in document["settings"]:
        value = row["value"]
        shown = "-" if value in (None, []) else " ".join(value) if isinstance(value, list) else value
        rows.append([row["name"], shown, row["origin"]][: len(headings)])
    yield from table(headings, rows, left=(0, 1, 2))
    yield ""
    yield f"settings file: {document['user_file']}"
