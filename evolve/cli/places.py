"""Where runs lie, and how the command line finds the one that is meant."""

import difflib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from evolve.cli.output import Command
from evolve.config.settings import resolve_settings
from evolve.errors import UsageError

RUNS = Path("runs")
_DATABASE = "run.db"
_LOCK = "controller.lock"
_SHOWN = 5
_MOST_COMPLETIONS = 100


def default_run_dir(problem: str, rng_seed: int, now: datetime, *, runs: Path = RUNS) -> Path:
    """Name a new folder `runs/<problem>/<UTC timestamp>-<seed>` that does not exist yet."""
    stem = runs / problem / f"{now:%Y%m%dT%H%M%SZ}-{rng_seed}"
    candidates = (stem if number == 1 else stem.with_name(f"{stem.name}-{number}") for number in range(1, 10_000))
    return next(path for path in candidates if not path.exists())


def runs_under(folder: Path) -> list[Path]:
    """Folders that hold a run, at most three levels down, the one started or resumed last first."""
    found = {path.parent for path in _databases(folder)}
    return sorted(found, key=lambda run: (-_last_controlled(run), run.as_posix()))


def _databases(folder: Path) -> Iterator[Path]:
    for pattern in (_DATABASE, f"*/{_DATABASE}", f"*/*/{_DATABASE}", f"*/*/*/{_DATABASE}"):
        yield from folder.glob(pattern)


def _last_controlled(run: Path) -> float:
    # A controller writes its name into the lock when it starts; readers never touch it.
    for name in (_LOCK, _DATABASE):
        path = run / name
        if path.exists():
            return path.stat().st_mtime
    return 0.0


def find_run(text: str, *, runs: Path = RUNS) -> Path:
    """Find the run that is meant: a folder, `last`, or the end of the name of exactly one folder under `runs`.

    Raises:
        UsageError: no run fits, or more than one does; the message names what there is.
    """
    folder = Path(text)
    if (folder / _DATABASE).exists():
        return folder
    if folder.name == _DATABASE and folder.exists():
        return folder.parent
    known = runs_under(runs)
    if text == "last" and known:
        return known[0]
    fitting = [run for run in known if run.as_posix().endswith(text.rstrip("/"))] if text.strip("/") else []
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{text!r} fits {len(fitting)} runs: {_listed(fitting)}", hint="give more of the name")
    raise UsageError(_not_found(text, folder, known, runs), hint="`evolve ls` lists the runs under ./runs")


def _not_found(text: str, folder: Path, known: list[Path], runs: Path) -> str:
    if folder.is_dir():
        return f"no run in {folder}: expected a file {_DATABASE} there"
    if not known:
        return f"no run {text!r}: there is none under {runs}/ here; give the folder of a run"
    names = {name: run for run in known for name in (run.as_posix(), run.name)}
    near = difflib.get_close_matches(text, names, n=1)
    return f"no run {text!r}" + (f": did you mean {names[near[0]]}?" if near else f" among {_listed(known)}")


def _listed(runs: list[Path]) -> str:
    shown = ", ".join(str(run) for run in runs[:_SHOWN])
    return shown + (f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else "")


def run_argument(command: Command) -> Command:
    """Add the argument RUN to a command; it arrives as `run`, the run's folder."""
    return click.argument("run", callback=_find, shell_complete=run_completion)(command)


def optional_run_argument(command: Command) -> Command:
    """The same for a command that can do without; it arrives as None."""
    return click.argument("run", required=False, callback=_find, shell_complete=run_completion)(command)


def run_completion(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Runs that a half-written word may mean: under the folder of runs, `last`, or any folder."""
    del context, parameter
    runs = runs_under(runs_folder())[:_MOST_COMPLETIONS]
    words = ["last", *(run.as_posix() for run in runs)] if runs else []
    # A shell takes one word a line, and a terminal obeys what does not print.
    found = [CompletionItem(word) for word in words if word.startswith(incomplete) and word.isprintable()]
    return found or [CompletionItem(incomplete, type="dir")]


def problem_completion(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Shipped problems that a half-written word may mean, or a folder."""
    del context, parameter
    from evolve.config.locate import shipped_problems

    found = [CompletionItem(name) for name in shipped_problems() if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="dir")]


def _find(context: click.Context, parameter: click.Parameter, value: str | None) -> Path | None:
    del context, parameter
    return None if value is None else find_run(value, runs=runs_folder())


def runs_folder() -> Path:
    """The folder of runs: `EVOLVE_RUNS_DIR`, else the user's settings file, else ./runs."""
    settings = resolve_settings(command_line={}, environment=os.environ, problem={}, only=("runs_dir",))
    return Path(settings.runs_dir).expanduser()
