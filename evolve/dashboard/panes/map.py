"""The archive as a map: two of its axes, a colour for each cell, a cursor that opens elites."""

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from evolve.dashboard.lines import Canvas
from evolve.dashboard.mapping import COLOURINGS, Window, map_lines
from evolve.dashboard.palette import DIM
from evolve.dashboard.pane import Hint, Pane, Question
from evolve.view.map import ArchiveMap, archive_map
from evolve.view.run import RunView
from evolve.view.shape import archive_shape

_NOWHERE = "this run does not tell the axes of its archive"


class MapPane(Pane):
    """Arrow keys move the cursor over the cells, Enter opens the elite below it."""

    title = "map"
    hints: ClassVar[tuple[Hint, ...]] = (
        ("arrows", "move"),
        ("enter", "open"),
        ("x y", "axes"),
        ("v", "colour"),
        ("b", "best"),
        ("space", "mark"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1, 0)", show=False),
        Binding("right,l", "move(1, 0)", show=False),
        Binding("up,k", "move(0, 1)", show=False),
        Binding("down,j", "move(0, -1)", show=False),
        Binding("home", "move(-9999, 0)", show=False),
        Binding("end", "move(9999, 0)", show=False),
        Binding("pageup", "move(0, 10)", show=False),
        Binding("pagedown", "move(0, -10)", show=False),
        Binding("enter", "open", show=False),
        Binding("x", "axis('x')", show=False),
        Binding("y", "axis('y')", show=False),
        Binding("v", "colouring", show=False),
        Binding("b", "best", show=False),
    ]

    def compose(self) -> ComposeResult:
        """One picture."""
        canvas = Canvas(id="map-canvas")
        canvas.can_focus = True
        yield canvas

    def on_mount(self) -> None:
        """Begin with the first two axes, coloured by score."""
        self._x, self._y = 0, 1
        self._colouring = 0
        self._cursor: tuple[int, int] | None = None
        self._map: ArchiveMap | None = None
        self._window = Window()

    def question(self) -> Question:
        """The map along the axes chosen now."""
        x, y = self._x, self._y

        def ask(view: RunView) -> ArchiveMap | None:
            shape = archive_shape(view)
            return None if shape is None else archive_map(view, shape, x=x, y=y)

        return ask

    def show(self, answer: object) -> None:
        """Draw it; the cursor begins on the best cell."""
        self._map = answer if isinstance(answer, ArchiveMap) else None
        if self._map is not None and self._cursor is None:
            self._cursor = _best_of(self._map)
        self._paint()

    def _paint(self) -> None:
        found, canvas = self._map, self.query_one(Canvas)
        if found is None:
            canvas.paint(lambda _width, _height: [Text(_NOWHERE, style=DIM)])
            return
        colouring, cursor, window = COLOURINGS[self._colouring], self._cursor, self._window
        canvas.paint(lambda width, height: map_lines(found, colouring, cursor, (width, height), window, self.look))

    @property
    def candidate(self) -> int | None:
        """The elite under the cursor."""
        if self._map is None or self._cursor is None:
            return None
        cell = self._map.cells.get(self._cursor)
        return None if cell is None else cell.candidate

    def action_move(self, right: int, up: int) -> None:
        """Move the cursor; it stops at the edges."""
        if self._map is None:
            return
        x, y = self._cursor or (0, 0)
        self._cursor = (
            min(max(x + right, 0), self._map.n_columns - 1),
            min(max(y + up, 0), self._map.n_rows - 1),
        )
        self._paint()

    def action_open(self) -> None:
        """Open the elite under the cursor."""
        if self.candidate is not None:
            self.post_message(self.Open(self.candidate))
        else:
            self.say("this cell is empty")

    def action_best(self) -> None:
        """Put the cursor on the best cell."""
        if self._map is not None:
            self._cursor = _best_of(self._map)
            self._paint()

    def action_axis(self, which: str) -> None:
        """Take the next axis for one of the two directions; the other gives way."""
        if self._map is None or len(self._map.shape.axes) < 2:
            self.say("this archive has one axis only")
            return
        n_axes = len(self._map.shape.axes)
        if which == "x":
            before, self._x = self._x, (self._x + 1) % n_axes
            self._y = before if self._y == self._x else self._y
        else:
            before, self._y = self._y, (self._y + 1) % n_axes
            self._x = before if self._x == self._y else self._x
        self._cursor = None
        self.stale()

    def action_colouring(self) -> None:
        """Colour the cells by the next property."""
        self._colouring = (self._colouring + 1) % len(COLOURINGS)
        self._paint()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; twice opens the elite."""
        place = self._window.cell_at(event.x, event.y)
        if place is not None:
            self._cursor = place
            self._paint()
            if event.chain == 2:
                self.action_open()

    def take_focus(self) -> None:
        """The picture has the keys."""
        self.query_one(Canvas).focus()


def _best_of(found: ArchiveMap) -> tuple[int, int] | None:
    cells = found.cells
    return max(cells, key=lambda place: (cells[place].score, -cells[place].candidate)) if cells else None
