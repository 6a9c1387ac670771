"""Widgets that draw lines of text: a canvas that fits its size, and a scroll through as many lines as there are."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from evolve.dashboard.palette import DIM, Painter

Draw = Callable[[int, int], Sequence[Text]]
"""Draws a picture of some width and height; lines beyond the height are cut off."""

FOUND = Style(reverse=True)


def strip_of(widget: Widget, line: Text, width: int, *, left: int = 0) -> Strip:
    """One line of text as Textual draws it, cut at both sides."""
    look = getattr(widget.app, "look", None)
    if isinstance(look, Painter):
        line = look.spoken(line)
    segments = list(line.render(widget.app.console))
    return Strip(segments).crop_extend(left, left + width, None)


class Label(Static):
    """One line of text, cut where it is too long."""

    DEFAULT_CSS = "Label { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }"

    _line: Text | None = None

    def put(self, line: Text) -> None:
        """Show another line; the same one again draws nothing."""
        if line == self._line:
            return
        self._line = line
        look = getattr(self.app, "look", None)
        self.update(look.spoken(line) if isinstance(look, Painter) else line)


class Canvas(Widget):
    """A picture drawn anew for whatever size it has."""

    DEFAULT_CSS = "Canvas { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 the name that Textual has for it
        super().__init__(id=id)
        self._draw: Draw = lambda _width, _height: [Text("reading the run …", style=DIM)]
        self._lines: Sequence[Text] | None = None
        self._drawn_at = Size(0, 0)

    def paint(self, draw: Draw) -> None:
        """Take another picture."""
        self._draw = draw
        self._lines = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the picture."""
        if self._lines is None or self._drawn_at != self.size:
            self._lines = self._draw(self.size.width, self.size.height)
            self._drawn_at = self.size
        return strip_of(self, self._lines[y] if y < len(self._lines) else Text(), self.size.width)

    def text_lines(self) -> list[str]:
        """What is to be seen, for tests and for search."""
        return [line.plain for line in self._lines or ()]


class Lines(ScrollView, can_focus=True):
    """Many lines to scroll through and to search."""

    DEFAULT_CSS = "Lines { height: 1fr; width: 1fr; scrollbar-size: 1 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
        Binding("greater_than_sign", "sideways(1)", show=False),
        Binding("less_than_sign", "sideways(-1)", show=False),
        Binding("n", "next_match(1)", show=False),
        Binding("N", "next_match(-1)", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 the name that Textual has for it
        super().__init__(id=id)
        self._lines: Sequence[Text] = [Text("reading the run …", style=DIM)]
        self._needle = ""
        self._matches: list[int] = []
        self._matching: frozenset[int] = frozenset()

    @property
    def needle(self) -> str:
        """What is searched for."""
        return self._needle

    def on_mount(self) -> None:
        """Take the size of the first lines."""
        self._measure()

    def put(self, lines: Sequence[Text], *, keep_place: bool = False) -> None:
        """Show other lines, from the top unless the place is to be kept."""
        self._lines = lines
        self._measure()
        if not keep_place:
            self.scroll_to(0, 0, animate=False)
        self._match()
        self.refresh()

    def _measure(self) -> None:
        width = max((cell_len(line.plain) for line in self._lines), default=0)
        self.virtual_size = Size(width, len(self._lines))

    def render_line(self, y: int) -> Strip:
        """One line of what is in view."""
        left, top = self.scroll_offset
        place = top + y
        if place >= len(self._lines):
            return Strip.blank(self.size.width)
        line = self._lines[place]
        if place in self._matching:
            line = line.copy()
            start = line.plain.lower().find(self._needle)
            while start >= 0:
                line.stylize(FOUND, start, start + len(self._needle))
                start = line.plain.lower().find(self._needle, start + len(self._needle))
        return strip_of(self, line, self.size.width, left=left)

    def search(self, text: str) -> int:
        """Mark a text wherever it stands and go to the first place; returns how many lines hold it."""
        self._needle = text.lower()
        self._match()
        if self._matches:
            self._go_to(self._matches[0])
        self.refresh()
        return len(self._matches)

    def _match(self) -> None:
        needle = self._needle
        self._matches = [place for place, line in enumerate(self._lines) if needle in line.plain.lower()] * bool(needle)
        self._matching = frozenset(self._matches)

    def action_sideways(self, direction: int) -> None:
        """Scroll by half a screen to the right or to the left."""
        self.scroll_to(x=max(self.scroll_x + direction * (self.size.width // 2), 0), animate=False, force=True)

    def action_next_match(self, step: int) -> None:
        """Go to the next line that holds what is searched for; after the last comes the first."""
        if not self._matches:
            return
        here = round(self.scroll_y)
        if step > 0:
            wanted = next((place for place in self._matches if place > here), self._matches[0])
        else:
            wanted = next((place for place in reversed(self._matches) if place < here), self._matches[-1])
        self._go_to(wanted)

    def _go_to(self, place: int) -> None:
        self.scroll_to(y=place, animate=False, force=True)

    def text_lines(self) -> list[str]:
        """All lines as plain text."""
        return [line.plain for line in self._lines]
