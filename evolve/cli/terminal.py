"""What may reach a terminal: text without control characters, and where a live display makes sense."""

import os
import re
from collections.abc import Mapping
from typing import IO

# Everything a terminal might obey or hide: C0 and C1 controls but tab and newline, DEL, marks that reorder or hide
# text (bidirectional controls, zero-width characters), line separators, and surrogates, which cannot be encoded.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)


def clean(text: str) -> str:
    r"""Make untrusted text safe to print: what a terminal could obey is shown as an escape such as `\x1b`."""
    return _UNSAFE.sub(_visible, text.replace("\r\n", "\n"))


def clean_line(text: str) -> str:
    """Make untrusted text safe to print inside one line: newlines and tabs become spaces."""
    return clean(text.replace("\n", " ").replace("\t", " "))


def _visible(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


def is_live_terminal(stream: IO[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a moving display belongs on the stream: a terminal that can move its cursor, outside CI."""
    if environment.get("TERM", "") == "dumb" or environment.get("CI", "") not in ("", "0", "false"):
        return False
    return stream.isatty()


def speaks_unicode(stream: IO[str]) -> bool:
    """Whether block characters can be written to the stream."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") in ("utf8", "utf16", "utf32")
