"""What an evaluator returned, as plain data that can leave the process: numbers, flags and bounded texts with names."""

import math
import numbers
from collections.abc import Mapping
from typing import Any

MAX_ENTRIES = 400
MAX_TEXT = 4000
MAX_NAME = 120
MAX_DEPTH = 4

NUMBER, FLAG, ODD, TEXT = "number", "flag", "odd", "text"

Entry = list[Any]
"""`[name, kind, value]`; the value of `ODD`, a number that is not finite, is its text."""


def entries_of(values: Any) -> list[Entry]:
    """The entries of a mapping, nested ones with a dot in their names; what is no mapping has none."""
    found: list[Entry] = []
    _collect("", values, found, 0)
    return found[:MAX_ENTRIES]


def entry_of(name: str, value: Any) -> Entry:
    """One value with its name and kind."""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return [name, FLAG, bool(value)]
    number = _number(value)
    if number is None:
        return [name, TEXT, text_of(value)]
    return [name, NUMBER, number] if math.isfinite(number) else [name, ODD, str(number)]


def text_of(value: Any, limit: int = MAX_TEXT) -> str:
    """A bounded text for anything, whatever its own methods do."""
    try:
        if isinstance(value, bytes | bytearray):
            text = bytes(value[: 4 * limit]).decode("utf-8", "replace")
        else:
            text = value if isinstance(value, str) else str(value)
        text = str.encode(text[: 4 * limit], "utf-8", "backslashreplace").decode()
    except BaseException as error:  # noqa: BLE001 a hostile __str__ may raise anything
        return f"<{type(value).__name__}, whose text raises {type(error).__name__}>"
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n...\n{text[-half:]}"


def kind_of(value: Any) -> str:
    """The name of a value's type, for messages."""
    return "nothing" if value is None else f"a {type(value).__name__}"


def _collect(prefix: str, values: Any, found: list[Entry], depth: int) -> None:
    if not isinstance(values, Mapping) or len(found) > MAX_ENTRIES:
        return
    for key, value in values.items():
        name = f"{prefix}{text_of(key, MAX_NAME)}"
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            _collect(f"{name}.", value, found, depth + 1)
        else:
            found.append(entry_of(name, value))
        if len(found) > MAX_ENTRIES:
            return


def _number(value: Any) -> float | None:
    """The value as a float if it is one number, of Python or of numpy."""
    if isinstance(value, numbers.Real):
        try:
            return float(value)
        except OverflowError:
            return math.copysign(math.inf, 1 if value > 0 else -1)  # type: ignore[operator]
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return _number(value.item())
    return None
