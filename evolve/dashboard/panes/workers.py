"""Who works on the run: sessions, worker processes, GPUs, the machine."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult

from evolve.dashboard.columns import Column, Layout, cell
from evolve.dashboard.lines import Lines
from evolve.dashboard.palette import BAD, BOLD, DIM, PLAIN, state_style
from evolve.dashboard.pane import Hint, Pane, Question
from evolve.view.durations import format_duration
from evolve.view.figures import figure
from evolve.view.text import clean_line
from evolve.view.workers import SessionRow, Workers, workers

LABEL = 13


class WorkersPane(Pane):
    """One list of lines: it is read, not worked with."""

    title = "workers"
    hints: ClassVar[tuple[Hint, ...]] = (("P", "pause or go on"), ("S", "stop"))

    def compose(self) -> ComposeResult:
        """The lines."""
        yield Lines(id="workers-lines")

    def question(self) -> Question:
        """Sessions and the last pulse."""
        return workers

    def show(self, answer: object) -> None:
        """Write them down."""
        assert isinstance(answer, Workers)
        self.query_one(Lines).put(list(worker_lines(answer, max(self.size.width - 2, 40))), keep_place=True)

    def search(self, text: str) -> str:
        """Mark the text in the lines."""
        return f"{self.query_one(Lines).search(text)} lines hold it"

    def take_focus(self) -> None:
        """The lines have the keys."""
        self.query_one(Lines).focus()


def worker_lines(told: Workers, width: int) -> Iterable[Text]:
    """Everything as lines, the present first."""
    yield Text("now", style=BOLD)
    yield from _now(told)
    yield Text()
    yield Text("GPUs", style=BOLD)
    yield from _table(told.gpus, width, "the run reports no GPU: its evaluations run on processors only")
    yield Text()
    yield Text("sessions", style=BOLD)
    yield from _sessions(told.sessions, width)
    yield Text()
    yield Text("made with", style=BOLD)
    if not told.environment:
        yield Text("the run did not record its environment", style=DIM)
    width = max((len(name) for name in told.environment), default=0) + 2
    for name, value in told.environment.items():
        yield Text.assemble((f"{clean_line(name):<{width}}", DIM), clean_line(str(value)))


def _now(told: Workers) -> Iterable[Text]:
    state = told.sessions[-1].state if told.sessions else "new"
    is_going = state in ("running", "paused", "silent")
    busy = "" if told.in_flight is None else f", {told.in_flight:,} iterations in flight"
    if is_going:
        age = told.sessions[-1].heartbeat_age
        heard = "" if age is None else f", last sign of life {format_duration(age)} ago"
        yield _row("workers", f"{figure(told.workers)}{busy}{heard}")
    else:
        yield _row("workers", f"none: the run is {state}; it had {figure(told.workers)}")
    if told.lost:
        yield Text.assemble(_row("lost", ""), (f"{told.lost:,} died and were replaced", BAD))
    if told.window is not None:
        yield _row("window", f"{told.window:,} iterations planned ahead")
    judged = sum(told.levels.values())
    levels = ", ".join(f"{name} ({count:,} of the last {judged:,})" for name, count in told.levels.items())
    yield _row("sandbox", levels or "not recorded")
    if told.states:
        yield Text()
        yield Text("workers one by one" if is_going else "workers when last heard of", style=BOLD)
        yield from _table(told.states, 200, "")


def _sessions(sessions: Iterable[SessionRow], width: int) -> Iterable[Text]:
    columns = [
        Column(title="", rank=0),
        Column(title="state", align="left", rank=0),
        Column(title="worked", rank=1),
        Column(title="began (UTC)", align="left", rank=1),
        Column(title="last sign of life", align="left", rank=2),
        Column(title="process", rank=2),
        Column(title="machine", align="left", rank=3),
    ]
    rows = [
        (
            cell(each.id),
            cell(each.state, state_style(each.state.split()[0])),
            cell(format_duration(each.seconds)),
            cell(each.started[:19].replace("T", " ")),
            cell(each.heartbeat[:19].replace("T", " ")),
            cell(each.pid),
            cell(each.host),
        )
        for each in sessions
    ]
    if not rows:
        yield Text("nobody has worked on this run yet", style=DIM)
        return
    layout = Layout(columns, rows, width)
    yield layout.header()
    yield from (layout.row(row) for row in rows)


def _table(rows: tuple[Mapping[str, Any], ...], width: int, empty: str) -> Iterable[Text]:
    if not rows:
        yield Text(empty, style=DIM)
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [Column(title=clean_line(str(name)), align="left", rank=place) for place, name in enumerate(names)]
    # Whole numbers are written plain: most of them are the numbers of processes and devices.
    cells = [[cell(_plain(row.get(name)), PLAIN) for name in names] for row in rows]
    layout = Layout(columns, cells, width)
    yield layout.header()
    yield from (layout.row(row) for row in cells)


def _plain(value: object) -> str:
    return str(value) if isinstance(value, int) else figure(value)


def _row(label: str, value: str) -> Text:
    return Text.assemble((f"{clean_line(label):<{LABEL}}", DIM), clean_line(value))
