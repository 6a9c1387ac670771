"""Programs as text with colours for words, numbers and comments; differences with marks for what came and went."""

from collections.abc import Callable
from functools import cache
from typing import Any

from evolve.report.html import Child, Html, joined, tag, visible

LINES_MOST = 400
LINE_CHARACTERS_MOST = 2_000
CHARACTERS_MOST = 24_000
HTML_MOST = 120_000

_CLASS_OF = (
    ("Token.Comment", "k-comment"),
    ("Token.Literal.String", "k-string"),
    ("Token.Literal.Number", "k-number"),
    ("Token.Keyword", "k-word"),
    ("Token.Operator.Word", "k-word"),
    ("Token.Name.Function", "k-name"),
    ("Token.Name.Class", "k-name"),
)


def shortened(text: str) -> str:
    """As much of a text as a page shows."""
    lines = text[:CHARACTERS_MOST].split("\n")[:LINES_MOST]
    limit = LINE_CHARACTERS_MOST
    return "\n".join(line if len(line) <= limit else f"{line[:limit]}…" for line in lines)


def code(text: str) -> Html:
    """A Python program with highlighted syntax. Whatever the text is, nothing in it is obeyed."""
    return _shown(text, _highlighted)


def difference(text: str) -> Html:
    """A unified diff."""
    return _shown(text, _marked)


def plain(text: str) -> Html:
    """Any other text as it is, in lines."""
    return _shown(text, visible)


def _shown(text: str, make: Callable[[str], Child]) -> Html:
    """A block of text; of one that would take too much room on the page (escapes are long) less is shown."""
    whole = text.rstrip("\n")
    shown = shortened(whole)
    made = joined(make(shown))
    while len(made) > HTML_MOST:
        shown = shown[: len(shown) // 2]
        made = joined(make(shown))
    rest = "" if shown == whole else f"(only the beginning of {len(whole):,} characters is shown)"
    note = tag("p", rest, class_="note") if rest else None
    return tag("div", tag("pre", tag("code", made, class_="code")), note)


def _marked(text: str) -> list[Html]:
    return [tag("span", visible(line), "\n", class_=_diff_class(line)) for line in text.split("\n")]


def _diff_class(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "d-file"
    return {"+": "d-new", "-": "d-old", "@": "d-place"}.get(line[:1], "d-same")


def _highlighted(text: str) -> list[Html]:
    parts: list[Html] = []
    held, style = "", ""
    for kind, value in _lexer().get_tokens(text):
        now = _class_of(kind)
        if now != style and held:
            parts.append(_piece(held, style))
            held = ""
        held, style = held + value, now
    parts.append(_piece(held.rstrip("\n"), style))
    return parts


@cache
def _class_of(kind: Any) -> str:
    return next((name for prefix, name in _CLASS_OF if str(kind).startswith(prefix)), "")


def _piece(text: str, style: str) -> Html:
    return tag("span", visible(text), class_=style) if style else visible(text)


@cache
def _lexer() -> Any:
    from pygments.lexers.python import PythonLexer

    return PythonLexer(stripnl=False, ensurenl=False)
