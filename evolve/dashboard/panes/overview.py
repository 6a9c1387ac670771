"""How the run stands, on one screen."""

from collections.abc import Iterable
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from evolve.dashboard.curves import curve_lines
from evolve.dashboard.lines import Canvas
from evolve.dashboard.palette import ACCENT, BAD, BOLD, DIM, GOOD, PLAIN, WARNING, Painter, state_style
from evolve.dashboard.pane import Hint, Pane, Question
from evolve.dashboard.plot import bar, spark
from evolve.dashboard.standing import Standing, standing
from evolve.view.durations import format_duration
from evolve.view.figures import figure, named_figures, plural
from evolve.view.log import LogLine
from evolve.view.overview import Overview
from evolve.view.text import clean_line

LABEL = 13
MAX_NOTICES = 4
WIDE = 100


class OverviewPane(Pane):
    """State, best score, archive, speed, budget, the curve of the best score and the latest events."""

    title = "overview"
    hints: ClassVar[tuple[Hint, ...]] = (("enter", "best program"), ("l", "logarithmic scale"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", show=False),
        Binding("l", "scale", show=False),
    ]
    _best: int | None = None
    _answer: Standing | None = None
    _is_log = False

    def compose(self) -> ComposeResult:
        """One picture."""
        canvas = Canvas(id="overview-canvas")
        canvas.can_focus = True
        yield canvas

    def question(self) -> Question:
        """Always the same."""
        return standing

    def show(self, answer: object) -> None:
        """Draw it."""
        assert isinstance(answer, Standing)
        self._best, self._answer = answer.overview.best_id, answer
        is_log = self._is_log
        self.query_one(Canvas).paint(
            lambda width, height: overview_lines(answer, (width, height), self.look, is_log=is_log)
        )

    @property
    def candidate(self) -> int | None:
        """The best one."""
        return self._best

    def action_scale(self) -> None:
        """Draw evaluations and seconds on a logarithmic scale, or not."""
        self._is_log = not self._is_log
        if self._answer is not None:
            self.show(self._answer)

    def action_open(self) -> None:
        """Open the best program."""
        if self._best is not None:
            self.post_message(self.Open(self._best))

    def take_focus(self) -> None:
        """The picture has the keys."""
        self.query_one(Canvas).focus()


def overview_lines(told: Standing, size: tuple[int, int], look: Painter, *, is_log: bool = False) -> list[Text]:
    """The screen as lines; the curve gets what the rest leaves, events get a third of that."""
    width, height = size
    lines = list(_facts(told, width, look))
    room = height - len(lines) - 1
    n_events = min(len(told.log), max(room // 3, 2)) if told.log else 1
    chart_height = room - n_events - 1
    lines.append(Text())
    lines += curve_lines(told, (width, chart_height), look, is_log=is_log)
    lines.append(_rule("latest events", width, look))
    if not told.log:
        lines.append(Text("nothing has happened yet", style=DIM))
    lines += [event_line(line) for line in told.log[-n_events:]]
    return lines


def _rule(title: str, width: int, look: Painter) -> Text:
    mark = "─" if look.unicode else "-"
    return Text(f"{title} {mark * max(width - len(title) - 1, 0)}", style=DIM)


def event_line(line: LogLine) -> Text:
    """One happening: time of day, kind, words."""
    style = {"improved": GOOD, "seed": GOOD, "warning": WARNING, "stopping": WARNING, "paused": WARNING}
    kind = style.get(line.kind, PLAIN)
    return Text.assemble(
        (f"{clean_line(line.at[11:19]):8}  ", DIM), (f"{clean_line(line.kind)[:9]:<9} ", kind), clean_line(line.text)
    )


def _row(label: str, *parts: str | Text | tuple[str, Style]) -> Text:
    return Text.assemble((f"{label:<{LABEL}}", BOLD), *parts)


def _facts(told: Standing, width: int, look: Painter) -> Iterable[Text]:
    now = told.overview
    yield _row("problem", clean_line(now.title or now.problem_name))
    yield _state(now)
    yield from _best(now)
    yield _row("evaluations", *_evaluations(now))
    yield _row("speed", *_speed(told, width, look))
    yield _row("archive", *_archive(told, width, look))
    yield from _budget(now, look)
    if now.calls and now.calls.get("requests"):
        yield _row("models", _calls(now))
    for place, notice in enumerate(told.notices[:MAX_NOTICES]):
        yield _row("notice" if place == 0 else "", (clean_line(notice), WARNING))


def _state(now: Overview) -> Text:
    parts: list[str | Text | tuple[str, Style]] = [(clean_line(now.state), state_style(now.state_word))]
    if now.state_word == "crashed" and now.heartbeat_age is not None:
        ago, after = format_duration(now.heartbeat_age), format_duration(now.seconds)
        parts.append(f" {ago} ago after {after}; `evolve resume` goes on with it")
        return _row("state", *parts)
    parts.append(f", {format_duration(now.seconds)} in all")
    if now.is_going and now.heartbeat_age is not None and now.heartbeat_age > 10:
        parts.append((f"; no sign of life for {format_duration(now.heartbeat_age)}", WARNING))
    elif now.is_going and now.in_flight is not None:
        parts.append(f"; {figure(now.in_flight)} in flight on {figure(now.workers)} workers")
        if now.lost_workers:
            parts.append((f", {figure(now.lost_workers)} lost", BAD))
    return _row("state", *parts)


def _best(now: Overview) -> Iterable[Text]:
    if now.best_score is None:
        yield _row("best", ("no candidate has a score yet", DIM))
        return
    age = "" if now.best_at is None else f", found at {format_duration(now.best_at)}"
    by = f"  candidate {now.best_id} by {clean_line(now.best_operator)}{age}"
    yield _row("best", (figure(now.best_score), GOOD + BOLD), by)
    yield _row("", (named_figures(now.best_metrics, limit=8), DIM))


def _evaluations(now: Overview) -> Iterable[str]:
    yield f"{now.evaluations:,} in {now.iterations:,} iterations"
    if now.failures is not None and now.evaluations:
        yield f", {now.failures / now.evaluations:.1%} failed"
    if now.duplicates is not None:
        yield f", {now.duplicates:,} known before"


def _speed(told: Standing, width: int, look: Painter) -> Iterable[str | tuple[str, Style]]:
    now = told.overview
    yield "not known" if now.per_second is None else f"{figure(round(now.per_second, 3))} evaluations/s"
    rates = [
        (after.evaluations - before.evaluations) / (after.seconds - before.seconds)
        for before, after in zip(told.pulses, told.pulses[1:], strict=False)
        if after.seconds > before.seconds
    ]
    if len(rates) > 2:
        yield "  "
        yield spark(rates, min(width - 40, 60), unicode=look.unicode), ACCENT
    elif not now.has_pulse:
        yield "  (its history was not recorded)", DIM


def _archive(told: Standing, width: int, look: Painter) -> Iterable[str | tuple[str, Style]]:
    now = told.overview
    yield f"{now.elites:,} elites"
    if now.coverage is not None:
        cells = "" if now.n_cells is None else f" of {now.n_cells:,} cells"
        yield f", coverage {now.coverage:.1%}{cells}"
    if now.qd_score is not None:
        yield f", QD score {figure(now.qd_score)}"
    values = [point.qd_score for point in told.pulses]
    if len(values) > 2 and width >= WIDE:
        yield "  "
        yield spark(values, min(width - 72, 40), unicode=look.unicode), ACCENT


def _budget(now: Overview, look: Painter) -> Iterable[Text]:
    left = now.left
    words = {
        "time": "" if left.seconds is None else f"{format_duration(left.seconds)} left",
        "evaluations": "" if left.evaluations is None else f"{left.evaluations:,} evaluations left",
        "USD": "" if left.usd is None else f"{left.usd:,.4f} USD left",
        "tokens": "" if left.tokens is None else f"{left.tokens:,} tokens left",
    }
    target = "" if left.target is None else f", target {figure(left.target)}"
    if not now.spent:
        yield _row("budget", "none set" + target)
    for place, (name, share) in enumerate(now.spent.items()):
        yield _row(
            "budget" if place == 0 else "",
            bar(share, 20, unicode=look.unicode, style=ACCENT),
            f" {share:4.0%} of {name}, {words[name]}{target if place == 0 else ''}",
        )


def _calls(now: Overview) -> str:
    calls = now.calls or {}
    read, written = int(calls.get("input_tokens") or 0), int(calls.get("output_tokens") or 0)
    unpriced = int(calls.get("unpriced") or 0)
    money = f"{float(calls.get('cost_usd') or 0.0):,.4f} USD"
    money += f" and {unpriced} of unknown price" if unpriced else ""
    return f"{plural(int(calls.get('requests') or 0), 'request')}, {read:,} tokens read, {written:,} written, {money}"
