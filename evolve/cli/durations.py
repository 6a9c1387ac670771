"""Durations as people write them: 90, 90s, 2m, 1h30m."""

import math
import re

import click

from evolve.view.durations import format_duration

__all__ = ["duration_option", "format_duration", "parse_duration"]

_UNIT_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_PART = r"(?:(\d+(?:\.\d+)?){unit})?"
_WITH_UNITS = re.compile("".join(_PART.format(unit=unit) for unit in _UNIT_SECONDS))
_BARE = re.compile(r"\d+(?:\.\d+)?")
_HELP = "write seconds (90) or numbers with units d, h, m, s from large to small: 90s, 2m, 1h30m"


def parse_duration(text: str) -> float:
    """Read a duration in seconds.

    Raises:
        ValueError: the text is not a positive duration; the message says how one is written.
    """
    written = text.strip().lower()
    if _BARE.fullmatch(written):
        seconds = float(written)
    else:
        match = _WITH_UNITS.fullmatch(written)
        if not written or match is None:
            raise ValueError(f"{text!r} is not a duration: {_HELP}")
        parts = zip(match.groups(), _UNIT_SECONDS.values(), strict=True)
        seconds = sum(float(number) * unit for number, unit in parts if number)
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError(f"{text!r} is not a duration longer than zero: {_HELP}")
    return seconds


def duration_option(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Read an option's duration in seconds (a click callback); a wrong text becomes a usage error."""
    if value is None:
        return None
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx=context, param=parameter) from error
