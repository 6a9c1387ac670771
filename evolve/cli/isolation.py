"""How well candidates were confined, as the command line asks for it and says it."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import click

from evolve.cli.figures import figure
from evolve.cli.output import Command
from evolve.cli.terminal import clean_line
from evolve.config.settings import resolve_settings

PEER_FAMILY = "peer"  # as in evaluators.spec, which is slow to import

UNSAFE_SANDBOX = "unsafe_sandbox"


def unsafe_sandbox_option(command: Command) -> Command:
    """Add `--unsafe-sandbox`; it arrives as `unsafe_sandbox`, None when it is not given."""
    return click.option(
        "--unsafe-sandbox",
        is_flag=True,
        default=None,
        help="Run Python candidates even where nothing keeps a hostile one from your files.",
    )(command)


def is_unsafe_allowed(given: bool | None) -> bool:
    """Whether the risk is accepted: by the option, else by `EVOLVE_UNSAFE_SANDBOX`, else by the user's settings."""
    settings = resolve_settings(
        command_line={UNSAFE_SANDBOX: given}, environment=os.environ, problem={}, only=(UNSAFE_SANDBOX,)
    )
    return settings.unsafe_sandbox


def tell_notices(notices: Sequence[str]) -> None:
    """Say on standard error what people must know of a problem of another engine before it runs."""
    for notice in notices:
        click.echo(f"note: {clean_line(notice)}", err=True)


def stored_notices(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """The same of a run, as its log has them, and why its last session had no graphics card."""
    return (*problem_notices(meta), *device_notices(meta))


def problem_notices(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """What the problem of a run has to say, whatever machine it runs on."""
    problem = meta.get("problem")
    tables = problem.get("tables", {}) if isinstance(problem, dict) else {}
    options = tables.get("evaluator", {}).get("options") or {}
    notices = options.get("notices", ()) if tables.get("evaluator", {}).get("family") == PEER_FAMILY else ()
    return tuple(map(str, notices))


def device_notices(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """Why the last session judged on processors, in a run whose problem uses graphics cards if there are any."""
    devices = meta.get("devices")
    last = devices[-1] if isinstance(devices, list) and devices else None
    notice = last.get("notice") if isinstance(last, Mapping) else None
    return (str(notice),) if notice else ()


def uses_cards(meta: Mapping[str, Any]) -> bool:
    """Whether the problem of a run uses graphics cards."""
    problem = meta.get("problem")
    tables = problem.get("tables", {}) if isinstance(problem, dict) else {}
    return tables.get("sandbox", {}).get("gpus", "none") not in ("none", [])


def levels_line(levels: Mapping[str, int]) -> str:
    """Say at which levels the candidates of a run were judged; empty if none was."""
    if len(levels) == 1:
        return f"sandbox: {figure(next(iter(levels)))}"
    counted = ", ".join(f"{figure(level)} ({figure(count)})" for level, count in levels.items())
    return f"sandbox: {counted}: not all candidates of this run were confined alike" if levels else ""
