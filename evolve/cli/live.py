"""The live display of a run on a terminal: drawn anew whenever the loop tells how far it is."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from evolve.cli.durations import format_duration
from evolve.cli.figures import figure, named_figures, plural
from evolve.cli.progress import N_METRICS, Progress, remaining
from evolve.cli.spending import endings, spending
from evolve.cli.terminal import clean_line, speaks_unicode

if TYPE_CHECKING:
    from rich.console import Group

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = ".:-=+*#@"
_LABEL_WIDTH = 10
_BAR_WIDTH = 20


class LiveDisplay:
    """A few lines at the bottom of a terminal. Use it as a context manager; leaving it keeps the last picture."""

    def __init__(self, stream: IO[str]) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._unicode = speaks_unicode(stream)
        self._live = Live(
            console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False, transient=False
        )

    def __enter__(self) -> "LiveDisplay":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, kind: str, progress: Progress) -> None:
        """Draw the state; events between two reports of progress only change what is drawn next."""
        if kind in ("started", "progress", "paused", "resumed", "stopping"):
            self._live.update(picture(progress, blocks=BLOCKS if self._unicode else ASCII_BLOCKS), refresh=True)


def picture(progress: Progress, *, blocks: str = BLOCKS) -> "Group":
    """The display as rich text. All text in it is cleaned and none is read as markup."""
    from rich.console import Group
    from rich.text import Text

    lines = []
    for label, value, style in _rows(progress, blocks):
        line = Text(no_wrap=True, overflow="crop")
        line.append(f"{label:<{_LABEL_WIDTH}}", style="bold")
        line.append(value, style=style)
        lines.append(line)
    for event in progress.notable:
        text = f"{format_duration(event.seconds):>{_LABEL_WIDTH - 2}}  {clean_line(event.text)}"
        lines.append(Text(text, style="dim", no_wrap=True, overflow="crop"))
    return Group(*lines)


def _rows(progress: Progress, blocks: str) -> list[tuple[str, str, str]]:
    latest = progress.latest
    rows = [("evolve", clean_line(_title(progress)), ""), ("best", clean_line(_best(progress)), "green")]
    if latest.get("map_line"):
        rows.append(("map", clean_line(_map(latest, blocks)), ""))
    rows.append(("speed", _speed(progress), ""))
    rows.append(("budget", _budget(latest, blocks), ""))
    if latest.get("models"):
        rows.append(("models", clean_line(f"{spending(latest['models'])}; {endings(latest['models'])}"), ""))
    if latest.get("operators"):
        rows.append(("operators", clean_line(_operators(latest["operators"])), ""))
    return rows


def _title(progress: Progress) -> str:
    parts = [progress.problem, progress.run, "" if progress.rng_seed is None else f"seed {progress.rng_seed}"]
    if progress.stopping:
        parts.append(f"stopping ({progress.stopping})")
    elif progress.latest.get("paused"):
        parts.append("paused")
    return ", ".join(part for part in parts if part)


def _best(progress: Progress) -> str:
    best = progress.best
    if best is None:
        return "none yet"
    age = format_duration(progress.session_seconds - best.seconds)
    metrics = named_figures(best.metrics, limit=N_METRICS)
    return f"{figure(best.score)}  candidate {best.id} by {best.operator}, {age} ago  {metrics}".rstrip()


def _map(latest: Mapping[str, Any], blocks: str) -> str:
    coverage = float(latest.get("coverage") or 0.0)
    elites = plural(int(latest.get("elites") or 0), "elite")
    picture = map_line(latest["map_line"], blocks=blocks)
    return (
        f"{picture} by {latest.get('map_axis')}, coverage {coverage:.0%}, {elites}, QD {figure(latest.get('qd_score'))}"
    )


def map_line(scores: Sequence[float | None], *, blocks: str = BLOCKS) -> str:
    """Draw one mark per cell, higher for a better score and a space for an empty cell."""
    present = [score for score in scores if score is not None]
    if not present:
        return " " * len(scores)
    low, high = min(present), max(present)
    span = (high / 2 - low / 2) or 1.0  # halves: scores may lie as far apart as floats reach
    steps = len(blocks) - 1
    return "".join(" " if score is None else blocks[round((score / 2 - low / 2) / span * steps)] for score in scores)


def _speed(progress: Progress) -> str:
    latest = progress.latest
    parts = [
        f"{figure(progress.evaluations_per_second)} evaluations/s",
        plural(int(latest.get("evaluations") or 0), "evaluation"),
        f"{figure(latest.get('failures') or 0)} failed",
        f"{figure(latest.get('duplicates') or 0)} known before",
        f"{figure(latest.get('in_flight') or 0)} in flight on {plural(int(latest.get('workers') or 0), 'worker')}",
    ]
    return ", ".join(parts)


def _budget(latest: Mapping[str, Any], blocks: str) -> str:
    shares = [
        share
        for share in (
            _share(latest.get("seconds"), latest.get("seconds_left")),
            _share(latest.get("evaluations"), latest.get("evaluations_left")),
        )
        if share is not None
    ]
    if not shares:
        return remaining(latest)
    spent = max(shares)
    filled = round(spent * _BAR_WIDTH)
    bar = blocks[-1] * filled + blocks[0] * (_BAR_WIDTH - filled)
    return f"{bar} {spent:.0%} spent, {remaining(latest)}"


def _share(spent: float | None, left: float | None) -> float | None:
    if spent is None or left is None or spent + max(left, 0) <= 0:
        return None
    return spent / (spent + max(left, 0))


def _operators(operators: Mapping[str, Mapping[str, Any]]) -> str:
    return "  ".join(f"{name} {each.get('kept', 0)}/{each.get('iterations', 0)}" for name, each in operators.items())
