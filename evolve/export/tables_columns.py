"""Columns and rows of an exported table, and how single values are written exactly or harmlessly."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from evolve.view.text import clean

Row = tuple[Any, ...]

_SURROGATE = re.compile("[\ud800-\udfff]")
_FORMULA_MARKS = "=+-@\uff1d\uff0b\uff0d\uff20\t"
"""What a spreadsheet takes for the beginning of a formula, the full-width forms too."""


class Kind(Enum):
    """What a column holds; every value may also be None."""

    INTEGER = "integer"
    REAL = "real"
    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGERS = "integers"  # a list, as of parents
    DATA = "data"  # JSON data


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and what it holds."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns, and rows that are read while they are consumed: once."""

    columns: tuple[Column, ...]
    rows: Iterator[Row]


def strict_data(value: Any) -> Any:
    """JSON data without what strict JSON lacks: numbers that are not finite become text that `float` reads."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, Mapping):
        return {str(key): strict_data(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [strict_data(each) for each in value]
    return value


def json_text(value: Any) -> str:
    """One line of strict JSON in plain ASCII: every text comes back exactly, none can do harm on a terminal."""
    return json.dumps(strict_data(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def without_surrogates(text: str) -> str:
    r"""The text as UTF-8 can carry it: a lone surrogate becomes an escape such as `\ud800`."""
    return _SURROGATE.sub(_visible, text)


def spreadsheet_text(text: str) -> str:
    r"""Text that no spreadsheet takes for a formula and no terminal obeys.

    Control characters and marks that reorder text become escapes such as `\x1b`; what would begin a formula gets an
    apostrophe in front.
    """
    if text.isascii() and text.isalnum():
        return text  # most words of a table: nothing to look for
    harmless = clean(text)
    return f"'{harmless}" if harmless.lstrip()[:1] in tuple(_FORMULA_MARKS) or harmless[:1] == "\t" else harmless


def _visible(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
