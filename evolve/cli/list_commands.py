"""`ls`, `status`, `problems`, `version`: what is there."""

import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from evolve.cli.durations import format_duration
from evolve.cli.figures import figure, indented, plural, table
from evolve.cli.isolation import levels_line, stored_notices
from evolve.cli.output import Output, json_option
from evolve.cli.places import run_argument, runs_folder, runs_under
from evolve.cli.records import problem_name, reading
from evolve.cli.spending import dollars, endings, spending
from evolve.cli.terminal import clean_line
from evolve.errors import EvolveError


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
            "notices": list(stored_notices(meta)),
            "operators": reader.operators(),
            "failures_by_kind": reader.failures(),
            "models": reader.call_totals().to_mapping(),
            "calls_by_model": reader.calls_by_model(),
            "sessions": sessions,
        }
    status["iterations"] = status.pop("last_iteration") + 1
    Output(as_json=as_json).answer("evolve.status/1", status, lambda: _status_lines(status))


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


@click.command("problems")
@click.argument("name", required=False)
@json_option
def problems_command(name: str | None, *, as_json: bool) -> None:
    """List the shipped problems, or describe one.

    NAME is a shipped problem or the folder of your own, or one of another engine.
    """
    from evolve.config.locate import shipped_problems
    from evolve.config.problem import load_problem

    output = Output(as_json=as_json)
    if name is not None:
        problem = _described(load_problem(name))
        output.answer("evolve.problem/1", problem, lambda: _problem_lines(problem))
        return
    problems = [_described(load_problem(folder)) for folder in shipped_problems().values()]
    columns = ("name", "language", "title")
    rows = [[problem[column] for column in columns] for problem in problems]
    output.answer("evolve.problems/1", {"problems": problems}, lambda: table(columns, rows, left=(0, 1, 2)))


def _described(problem: Any) -> dict[str, Any]:
    tables = problem.tables
    return {
        "name": problem.name,
        "title": problem.title,
        "language": problem.language,
        "statement": tables.problem.statement,
        "score": tables.problem.score,
        "tags": list(tables.problem.tags),
        "axes": [axis.name for axis in tables.archive.axes],
        "budget": tables.budget.model_dump(mode="json"),
        "known": None if tables.known is None else tables.known.model_dump(mode="json"),
        "folder": str(problem.folder),
        "notices": list(problem.notices),
    }


def _problem_lines(problem: dict[str, Any]) -> Iterator[str]:
    yield f"{problem['name']}: {problem['title']} ({problem['language']})"
    yield ""
    yield indented(problem["statement"].strip())
    yield ""
    yield f"score: {problem['score']}"
    yield f"told apart by: {', '.join(problem['axes'])}"
    if problem["known"]:
        known = problem["known"]
        yield f"known: {known['kind']} {figure(known['value'])} {known['source']} {known['year'] or ''}".rstrip()
    budget = {key: value for key, value in problem["budget"].items() if value is not None}
    if budget:
        yield "budget: " + ", ".join(f"{key} {figure(value)}" for key, value in budget.items())
    yield f"folder: {problem['folder']}"
    yield from (f"note: {clean_line(notice)}" for notice in problem["notices"])


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
