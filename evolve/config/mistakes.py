"""A mistake in a file that a person wrote: its key, what was got, what was expected, and the nearest right word."""

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

GOT_WIDTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake. `key` is written as in the file: `archive.axes[1].low`. `got` is empty for a missing key."""

    key: str
    expected: str
    got: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """One line: `key: got …, expected …; did you mean …?`."""
        found = f"got {self.got}, " if self.got else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.key}: {found}expected {self.expected}{hint}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "…"?` for the nearest known word, or an empty text when none is near."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.6)
    return f'did you mean "{by_lower[near[0]]}"?' if near else ""


def one_of(words: Sequence[str]) -> str:
    """`"a", "b" or "c"`."""
    quoted = [f'"{word}"' for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def shown(value: Any) -> str:
    """The value as it would be written in the file, shortened to one line."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = str(value)
    except ValueError:
        text = "a number of thousands of digits"
    text = " ".join(text.split())
    return text if len(text) <= GOT_WIDTH else text[: GOT_WIDTH - 1] + "…"


def listing(mistakes: Sequence[Mistake]) -> str:
    """All mistakes, one indented line each."""
    return "\n".join(f"  {mistake}" for mistake in mistakes)
