"""How the run can be repeated: the command, what it ran on, who worked on it."""

import shlex
from collections.abc import Mapping
from typing import Any

from evolve.config.locate import shipped_problems
from evolve.report.gathered import Gathered
from evolve.report.html import Child, Html, cut, tag, visible
from evolve.report.parts import section, table
from evolve.view.durations import format_duration
from evolve.view.run import RunView
from evolve.view.workers import workers

SESSIONS_MOST = 20


def repeat(gathered: Gathered) -> Html:
    """The commands and the environment."""
    view = gathered.view
    return section(
        "repeat",
        "Environment and repetition",
        tag("p", "The run was asked for as"),
        tag("pre", tag("code", visible(command_of(view)), class_="code")),
        tag("p", *_what_decides(gathered)),
        tag("pre", tag("code", visible("\n".join(_checks(gathered))), class_="code")),
        _environment(view),
        _sessions(view),
    )


def command_of(view: RunView) -> str:
    """The command that asks for a run like this one."""
    options = view.options
    words = ["evolve", "run", *_problem_of(view)]
    for name, option in _OPTIONS.items():
        value = options.get(name)
        if value is not None:
            words += [option, _written(value)]
    words += [
        word for model in view.meta.get("models") or options.get("models") or () for word in ("--model", str(model))
    ]
    if options.get("symbolic") is False:
        words.append("--no-symbolic")
    if options.get("strategy", "map_elites") != "map_elites":
        words += ["--strategy", str(options["strategy"])]
    if options.get("unsafe_sandbox"):
        words.append("--unsafe-sandbox")
    return shlex.join(words)


_OPTIONS = {
    "rng_seed": "--seed",
    "window": "--window",
    "workers": "--workers",
    "evaluations": "--evaluations",
    "seconds": "--time",
    "target": "--target",
    "budget_usd": "--budget-usd",
    "budget_tokens": "--budget-tokens",
    "base_url": "--base-url",
}


def _problem_of(view: RunView) -> list[str]:
    """The name of a shipped problem, else the folder that the problem came from; and its parameters."""
    problem = view.meta.get("problem")
    folder = str(problem.get("folder") or "") if isinstance(problem, Mapping) else ""
    tables = problem.get("tables") if isinstance(problem, Mapping) else None
    parameters = tables.get("parameters") if isinstance(tables, Mapping) else None
    known = {str(place): name for name, place in shipped_problems().items()}
    words = [known.get(folder, view.problem_name)] if folder in ("", *known) else [folder]
    if parameters and isinstance(parameters, Mapping):
        words += ["--parameter", ",".join(f"{name}={value}" for name, value in parameters.items())]
    return words


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) and value == round(value) else str(value)


def _what_decides(gathered: Gathered) -> tuple[Child, ...]:
    count = gathered.overview.evaluations
    if gathered.overview.calls:
        return (
            "Language models do not answer twice alike. The replies of this run are in its folder, so that it can be "
            "repeated exactly, without network; and the archive can be checked against the log:",
        )
    return (
        "Seed, window and versions decide what is found; time decides only how far it gets, here to ",
        tag("code", f"--evaluations {count}", class_="whole"),
        ". The archive can be checked against the log:",
    )


def _checks(gathered: Gathered) -> list[str]:
    run = shlex.quote(gathered.name)
    lines = [f"evolve run --replay {run}"] if gathered.overview.calls else []
    lines.append(f"evolve replay {run}")
    if gathered.overview.best_id is not None:
        lines.append(f"evolve verify {run} {gathered.overview.best_id}")
    return lines


def _environment(view: RunView) -> Html:
    versions = view.meta.get("versions")
    rows = [[str(name), str(value)] for name, value in versions.items()] if isinstance(versions, Mapping) else []
    digest = view.meta.get("archive_hash")
    rows += [["archive hash", str(digest)]] if digest else []
    levels = ", ".join(f"{name} ({count:,})" for name, count in view.reader.levels().items())
    rows += [["isolation of candidates", levels or "none ran"]]
    return table(
        ("what", "version"), [[visible(cut(name, 60)), visible(cut(value, 200))] for name, value in rows], left=(0, 1)
    )


def _sessions(view: RunView) -> Html | None:
    sessions = workers(view).sessions
    if not sessions:
        return None
    rows = [
        [each.started, format_duration(each.seconds), visible(cut(each.state, 80))]
        for each in sessions[-SESSIONS_MOST:]
    ]
    return table(("session began", "took", "ended"), rows, left=(0, 2))
