"""A table with a cursor. It draws only the rows in view and lays its columns out for the width it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from evolve.dashboard.columns import Cell, Column, Layout
from evolve.dashboard.lines import strip_of
from evolve.dashboard.palette import CURSOR, DIM, PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row; `key` is what it stands for. `note` is written before it in one column (a mark)."""

    key: object
    cells: tuple[Cell, ...]
    style: Style = PLAIN
    note: str = " "


class Listing(ScrollView, can_focus=True):
    """Rows under titles. Says why it is empty when it is."""

    DEFAULT_CSS = "Listing { height: 1fr; width: 1fr; scrollbar-size: 1 1; overflow-x: hidden; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "move(-1000000000)", show=False),
        Binding("end,G", "move(1000000000)", show=False),
        Binding("enter", "open", show=False),
    ]

    class Opened(Message):
        """Enter was pressed, or a row was clicked twice."""

        def __init__(self, listing: "Listing", key: object) -> None:
            super().__init__()
            self.listing = listing
            self.key = key

        @property
        def control(self) -> "Listing":
            """The listing."""
            return self.listing

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, listing: "Listing", key: object) -> None:
            super().__init__()
            self.listing = listing
            self.key = key

    class Edge(Message):
        """The cursor was moved beyond the first (-1) or last (1) row."""

        def __init__(self, listing: "Listing", direction: int) -> None:
            super().__init__()
            self.listing = listing
            self.direction = direction

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 the name that Textual has for it
        super().__init__(id=id)
        self._columns: Sequence[Column] = ()
        self._rows: Sequence[Row] = ()
        self._layout: Layout | None = None
        self._laid_out_for = -1
        self._empty = "reading the run …"
        self._descending = True
        self.cursor = 0

    def put(self, columns: Sequence[Column], rows: Sequence[Row], *, empty: str, descending: bool = True) -> None:
        """Show other rows. The cursor stays on the row with its key if that is still there."""
        key = self.key
        self._columns, self._rows, self._empty, self._descending = columns, rows, empty, descending
        places = [place for place, row in enumerate(rows) if row.key == key] if key is not None else []
        self.cursor = places[0] if places else min(self.cursor, max(len(rows) - 1, 0))
        self._layout = None
        self.virtual_size = Size(self.size.width, len(rows) + 1)
        self._follow()
        self.refresh()

    @property
    def key(self) -> object | None:
        """What the row under the cursor stands for; None without rows."""
        return self._rows[self.cursor].key if self.cursor < len(self._rows) else None

    def choose(self, key: object) -> bool:
        """Put the cursor on the row of this key if there is one."""
        for place, row in enumerate(self._rows):
            if row.key == key:
                self._move_to(place)
                return True
        return False

    def move_to_edge(self, direction: int) -> None:
        """Put the cursor on the first (1) or the last (-1) row, as after turning a page."""
        self._move_to(0 if direction > 0 else len(self._rows) - 1)

    def render_line(self, y: int) -> Strip:
        """The titles on the first line, below them the rows in view."""
        width = self.scrollable_content_region.width
        layout = self._layout_for(width - 1)
        if y == 0:
            line = layout.header(descending=self._descending) if self._rows else Text(self._empty, style=DIM)
            return strip_of(self, Text.assemble(" ", line), width)
        place = round(self.scroll_y) + y - 1
        if not 0 <= place < len(self._rows):
            return Strip.blank(width)
        row = self._rows[place]
        is_here = place == self.cursor
        line = Text.assemble((row.note, row.style), layout.row(row.cells, style=row.style))
        line.pad_right(max(width - line.cell_len, 0))
        if is_here:  # in one colour: reversed, each of its own would be a patch
            line = Text(line.plain, style=CURSOR if self.has_focus else Style(underline=True))
        return strip_of(self, line, width)

    def _layout_for(self, width: int) -> Layout:
        if self._layout is None or self._laid_out_for != width:
            self._layout = Layout(self._columns, [row.cells for row in self._rows], width)
            self._laid_out_for = width
        return self._layout

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._follow()

    def action_move(self, step: int) -> None:
        """Move the cursor; beyond the ends says so."""
        wanted = self.cursor + step
        if abs(step) == 1 and not 0 <= wanted < len(self._rows):
            self.post_message(self.Edge(self, step))
        self._move_to(wanted)

    def action_page(self, direction: int) -> None:
        """Move the cursor by what is in view."""
        wanted = self.cursor + direction * max(self.size.height - 2, 1)
        at_end = self.cursor == (len(self._rows) - 1 if direction > 0 else 0)
        if at_end:
            self.post_message(self.Edge(self, direction))
        self._move_to(wanted)

    def _move_to(self, place: int) -> None:
        place = min(max(place, 0), max(len(self._rows) - 1, 0))
        if place != self.cursor:
            self.cursor = place
            self.post_message(self.Moved(self, self.key))
        self._follow()
        self.refresh()

    def _follow(self) -> None:
        """Scroll so that the cursor is in view; the titles take one line."""
        room = max(self.size.height - 1, 1)
        top = round(self.scroll_y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + room:
            self.scroll_to(y=self.cursor - room + 1, animate=False, force=True)

    def action_open(self) -> None:
        """Open what the row under the cursor stands for."""
        if self.key is not None:
            self.post_message(self.Opened(self, self.key))

    def on_click(self, event: events.Click) -> None:
        """Choose a row; twice opens it."""
        place = round(self.scroll_y) + event.y - 1
        if event.y > 0 and place < len(self._rows):
            self._move_to(place)
            if event.chain == 2:
                self.action_open()

    def text_lines(self) -> list[str]:
        """Titles and rows as plain text."""
        layout = self._layout_for(max(self.size.width - 1, 20))
        return [layout.header().plain, *(layout.row(row.cells).plain for row in self._rows)]
