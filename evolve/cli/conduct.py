"""Driving a run from the command line: a display, JSON lines, the summary and the exit code."""

import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, Self

import click

from evolve.cli.durations import format_duration
from evolve.cli.figures import figure, plural
from evolve.cli.live import LiveDisplay
from evolve.cli.output import Output
from evolve.cli.plain import PlainDisplay
from evolve.cli.progress import Progress
from evolve.cli.spending import endings, spending
from evolve.cli.terminal import clean_line, is_live_terminal
from evolve.errors import EXIT_FINISHED, EXIT_INTERNAL, EXIT_TARGET_NOT_REACHED

if TYPE_CHECKING:
    from evolve.loop import Event, RunSummary

REPORT_SECONDS = 0.25
_REASONS = {
    "evaluations": "the budget of evaluations is spent",
    "time": "the time is up",
    "target": "the target is reached",
    "signal": "stopped by a signal",
    "request": "asked to by `evolve stop`",
    "budget_usd": "what is left of the budget in USD is too little for another request",
    "budget_tokens": "what is left of the budget of tokens is too little for another request",
    "replayed": "the recorded run ended here",
    "exhausted": "the operators found nothing more to try",
}

_DIFFERENT = "the archive DIFFERS from that of the recorded run: keep both"


class Display(Protocol):
    """Shows the state after each event."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: Any) -> None: ...
    def show(self, kind: str, progress: Progress) -> None:
        """Take notice of an event of this kind, which led to this state."""


class Conductor:
    """Listens to a run. When its output has no reader or no room any more, it falls silent and the run goes on."""

    def __init__(self, output: Output, display: Display, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._display = display
        self._clock = clock
        self._next_report = -math.inf
        self.progress = Progress()

    def hear(self, event: "Event") -> None:
        """Take one event: to the display for people, and as a line of JSON for scripts.

        Every event counts; of reports of progress at most four a second are shown.
        """
        self.progress = self.progress.after(event.kind, event.data)
        if event.kind == "progress":
            now = self._clock()
            if now < self._next_report:
                return
            self._next_report = now + REPORT_SECONDS
        try:
            self._display.show(event.kind, self.progress)
            if self._output.as_json and event.kind != "stopped":
                self._output.line("evolve.event/1", {"kind": event.kind, **event.data})
        except OSError:
            fall_silent()


def fall_silent() -> None:
    """Send what is written from now on to nowhere, for the streams that cannot be written any more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def choose_display(output: Output, *, plain: bool) -> Display:
    """Choose the moving display for a terminal and plain lines for everything else."""
    stream = sys.stderr if output.as_json else sys.stdout
    if not plain and is_live_terminal(stream):
        return LiveDisplay(stream)
    return PlainDisplay(output.say, now=lambda: datetime.now(UTC), clock=time.monotonic)


def conduct(
    run: Callable[[Callable[["Event"], None]], "RunSummary"],
    output: Output,
    *,
    plain: bool = False,
    target_required: bool = False,
    unsafe_sandbox: bool = False,
    also: Callable[["Event"], None] | None = None,
) -> int:
    """Run, show, summarise; returns the exit code.

    `unsafe_sandbox`: that option was given, so resuming needs it. `also` hears everything too.
    """
    display = choose_display(output, plain=plain)
    conductor = Conductor(output, display)

    def hear(event: "Event") -> None:
        conductor.hear(event)
        if event.kind == "warning" and event.data.get("loud") and not output.as_json and not sys.stdout.isatty():
            click.echo(f"note: {clean_line(str(event.data['text']))}", err=True)  # a log of standard output is not read
        if also is not None:
            also(event)

    with display:
        summary = run(hear)
    code = exit_code_of(summary, target=conductor.progress.latest.get("target"), target_required=target_required)
    try:
        report(summary, output, code, unsafe_sandbox=unsafe_sandbox)
    except OSError:
        fall_silent()
    return code


def exit_code_of(summary: "RunSummary", *, target: float | None, target_required: bool) -> int:
    """Say how the command ends: 0, 128 + signal, 1 if a repetition differs, 6 if a required target was not reached."""
    if summary.stopped_by in ("signal", "request"):
        return 128 + (summary.signal or 2)
    if summary.replay_equal is False:
        return EXIT_INTERNAL
    reached = summary.stopped_by == "target" or (
        target is not None and summary.best_score is not None and summary.best_score >= target
    )
    return EXIT_TARGET_NOT_REACHED if target_required and not reached else EXIT_FINISHED


def resume_command_of(summary: "RunSummary", *, unsafe_sandbox: bool = False) -> str:
    """Write the command that goes on: a spent amount is doubled, for otherwise the run would stop at once."""
    spent = summary.models or {}
    usd = 2 * max(float(spent.get("cost_usd") or 0.0), float(spent.get("budget_usd") or 0.0))
    tokens = 2 * max(int(spent.get("tokens") or 0), int(spent.get("budget_tokens") or 0))
    more = {
        "budget_usd": f" --budget-usd {usd:.2g}",
        "budget_tokens": f" --budget-tokens {tokens}",
        "evaluations": f" --evaluations {2 * summary.evaluations}",
        "time": f" --time {max(2, round(2 * summary.seconds))}s",
    }
    allowing = " --unsafe-sandbox" if unsafe_sandbox else ""
    return f"evolve resume {shlex.quote(summary.run)}{more.get(summary.stopped_by, '')}{allowing}"


def report(summary: "RunSummary", output: Output, code: int, *, unsafe_sandbox: bool = False) -> None:
    """Say how the run ended; the last line of JSON is the summary."""
    resume = resume_command_of(summary, unsafe_sandbox=unsafe_sandbox)
    output.say(f"stopped: {_REASONS.get(summary.stopped_by, summary.stopped_by)}")
    best = "" if summary.best_id is None else f", candidate {summary.best_id}"
    output.say(
        f"best {figure(summary.best_score)}{best}; "
        f"{plural(summary.evaluations, 'evaluation')}, {plural(summary.elites, 'elite')}, "
        f"{format_duration(summary.seconds)}"
    )
    if summary.models is not None:
        output.say(f"language models: {spending(summary.models)}")
        if ended := endings(summary.models):
            output.say(f"requests ended: {ended} (see evolve calls {shlex.quote(summary.run)})")
    if summary.replay_equal is not None:
        output.say("the archive is that of the recorded run" if summary.replay_equal else _DIFFERENT)
    if summary.evaluator_failures:
        failed = (
            f"{summary.evaluator_failures:,} of {plural(summary.evaluations, 'evaluation')} failed in the evaluator"
        )
        output.say(f"{failed} (see evolve status {shlex.quote(summary.run)})")
    if code == EXIT_TARGET_NOT_REACHED:
        output.say("the required target was not reached")
    if best:
        output.say(f"look at the best with: evolve best {shlex.quote(summary.run)}")
    output.say(f"resume with: {resume}")
    if output.as_json:
        document: Mapping[str, Any] = {**summary.to_mapping(), "exit_code": code, "resume": resume}
        output.line("evolve.run/1", document)
