"""What may reach a terminal: text without control characters, and where a live display makes sense."""

import os
from collections.abc import Mapping
from typing import IO

from evolve.view.text import clean, clean_line

__all__ = ["clean", "clean_line", "is_live_terminal", "speaks_unicode"]


def is_live_terminal(stream: IO[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a moving display belongs on the stream: a terminal that can move its cursor, outside CI."""
    if environment.get("TERM", "") == "dumb" or environment.get("CI", "") not in ("", "0", "false"):
        return False
    return stream.isatty()


def speaks_unicode(stream: IO[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Whether block characters can be written to the stream and are seen; the console of Linux has no font for them."""
    if environment.get("TERM") == "linux":
        return False
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") in ("utf8", "utf16", "utf32")
