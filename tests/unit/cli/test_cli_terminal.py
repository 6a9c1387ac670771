import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.cli.figures import figure, table
from evolve.cli.output import Output, plain_data
from evolve.cli.terminal import clean, clean_line, is_live_terminal, speaks_unicode

FORBIDDEN = {*range(0x20), 0x7F, *range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {0x09, 0x0A}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(st.text(st.characters()) | st.text(st.sampled_from("\x1b[]\x07\x9bm0;\r\nab")))
def test_clean_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    cleaned = clean(text)

    assert not FORBIDDEN & {ord(character) for character in cleaned}
    cleaned.encode("utf-8")


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.sampled_from("\n\té漢🙂")))
def test_harmless_text_is_left_as_it_is(text: str) -> None:
    assert clean(text) == text


def test_an_escape_sequence_is_shown_instead_of_obeyed() -> None:
    assert clean("a\x1b[31mb\x07\x9b\x7f") == r"a\x1b[31mb\x07\x9b\x7f"


def test_a_carriage_return_cannot_overwrite_a_line_but_windows_newlines_are_newlines() -> None:
    assert clean("ok\rbad\r\nnext") == "ok\\rbad\nnext"


def test_a_line_stays_one_line() -> None:
    assert clean_line("a\nb\tc") == "a b c"


@pytest.mark.parametrize(
    ("environment", "live"),
    [
        ({}, True),
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({"CI": "true"}, False),
        ({"CI": "false"}, True),
    ],
)
def test_a_live_display_is_for_terminals_outside_ci(environment: dict[str, str], live: bool) -> None:
    assert is_live_terminal(Terminal(), environment) is live
    assert not is_live_terminal(io.StringIO(), environment)


def test_the_encoding_of_a_stream_decides_about_block_characters() -> None:
    assert speaks_unicode(io.TextIOWrapper(io.BytesIO(), encoding="UTF-8"), {})
    assert not speaks_unicode(io.TextIOWrapper(io.BytesIO(), encoding="ascii"), {})
    assert not speaks_unicode(io.StringIO(), {})


def test_the_console_of_linux_gets_no_block_characters() -> None:
    assert not speaks_unicode(io.TextIOWrapper(io.BytesIO(), encoding="UTF-8"), {"TERM": "linux"})


def test_json_is_strict_and_carries_what_a_run_reports(capsys: pytest.CaptureFixture[str]) -> None:
    data: dict[str, Any] = {
        "nan": float("nan"),
        "infinite": -np.inf,
        "numpy": np.float64(0.5),
        "count": np.int64(3),
        "path": Path("a/b"),
        "list": (1, True, None, "\ud800\x1b"),
        "schema": "from the data",
    }

    Output(as_json=True).line("evolve.test/1", data)

    written = capsys.readouterr().out
    assert written.isascii()
    assert "\x1b" not in written
    assert json.loads(written) == {
        "schema": "evolve.test/1",
        "nan": None,
        "infinite": None,
        "numpy": 0.5,
        "count": 3,
        "path": "a/b",
        "list": [1, True, None, "\ud800\x1b"],
    }


def test_data_that_json_cannot_carry_is_an_error_not_a_guess() -> None:
    assert plain_data({2: (1,)}) == {"2": [1]}
    with pytest.raises(TypeError, match="no JSON for object"):
        plain_data(object())


def test_peoples_text_goes_to_stderr_when_scripts_read_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).say("for people \x1b")
    Output(as_json=False).say("on stdout")

    captured = capsys.readouterr()
    assert captured.err == "for people \\x1b\n"
    assert captured.out == "on stdout\n"


def test_figures_are_short() -> None:
    assert [figure(value) for value in (None, 1234567, 0.000123456789, 2.0, -0.0, True, "a\x1bb", float("inf"))] == [
        "-",
        "1,234,567",
        "0.000123457",
        "2",
        "0",
        "True",
        r"a\x1bb",
        "inf",
    ]


def test_table_columns_line_up() -> None:
    assert table(("name", "n"), [["long name", 5], ["x", 1000]]) == [
        "name           n",
        "long name      5",
        "x          1,000",
    ]
