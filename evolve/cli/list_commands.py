"""`ls`, `status`, `version`: what is there."""

import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from evolve.cli.cards import cards_table, devices_line
from evolve.cli.durations import format_duration
from evolve.cli.figures import figure, plural, table
from evolve.cli.isolation import levels_line, stored_notices
from evolve.cli.output import Output, json_option
from evolve.cli.places import run_argument, runs_folder, runs_under
from evolve.cli.records import problem_name, reading
from evolve.cli.spending import dollars, endings, spending
from evolve.cli.terminal import clean_line
from evolve.errors import EvolveError
from evolve.view.slots import idle_slots_of


@click.command("ls")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), required=False)
@json_option
def ls_command(folder: Path | None, *, as_json: bool) -> None:
    """List runs. The one started or resumed last comes first.

    FOLDER is where to look, ./runs if it is not given.
    """
    place = folder or runs_folder()
    runs = [_overview(run) for run in runs_under(place)]
    columns = ("run", "problem", "state", "evaluations", "elites", "best_score")

    def lines() -> Iterator[str]:
        if not runs:
            yield f"no runs under {place}/: start one with `evolve run PROBLEM`, `evolve problems` lists what there is"
            return
        headings = ("run", "problem", "state", "evaluations", "elites", "best score")
        yield from table(headings, [[run[name] for name in columns] for run in runs], left=(0, 1, 2))

    Output(as_json=as_json).answer("evolve.ls/1", {"runs": runs}, lines)


def _overview(run: Path) -> dict[str, Any]:
    from evolve.store.state import current_state

    try:
        with reading(run) as reader:
            counts = reader.counts()
            sessions = reader.sessions()
            return {
                "run": str(run),
                "problem": problem_name(reader.meta()),
                "state": current_state(sessions),
                "evaluations": counts["evaluations"],
                "elites": counts["elites"],
                "best_score": counts["best_score"],
                "started": sessions[0]["started"] if sessions else None,
            }
    except EvolveError as error:
        empty = dict.fromkeys(("problem", "evaluations", "elites", "best_score", "started"))
        return {"run": str(run), "state": "unreadable", **empty, "error": str(error)}


@click.command("status")
@run_argument
@json_option
def status_command(run: Path, *, as_json: bool) -> None:
    """Say how far RUN is. What each operator brought, what failed and why."""
    from evolve.store.state import current_state

    with reading(run) as reader:
        meta = reader.meta()
        sessions = reader.sessions()
        status = {
            "run": str(run),
            "problem": problem_name(meta),
            "state": current_state(sessions),
            **reader.counts(),
            "levels": reader.levels(),
            "options": meta.get("options"),
            "notices": [*stored_notices(meta), *idle_slots_of(meta.get("options"), reader.pulse())],
            "devices": meta.get("devices") or [],
            "gpus": _cards_of(reader.pulse()),
            "operators": reader.operators(),
            "failures_by_kind": reader.failures(),
            "models": reader.call_totals().to_mapping(),
            "calls_by_model": reader.calls_by_model(),
            "sessions": sessions,
        }
    status["iterations"] = status.pop("last_iteration") + 1
    Output(as_json=as_json).answer("evolve.status/1", status, lambda: _status_lines(status))


def _cards_of(pulse: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The graphics cards as the run told of them last."""
    rows = pulse["data"].get("gpus") if pulse else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _status_lines(status: dict[str, Any]) -> Iterator[str]:
    yield f"{status['problem']}  {status['run']}  {clean_line(status['state'])}"
    yield (
        f"best score {figure(status['best_score'])}, {plural(status['elites'], 'elite')}, "
        f"{plural(status['evaluations'], 'evaluation')} ({figure(status['failures'])} failed, "
        f"{figure(status['duplicates'])} known before), {plural(status['iterations'], 'iteration')}, "
        f"{format_duration(status['seconds'])} in {plural(len(status['sessions']), 'session')}"
    )
    if line := levels_line(status["levels"]):
        yield line
    yield from (f"note: {clean_line(notice)}" for notice in status["notices"])
    if line := devices_line(status["devices"]):
        yield line
    if status["gpus"]:
        yield ""
        yield from table(*cards_table(status["gpus"]))
    if status["operators"]:
        yield ""
        columns = ("operator", "iterations", "evaluations", "kept", "cost")
        yield from table(columns, [[each[name] for name in columns] for each in status["operators"]])
    if status["models"]["requests"]:
        yield ""
        rows = [
            [each["model"], each["requests"], each["ok"], each["input_tokens"], each["output_tokens"], dollars(each)]
            for each in status["calls_by_model"]
        ]
        yield from table(("model", "requests", "ok", "tokens read", "written", "cost"), rows, left=(0, 5))
        yield f"language models: {spending(status['models'])}"
        yield f"requests ended: {endings(status['models'])}"
    if status["failures_by_kind"]:
        yield ""
        rows = [
            [each["failure"], each["n"], each["latest"], _short(each["detail"])] for each in status["failures_by_kind"]
        ]
        yield from table(("failure", "count", "latest", "an example"), rows, left=(0, 3))


def _short(text: str, width: int = 90) -> str:
    lines = text.strip().splitlines() or [""]
    last = clean_line(lines[-1])
    return last if len(last) <= width else last[: width - 3] + "..."


@click.command("version")
@json_option
def version_command(*, as_json: bool) -> None:
    """Say which version this is, and on what it runs."""
    from evolve import __version__

    version = {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executable": sys.executable,
    }
    line = f"evolve {version['version']}, Python {version['python']}, {version['platform']}"
    Output(as_json=as_json).answer("evolve.version/1", version, lambda: [line])
