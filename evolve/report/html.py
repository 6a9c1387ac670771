"""HTML and SVG, written so that untrusted text stays text.

Why not a template engine: its escaping knows `<` and `&`, but not terminal escapes, bidirectional marks or NULs, and it
has to be right in every template. Here every `str` is cleaned and escaped on its way in; only `Html` passes as it is,
and only this module makes `Html` from anything but `Html`.
"""

import re
from collections.abc import Iterable
from html import escape

from evolve.view.text import clean

_VOID = frozenset({"meta", "br", "hr", "col"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | None | Iterable["Child"]
Value = str | int | float | bool | None


def tag(name: str, /, *children: "Child", **attributes: Value) -> Html:
    """An element. Names in Python's spelling: `class_` is `class`, `stroke_width` is `stroke-width`.

    Children are text (escaped), `Html`, iterables of these, or None for nothing. An attribute that is None or False is
    left out, True stands without a value.
    """
    opening = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{joined(children)}</{name}>")


def joined(child: "Child") -> Html:
    """Children one after the other."""
    if child is None:
        return Html("")
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        return Html(escape(clean(child)))
    return Html("".join(joined(each) for each in child))


def visible(text: str) -> Html:
    """Text of a program or a message: what could be obeyed or hide something stands out as its escape."""
    text = text.replace("\r\n", "\n")
    odd = "".join(each for each in sorted(set(text)) if clean(each) != each)
    if not odd:
        return joined(text)
    pieces = re.split(f"([{re.escape(odd)}]+)", text)
    return joined(
        tag("span", piece, class_="odd") if place % 2 else Html(escape(piece)) for place, piece in enumerate(pieces)
    )


def cut(text: str, most: int) -> str:
    """The text, or its beginning with a note on how much is missing."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def _attribute(key: str, value: Value) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    written = number(value) if isinstance(value, int | float) else escape(clean(value))
    return f' {name}="{written}"'


def number(value: float) -> str:
    """A coordinate, to a hundredth."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
