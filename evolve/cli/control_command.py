"""`pause` and `stop`: ask the process that works on a run, from any terminal."""

import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.output import Command, Output, json_option
from evolve.cli.places import run_argument
from evolve.cli.records import reading
from evolve.errors import UsageError

if TYPE_CHECKING:
    from evolve.store.control import Wanted

LOOK_SECONDS = 0.2


def wait_option(command: Command) -> Command:
    """Add `--wait` to a command."""
    return click.option("--wait", is_flag=True, help="Return when it has happened, not at once.")(command)


@click.command("pause")
@run_argument
@wait_option
@json_option
def pause_command(run: Path, *, wait: bool, as_json: bool) -> None:
    """Let a running RUN stand still. What is in flight is finished and recorded, nothing new is begun.

    The process stays, its clock (--time) stands still, and no language model is asked. `evolve resume RUN` lets it go
    on, `evolve stop RUN` ends it.
    """
    state = ask(run, "pause", Output(as_json=as_json), until=_is_paused if wait else None)
    if state is not None and not _is_paused(state):
        happened = "ended" if _is_over(state) else "was asked for something else"
        raise UsageError(f"{run} {happened} before it could pause: it is {state}")


@click.command("stop")
@run_argument
@wait_option
@json_option
def stop_command(run: Path, *, wait: bool, as_json: bool) -> None:
    """End a running or paused RUN in order, as one Ctrl-C in its terminal does.

    What is in flight may finish for a while; the run can be resumed later.
    """
    ask(run, "stop", Output(as_json=as_json), until=_is_over if wait else None)


def ask(run: Path, wanted: str, output: Output, *, until: Callable[[str], bool] | None = None) -> str | None:
    """Leave the request and say so; with `until`, wait for that state, or for the end, and return it."""
    from evolve.store.control import request

    asked = request(run, wanted)
    state = None if until is None else _awaited(run, until, asked.wanted)
    document: dict[str, Any] = {"run": str(run), "wanted": wanted, "asked": asked.at, "state": state}
    output.answer("evolve.control/1", document, lambda: _lines(run, wanted, state))
    return state


def _awaited(run: Path, until: Callable[[str], bool], wanted: "Wanted") -> str:
    """The state that was waited for; another one where the run ended, or a later request undid a pause."""
    from evolve.store.control import Wanted, read_request
    from evolve.store.state import current_state

    with reading(run) as reader:
        while True:
            state = current_state(reader.sessions())
            latest = read_request(run)
            is_undone = wanted is Wanted.PAUSE and latest is not None and latest.wanted is not Wanted.PAUSE
            if until(state) or _is_over(state) or is_undone:
                return state
            time.sleep(LOOK_SECONDS)


def _is_paused(state: str) -> bool:
    return state == "paused"


def _is_over(state: str) -> bool:
    from evolve.store.state import GOING

    return state not in GOING


def _lines(run: Path, wanted: str, state: str | None) -> Iterator[str]:
    name = shlex.quote(str(run))
    if state is not None:
        yield f"{run} is {state}"
    elif wanted == "pause":
        yield f"asked {run} to pause: what is in flight is finished first; go on with: evolve resume {name}"
    elif wanted == "stop":
        yield f"asked {run} to stop: what is in flight may finish; look with: evolve status {name}"
    else:
        yield f"asked {run} to go on"
