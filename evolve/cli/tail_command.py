"""`tail`: what happens in a run, from its log."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.figures import figure, plural
from evolve.cli.output import Output, json_option
from evolve.cli.places import run_argument
from evolve.cli.progress import described
from evolve.cli.records import reading

if TYPE_CHECKING:
    from evolve.store import RunReader

LOOK_SECONDS = 0.5
QUIET_SECONDS = 30.0
BATCH = 500


@click.command("tail")
@run_argument
@click.option("--follow", "-f", is_flag=True, help="Go on until the run ends.")
@click.option("--lines", "-n", type=click.IntRange(min=0), default=20, show_default=True, help="How many at first.")
@json_option
def tail_command(run: Path, *, follow: bool, lines: int, as_json: bool) -> None:
    """Show the latest events of RUN. Improvements, warnings, pauses, from its log alone.

    With --follow it goes on until the run ends; it works on running, finished and crashed runs, and stops nothing.
    """
    output = Output(as_json=as_json)
    with reading(run) as reader:
        tail = _Tail(reader, output, follow=follow)
        tail.show(after=max(reader.last_event() - lines, 0))


class _Tail:
    """Writes the events of a run; while nothing happens, now and then how far it is."""

    def __init__(self, reader: "RunReader", output: Output, *, follow: bool) -> None:
        self._reader = reader
        self._output = output
        self._follow = follow
        self._quiet_since = time.monotonic()

    def show(self, *, after: int) -> None:
        """Write all events above `after`, then those that come; at the end the state of the run."""
        from evolve.store.state import GOING, current_state

        while True:
            state = current_state(self._reader.sessions())  # first: what comes before the end is shown
            for event in self._events(after):
                after = event["id"]
                self._write(event)
            if not self._follow or state not in GOING:
                break
            self._say_how_far()
            time.sleep(LOOK_SECONDS)
        document = {"run": str(self._reader.run_dir), "state": state}
        self._output.answer("evolve.tail/1", document, lambda: [f"the run is {state}"])

    def _events(self, after: int) -> Iterator[dict[str, Any]]:
        while batch := self._reader.events(after=after, limit=BATCH):
            yield from batch
            after = batch[-1]["id"]

    def _write(self, event: dict[str, Any]) -> None:
        self._quiet_since = time.monotonic()
        kind, data = str(event["kind"]), event["data"]
        if self._output.as_json:
            document = {"id": event["id"], "at": event["at"], "kind": kind, "data": data}
            self._output.line("evolve.event/1", document)
        else:
            self._output.say(f"{str(event['at'])[:19]}Z  {described(kind, data)}")

    def _say_how_far(self) -> None:
        now = time.monotonic()
        if self._output.as_json or now - self._quiet_since < QUIET_SECONDS:
            return
        self._quiet_since = now
        pulse = self._reader.pulse()
        if pulse is not None:
            data = pulse["data"]
            word = "paused" if data.get("paused") else "running"
            self._output.say(
                f"{pulse['at'][:19]}Z  {word:<9} {plural(int(data.get('evaluations') or 0), 'evaluation')}, "
                f"best {figure(data.get('best_score'))}, {plural(int(data.get('elites') or 0), 'elite')}"
            )
