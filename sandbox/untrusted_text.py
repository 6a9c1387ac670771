"""Text that a candidate wrote, made safe to show."""

import re

MAX_DETAIL = 4000
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)


def tame(text: str, *, max_length: int = MAX_DETAIL) -> str:
    """Drop what steers terminals or hides in print, and keep the end when the text is too long."""
    text = _UNSEEN.sub("", text)
    if len(text) > max_length:
        text = ("... " + text[len(text) - max_length + 4 :])[:max_length]
    return text
