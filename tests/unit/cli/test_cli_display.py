import io
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from evolve.cli.live import ASCII_BLOCKS, LiveDisplay, map_line, picture
from evolve.cli.plain import HEARTBEAT_SECONDS, PlainDisplay
from evolve.cli.progress import N_NOTABLE, Progress, described

STARTED = {"run": "runs/toy/1", "problem": "toy", "workers": 2, "window": 8, "rng_seed": 7, "evaluations": 100}
IMPROVED = {
    "id": 42,
    "score": 3.25,
    "previous": 3.0,
    "operator": "mutate",
    "evaluations": 142,
    "seconds": 8.0,
    "metrics": {"operations": 6.0, "max_relative_error": 5.6e-4},
}
PROGRESS = {
    "evaluations": 150,
    "iterations": 60,
    "elites": 9,
    "coverage": 0.25,
    "qd_score": 17.5,
    "best_score": 3.25,
    "best_id": 42,
    "failures": 3,
    "duplicates": 11,
    "in_flight": 8,
    "workers": 2,
    "seconds": 110.0,
    "session_seconds": 10.0,
    "evaluations_left": 50,
    "seconds_left": 10.0,
    "target": 5.0,
    "map_axis": "operations",
    "map_line": [0.5, None, 2.0, 3.25],
    "operators": {"mutate": {"iterations": 12, "kept": 5}},
}


class Terminal(io.TextIOWrapper):
    """A terminal that remembers what was written to it."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def written(self) -> str:
        return self.bytes.getvalue().decode(self.encoding)


def fold(*events: tuple[str, Mapping[str, Any]]) -> Progress:
    progress = Progress()
    for kind, data in events:
        progress = progress.after(kind, data)
    return progress


def drawn(progress: Progress, *, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width, markup=True)
    with console.capture() as capture:
        console.print(picture(progress))
    return capture.get()


FULL = fold(("started", STARTED), ("improved", IMPROVED), ("progress", PROGRESS))


def test_the_picture_shows_best_map_speed_budget_and_operators() -> None:
    text = drawn(FULL)

    assert "toy, runs/toy/1, seed 7" in text
    assert "3.25  candidate 42 by mutate, 2.0s ago  operations 6  max_relative_error 0.00056" in text
    assert "▁ ▅█ by operations, coverage 25%, 9 elites, QD 17.5" in text
    assert "5 evaluations/s, 150 evaluations, 3 failed, 11 known before, 8 in flight on 2 workers" in text
    assert "92% spent, 10s left, 50 evaluations left, target 5" in text
    assert "mutate 5/12" in text
    assert "    8.0s  improved  score 3.25 (was 3), candidate 42 by mutate" in text


def test_before_anything_happened_there_is_a_picture_too() -> None:
    text = drawn(Progress())

    assert "none yet" in text
    assert "no budget set" in text


def test_a_line_never_wraps() -> None:
    lines = drawn(FULL, width=30).rstrip("\n").split("\n")

    assert len(lines) == 7
    assert max(len(line) for line in lines) <= 30


def test_hostile_names_and_markup_are_shown_as_text() -> None:
    hostile = {**IMPROVED, "operator": "[red]\x1b[2J", "metrics": {"\x9bm\n": 1.0}}

    text = drawn(fold(("started", STARTED), ("improved", hostile), ("warning", {"text": "[bold]\x07 line\nnext"})))

    assert r"[red]\x1b[2J" in text
    assert r"[bold]\x07 line next" in text
    assert not {"\x1b", "\x07", "\x9b"} & set(text)


@pytest.mark.parametrize(
    ("scores", "line"),
    [([], ""), ([None, None], "  "), ([1.0, None, 1.0], ". ."), ([0.0, 0.5, 1.0], ".+@"), ([-5.0, 5.0], ".@")],
)
def test_the_map_line_is_higher_where_the_score_is_better(scores: list[float | None], line: str) -> None:
    assert map_line(scores, blocks=ASCII_BLOCKS) == line


def test_only_the_last_notable_events_are_kept() -> None:
    progress = fold(*[("warning", {"text": str(number)}) for number in range(9)])

    assert [event.text.split()[-1] for event in progress.notable] == [str(number) for number in range(9 - N_NOTABLE, 9)]


def test_a_resumed_run_knows_its_best_before_the_first_improvement() -> None:
    progress = fold(("started", STARTED), ("progress", PROGRESS))

    assert progress.best is not None
    assert (progress.best.id, progress.best.score, progress.best.operator) == (42, 3.25, "an earlier session")


def test_events_of_unknown_kinds_change_nothing() -> None:
    assert FULL.after("weather", {"rain": 1}) == FULL
    assert described("weather", {"rain": 1}) == "weather   rain 1"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_live_display_draws_on_a_terminal_of_either_encoding(encoding: str) -> None:
    terminal = Terminal(encoding)

    with LiveDisplay(terminal) as display:
        display.show("started", FULL)
        display.show("improved", FULL)
        display.show("progress", FULL)

    seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.written)
    assert "candidate 42 by mutate" in seen
    assert "coverage 25%" in seen
    assert terminal.written.endswith("\x1b[?25h")  # the cursor is back


def test_without_colour_the_live_display_writes_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()

    with LiveDisplay(terminal) as display:
        display.show("progress", FULL)

    assert "\x1b[32m" not in terminal.written


def test_the_cursor_comes_back_when_the_run_fails() -> None:
    terminal = Terminal()

    with pytest.raises(OSError, match="disk"), LiveDisplay(terminal):
        raise OSError("disk")

    assert "\x1b[?25h" in terminal.written


class ManualClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tell(lines: list[str], clock: ManualClock) -> Callable[[str, Mapping[str, Any]], None]:
    display = PlainDisplay(lines.append, now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), clock=clock)
    progress = Progress()

    def tell(kind: str, data: Mapping[str, Any]) -> None:
        nonlocal progress
        progress = progress.after(kind, data)
        with display:
            display.show(kind, progress)

    return tell


def test_plain_lines_carry_the_time_and_one_improvement_each(
    tell: Callable[[str, Mapping[str, Any]], None], lines: list[str]
) -> None:
    tell("started", STARTED)
    tell("seed", {"id": 1, "score": 0.5, "metrics": {}})
    tell("improved", IMPROVED)
    tell("warning", {"text": "a worker was lost"})
    tell("stopping", {"reason": "signal", "in_flight": 3})

    assert lines == [
        "2026-01-02T03:04:05Z  started   toy on 2 workers, window 8, seed 7, run runs/toy/1",
        "2026-01-02T03:04:05Z  seed      score 0.5, candidate 1",
        "2026-01-02T03:04:05Z  improved  score 3.25 (was 3), candidate 42 by mutate, after 142 evaluations, "
        "operations 6  max_relative_error 0.00056",
        "2026-01-02T03:04:05Z  warning   a worker was lost",
        "2026-01-02T03:04:05Z  stopping  waiting for the evaluations in flight; Ctrl-C again stops at once",
    ]


def test_a_heartbeat_comes_after_half_a_minute_of_silence_only(
    tell: Callable[[str, Mapping[str, Any]], None], lines: list[str], clock: ManualClock
) -> None:
    tell("started", STARTED)
    clock.seconds = HEARTBEAT_SECONDS - 1
    tell("progress", PROGRESS)
    clock.seconds = HEARTBEAT_SECONDS + 1
    tell("progress", PROGRESS)
    clock.seconds = HEARTBEAT_SECONDS + 2
    tell("progress", PROGRESS)

    assert [line[22:] for line in lines[1:]] == [
        "running   150 evaluations, 5/s, best 3.25, 9 elites, 1m50s gone, 10s left, 50 evaluations left, target 5"
    ]


def test_an_improvement_too_small_for_six_digits_is_written_with_more() -> None:
    line = described("improved", {**IMPROVED, "score": 2.325140021, "previous": 2.32514001})

    assert "score 2.32514002 (was 2.32514001)," in line
