"""Untrusted text made safe to show: nothing in it can be obeyed by a terminal or hide other text."""

import re

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
