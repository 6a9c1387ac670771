"""Text as it reaches a screen: cleaning, durations, figures, tables, and the picture of a run at fixed sizes."""

import io
import math
import sys
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from evolve.cli.durations import format_duration, parse_duration
from evolve.cli.figures import figure, indented, named_figures, plural, table
from evolve.cli.live import ASCII_BLOCKS, BLOCKS, map_line, picture
from evolve.cli.plain import PlainDisplay
from evolve.cli.progress import Progress, heartbeat, remaining
from evolve.cli.terminal import clean, clean_line, is_live_terminal
from evolve.store.state import SILENT_AFTER_SECONDS, run_state
from tests.extent import examples

BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def is_dangerous(character: str) -> bool:
    """What Unicode itself calls a control, a surrogate, a separator of lines or a mark of direction."""
    if character in "\n\t":
        return False
    is_control = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
    return is_control or unicodedata.bidirectional(character) in BIDI


def test_of_all_of_unicode_no_dangerous_character_survives() -> None:
    everything = "".join(chr(code) for code in range(sys.maxunicode + 1))

    survivors = {character for character in clean(everything) if is_dangerous(character)}

    assert survivors == set()


def test_all_letters_marks_numbers_and_signs_of_unicode_survive_cleaning() -> None:
    kept = [
        chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Lu", "Ll", "Lo", "Nd", "Sm", "So")
    ]

    assert clean("".join(kept)) == "".join(kept)


@given(st.text(st.characters()) | st.text(st.sampled_from("\x1b[]\x07\x9b\r\n\u202e\ud800\\ab")))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_line(clean_line(text)) == clean_line(text)


@given(st.text(st.characters()), st.text(st.characters()))
def test_cleaning_parts_is_cleaning_the_whole_unless_a_windows_newline_is_cut(left: str, right: str) -> None:
    if left.endswith("\r") and right.startswith("\n"):
        return

    assert clean(left) + clean(right) == clean(left + right)


@given(st.text(st.characters()))
def test_a_cleaned_line_is_one_line_that_can_be_written(text: str) -> None:
    line = clean_line(text)

    assert "\n" not in line
    assert "\t" not in line
    assert line.encode("utf-8").decode("utf-8") == line


@given(st.text(st.sampled_from("\x00\x1b\x7f\x9b\u202e\ufeff\U000e0041"), max_size=10))
def test_what_was_removed_can_be_read_from_its_escape(text: str) -> None:
    assert clean(text).encode("ascii").decode("unicode_escape") == text


parts = st.tuples(st.integers(0, 9), st.integers(0, 99), st.integers(0, 99), st.integers(0, 999))


@given(parts)
def test_a_duration_is_the_sum_of_its_parts(numbers: tuple[int, int, int, int]) -> None:
    days, hours, minutes, seconds = numbers
    expected = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    written = "".join(f"{number}{unit}" for number, unit in zip(numbers, "dhms", strict=True) if number)
    if not written:
        return

    assert parse_duration(written) == parse_duration(written.upper()) == expected
    assert parse_duration(str(int(expected))) == expected


@given(st.floats(0, 1e8), st.floats(0, 1e8))
def test_what_is_written_of_a_longer_time_reads_no_shorter(one: float, other: float) -> None:
    shorter, longer = sorted((one + 0.05, other + 0.05))

    assert parse_duration(format_duration(shorter)) <= parse_duration(format_duration(longer))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0s"),
        (0.049, "0.0s"),
        (9.94, "9.9s"),
        (10.0, "10s"),
        (59.49, "59s"),
        (59.6, "1m00s"),
        (60.0, "1m00s"),
        (3599.4, "59m59s"),
        (3599.6, "1h00m"),
        (86399.4, "23h59m"),
        (86399.6, "1d00h"),
        (1e7, "115d17h"),
    ],
)
def test_a_duration_changes_its_units_at_the_right_second(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    "text", ["1s1m", "1m1m", "1.5.5s", ".5s", "5.", "+5s", "1 h", "1h 30m", "1w", "1_000", "0x10", "0h0m", "0.0"]
)
def test_what_only_looks_like_a_duration_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration") as caught:
        parse_duration(text)

    assert repr(text) in str(caught.value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_figure_is_the_number_to_six_digits(value: float) -> None:
    text = figure(value)

    again = float(text.replace(",", ""))
    assert math.isclose(again, value, rel_tol=5.1e-6, abs_tol=5e-324)
    assert len(text) <= 20


@given(st.integers(-(10**18), 10**18))
def test_a_whole_number_is_written_in_full_with_its_thousands(value: int) -> None:
    text = figure(value)

    assert int(text.replace(",", "")) == value
    assert all(len(group) == 3 for group in text.lstrip("-").split(",")[1:])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e15, "1e+15"),
        (999999999999999.0, "999,999,999,999,999"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (0.1 + 0.2, "0.3"),
        (-1234567.0, "-1,234,567"),
        (False, "False"),
        ("two\nlines\t", "two lines "),
        ([1, "\x1b"], r"[1, '\x1b']"),
    ],
)
def test_figures_at_the_edges(value: object, text: str) -> None:
    assert figure(value) == text


def test_one_is_singular_and_everything_else_plural() -> None:
    assert [plural(count, "elite") for count in (0, 1, 2, 1000)] == ["0 elites", "1 elite", "2 elites", "1,000 elites"]


def test_named_figures_stop_at_their_limit_and_clean_their_names() -> None:
    values = {"a\nb": 1, "c": 0.5, "d": None}

    assert named_figures(values) == "a b 1  c 0.5  d -"
    assert named_figures(values, limit=1) == "a b 1"
    assert named_figures({}) == ""


cells = st.lists(st.tuples(st.text(st.sampled_from("ab c"), max_size=6), st.integers(), st.none()), max_size=6)


@given(cells)
def test_columns_of_a_table_begin_or_end_together(rows: list[tuple[str, int, None]]) -> None:
    lines = table(("first", "second", "x"), rows)

    width = max(len(text) for text in ["first", *(row[0] for row in rows)])
    assert len(lines) == len(rows) + 1
    for line, row in zip(lines[1:], rows, strict=True):
        assert line.startswith(row[0].ljust(width) + "  ")
        assert line.endswith("-")
    assert len({len(line) for line in lines}) == 1


@given(st.lists(st.text(st.sampled_from("ab "), max_size=5), min_size=1, max_size=6))
def test_indenting_can_be_undone_and_leaves_empty_lines_empty(lines: list[str]) -> None:
    text = "\n".join([*lines, "end"])

    written = indented(text).split("\n")

    assert [line.removeprefix("    ") for line in written] == text.split("\n")
    assert all(line == "" or line.startswith("    ") for line in written)


@settings(max_examples=examples(60))
@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=30))
def test_the_map_has_one_mark_a_cell_and_never_swaps_two(scores: list[float | None]) -> None:
    line = map_line(scores)

    assert len(line) == len(scores)
    drawn = [(score, BLOCKS.index(mark)) for score, mark in zip(scores, line, strict=True) if score is not None]
    assert all(mark == " " for score, mark in zip(scores, line, strict=True) if score is None)
    heights = [height for _, height in sorted(drawn)]
    assert heights == sorted(heights)
    if len({score for score, _ in drawn}) > 1 and max(s for s, _ in drawn) - min(s for s, _ in drawn) > 1e-300:
        assert {heights[0], heights[-1]} == {0, len(BLOCKS) - 1}


def test_scores_at_both_ends_of_all_floats_are_drawn() -> None:
    assert map_line([-1.7e308, 0.0, None, 1.7e308], blocks=ASCII_BLOCKS) == ".+ @"


STARTED = {"run": "runs/packing/20260102T030405Z-7", "problem": "packing", "workers": 16, "window": 64, "rng_seed": 7}
LATEST: Mapping[str, Any] = {
    "evaluations": 1234567,
    "elites": 999,
    "coverage": 0.999,
    "qd_score": -1.5e-7,
    "best_score": -1e-12,
    "best_id": 77,
    "failures": 12,
    "duplicates": 3,
    "in_flight": 64,
    "workers": 16,
    "seconds": 7000.0,
    "session_seconds": 7000.0,
    "evaluations_left": 10,
    "seconds_left": 200.0,
    "map_axis": "operations",
    "map_line": [float(number) if number % 3 else None for number in range(40)],
    "operators": {"mutate_a_long_name": {"iterations": 12, "kept": 5}, "漢字": {"iterations": 1, "kept": 0}},
}
IMPROVED = {"id": 77, "score": -1e-12, "operator": "mutate", "seconds": 6990.0, "metrics": {"漢字": 3.0}}


def busy() -> Progress:
    progress = Progress().after("started", STARTED)
    for number in range(9):
        progress = progress.after("warning", {"text": f"number {number} " + "long " * 30, "seconds": float(number)})
    return progress.after("improved", IMPROVED).after("progress", LATEST)


def screen(progress: Progress, *, width: int, blocks: str = BLOCKS) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=24, color_system=None, force_terminal=True, legacy_windows=False)
    console.print(picture(progress, blocks=blocks))
    return stream.getvalue().rstrip("\n").split("\n")


def columns(text: str) -> int:
    """How many columns a terminal needs; wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_the_picture_fits_any_screen_one_line_a_row(width: int) -> None:
    lines = screen(busy(), width=width)

    assert len(lines) == 11  # six rows and the five last events
    assert max(columns(line) for line in lines) <= width
    assert not any("\x1b" in line for line in lines)


def test_the_rows_have_their_labels_in_order_at_eighty_columns() -> None:
    lines = screen(busy(), width=80)

    assert [line.split()[0] for line in lines[:6]] == ["evolve", "best", "map", "speed", "budget", "operators"]
    assert lines[0].rstrip() == "evolve    packing, runs/packing/20260102T030405Z-7, seed 7"
    assert lines[1].startswith("best      -1e-12  candidate 77 by mutate, 10s ago")
    assert lines[5].rstrip() == "operators mutate_a_long_name 5/12  漢字 0/1"
    assert lines[10].startswith("   1h56m  improved  score -1e-12")


def test_without_block_characters_the_bar_and_the_map_are_ascii() -> None:
    lines = screen(busy(), width=60, blocks=ASCII_BLOCKS)

    assert lines[2].isascii()
    assert lines[4].isascii()
    assert lines[4].startswith("budget    @@@@@@@@@@@@@@@@@@@@ 100% spent")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "no budget set: stop with Ctrl-C"),
        ({"seconds_left": 0.0}, "0.0s left"),
        ({"seconds_left": -3.0, "evaluations_left": 1}, "0.0s left, 1 evaluation left"),
        ({"evaluations_left": 0, "target": 0.0}, "0 evaluations left, target 0"),
        ({"seconds_left": None, "evaluations_left": None, "target": None}, "no budget set: stop with Ctrl-C"),
    ],
)
def test_what_is_left_is_said_as_it_is(data: Mapping[str, Any], text: str) -> None:
    assert remaining(data) == text


@settings(max_examples=examples(40), deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*LATEST]),
        st.none() | st.just(0),
        max_size=6,
    )
)
def test_missing_and_zero_figures_of_a_report_never_stop_the_display(changes: dict[str, Any]) -> None:
    progress = busy().after("progress", {**LATEST, **changes, "operators": {}})

    assert screen(progress, width=80)[0].startswith("evolve")
    assert heartbeat(progress).startswith("running")


def test_plain_lines_never_hold_a_line_break_or_a_control() -> None:
    lines: list[str] = []
    display = PlainDisplay(lines.append, now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), clock=lambda: 0.0)
    progress = Progress()

    with display:
        for kind in ("started", "preparing", "seed", "improved", "warning", "stopping"):
            data = {"text": "a\nb\x1b[2J", "reason": "c\rd", "id": 1, "score": 1.0, "operator": "\x07\n"}
            data |= {"run": "r\nr", "problem": "\x9bp", "workers": 1, "window": 1, "rng_seed": 0}
            progress = progress.after(kind, data)
            display.show(kind, progress)

    assert len(lines) == 6
    assert all(line.startswith("2026-01-02T03:04:05Z  ") for line in lines)
    assert not any(is_dangerous(character) or character == "\n" for line in lines for character in line)


NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("host", ["here", "elsewhere"])
@pytest.mark.parametrize("alive", [True, False])
@pytest.mark.parametrize("age", [0.0, SILENT_AFTER_SECONDS - 1, SILENT_AFTER_SECONDS, 1e6])
def test_a_session_without_an_end_is_judged_by_its_process_here_and_by_its_heartbeat_elsewhere(
    host: str, alive: bool, age: float
) -> None:
    session = {
        "stopped_by": None,
        "host": host,
        "pid": 1,
        "heartbeat": (NOW - timedelta(seconds=age)).isoformat(),
    }

    state = run_state([session], now=NOW, host="here", is_alive=lambda *_: alive)

    if host == "here":
        assert state == ("running" if alive else "crashed")
    else:
        assert state == ("running" if age < SILENT_AFTER_SECONDS else "silent")


@pytest.mark.parametrize("value", ["", "0", "false"])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_only_a_ci_that_says_yes_counts_as_ci(value: str, is_terminal: bool) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

    assert is_live_terminal(Stream(), {"CI": value, "TERM": "xterm"}) is is_terminal
    assert not is_live_terminal(Stream(), {"CI": "1", "TERM": "xterm"})
