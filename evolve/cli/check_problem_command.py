"""`check`: is a problem fit for a run, and can its judge be fooled?"""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.durations import format_duration
from evolve.cli.figures import plural
from evolve.cli.isolation import is_unsafe_allowed, unsafe_sandbox_option
from evolve.cli.output import Output, json_option
from evolve.cli.parameters import generalize_option, parameter_option, parameters_of
from evolve.cli.terminal import clean_line

if TYPE_CHECKING:
    from evolve.scaffold.findings import Finding, Report

_STATE_WIDTH = 7
_CHECK_WIDTH = 15
_WIDEST_CHECK = 24
_WIDTH = 100


@click.command("check")
@click.argument("problem")
@click.option(
    "--repeats", type=click.IntRange(min=2), default=5, show_default=True, help="How often the seed program is judged."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1.0),
    default=300.0,
    show_default=True,
    help="When to stop trying further edits and cheats.",
)
@parameter_option
@generalize_option
@unsafe_sandbox_option
@json_option
@click.pass_context
def check_problem_command(
    context: click.Context,
    /,
    problem: str,
    *,
    repeats: int,
    seconds: float,
    unsafe_sandbox: bool | None,
    **given: Any,
) -> None:
    """Try out a problem before a run. PROBLEM is a folder or a shipped name.

    Runs the seed program several times, small edits of it and generic cheats through the problem's own evaluator:
    noise, limits, axes, tolerances, claimed scores, text run by the judge, the direction of the score, a run's cost.

    The exit code is 0 if there are no errors (warnings may be explained), 2 if problem.toml is wrong, 3 if there are.
    """
    from evolve.config.problem import load_problem
    from evolve.loop.isolation import require_isolation
    from evolve.scaffold.check import check_problem

    output = Output(as_json=given["as_json"])
    loaded = load_problem(problem, parameters=parameters_of(given["parameter"]), generalize=given["generalize"])
    unsafe = is_unsafe_allowed(unsafe_sandbox)
    require_isolation(loaded, unsafe=unsafe)
    report = check_problem(
        loaded,
        repeats=repeats,
        seconds=seconds,
        unsafe_sandbox=unsafe,
        listener=lambda stage: click.echo(f"trying: {stage} ...", err=True),
    )
    document = {
        "problem": report.problem,
        "folder": report.folder,
        "findings": [finding.to_mapping() for finding in report.findings],
        "evaluations": report.evaluations,
        "seconds": report.seconds,
    }
    output.answer("evolve.check/1", document, lambda: _lines(report))
    context.exit(report.exit_code)


def _lines(report: "Report") -> Iterator[str]:
    from evolve.scaffold.findings import State

    longest = max(len(clean_line(finding.check)) for finding in report.findings)
    width = min(max(_CHECK_WIDTH, longest), _WIDEST_CHECK)
    yield f"{'':{_STATE_WIDTH}}  {'check':{width}}  what was seen"
    for finding in report.findings:
        yield from _finding_lines(finding, width)
    yield ""
    errors, warnings = report.count(State.ERROR), report.count(State.WARNING)
    spent = f"{plural(report.evaluations, 'evaluation')} in {format_duration(report.seconds)}"
    yield f"{plural(errors, 'error')}, {plural(warnings, 'warning')} ({spent})"


def _finding_lines(finding: "Finding", width: int) -> Iterator[str]:
    """One finding as a row, its text wrapped; what to do stands below it."""
    state = str(finding.state) if finding.state == "ok" else str(finding.state).upper()
    margin = " " * (_STATE_WIDTH + width + 4)
    texts = [clean_line(finding.seen)] + ([f"-> {clean_line(finding.advice)}"] if finding.advice else [])
    wrapped = [line for text in texts for line in textwrap.wrap(text, _WIDTH - len(margin)) or [""]]
    yield f"{state:{_STATE_WIDTH}}  {clean_line(finding.check):{width}}  {wrapped[0]}"
    for line in wrapped[1:]:
        yield margin + line
