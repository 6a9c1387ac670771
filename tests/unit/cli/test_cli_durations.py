import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.cli.durations import duration_option, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        ("2m", 120.0),
        ("1h30m", 5400.0),
        ("1d2h3m4s", 93784.0),
        ("0.5h", 1800.0),
        (" 2M ", 120.0),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5", "5x", "30m1h", "2 minutes", "m", "1e3", "nan", "inf", "9" * 400])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="2m, 1h30m"):
        parse_duration(text)


@given(st.floats(min_value=0.1, max_value=1e7))
def test_a_written_duration_reads_back_within_its_last_unit(seconds: float) -> None:
    again = parse_duration(format_duration(seconds))

    coarse = 0.05 if seconds < 10 else 0.5 if seconds < 3600 else 60 if seconds < 86400 else 3600
    assert abs(again - seconds) <= coarse + 1e-9


def test_short_and_long_durations_keep_two_units() -> None:
    assert [format_duration(each) for each in (-1.0, 0.44, 59.4, 125.0, 5400.0, 183600.0)] == [
        "0.0s",
        "0.4s",
        "59s",
        "2m05s",
        "1h30m",
        "2d03h",
    ]


def test_a_duration_option_turns_a_wrong_text_into_a_usage_error() -> None:
    parameter = click.Option(["--time"])
    context = click.Context(click.Command("x"))

    assert duration_option(context, parameter, None) is None
    assert duration_option(context, parameter, "2m") == 120.0
    with pytest.raises(click.BadParameter, match="not a duration"):
        duration_option(context, parameter, "soon")
