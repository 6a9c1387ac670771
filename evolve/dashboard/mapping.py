"""Draws the map of an archive: cells as coloured blocks, or as digits and letters where there is no colour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from evolve.dashboard.columns import fitted
from evolve.dashboard.palette import BOLD, DIM, Painter
from evolve.view.figures import figure
from evolve.view.map import ArchiveMap, MapCell
from evolve.view.text import clean_line

MAX_CELL_WIDTH, MAX_CELL_HEIGHT = 7, 2
FIGURE_WIDTH = 5
"""Cells at least so wide have their value written in them."""
MAX_LABEL = 10
HEAD, FOOT = 1, 5
"""Lines above the map, and below it: the horizontal scale, two about the cursor's cell, a note, the legend."""

Place = tuple[int, int]
Painting = Callable[[MapCell], tuple[str, Style]]


@dataclass(frozen=True, slots=True)
class Colouring:
    """What the colour of a cell says. Without `value_of` it is the operator."""

    name: str
    value_of: Callable[[MapCell], float] | None = None


COLOURINGS = (
    Colouring("score", lambda cell: cell.score),
    Colouring("age", lambda cell: float(cell.iteration)),
    Colouring("operator"),
    Colouring("elites", lambda cell: float(cell.n_elites)),
)


@dataclass(slots=True)
class Window:
    """Which part of the map is on the screen, and where; remembered from one drawing to the next."""

    left: int = 0
    bottom: int = 0
    columns: int = 1
    rows: int = 1
    cell_width: int = 1
    cell_height: int = 1
    margin: int = 0

    def fit(self, found: ArchiveMap, cursor: Place | None, width: int, height: int) -> None:
        """Make cells as wide as there is room; a map larger than the screen is cut out around the cursor."""
        self.margin = min(max((cell_len(label) for label in _row_labels(found)), default=0), MAX_LABEL) + 2
        room = max(width - self.margin, 1)
        self.cell_width = min(max(room // found.n_columns, 1), MAX_CELL_WIDTH)
        self.columns = min(room // self.cell_width, found.n_columns)
        room = max(height - HEAD - FOOT, 1)
        self.cell_height = min(max(room // found.n_rows, 1), MAX_CELL_HEIGHT)
        self.rows = min(room // self.cell_height, found.n_rows)
        x, y = cursor or (0, 0)
        self.left = min(max(self.left, x - self.columns + 1), x, found.n_columns - self.columns)
        self.bottom = min(max(self.bottom, y - self.rows + 1), y, found.n_rows - self.rows)
        self.left, self.bottom = max(self.left, 0), max(self.bottom, 0)

    def cell_at(self, x: int, y: int) -> Place | None:
        """The cell at a place of the screen, None beside the map."""
        column, row = (x - self.margin) // self.cell_width, self.rows - 1 - (y - HEAD) // self.cell_height
        if x < self.margin or not (0 <= column < self.columns and 0 <= row < self.rows):
            return None
        return self.left + column, self.bottom + row


def map_lines(
    found: ArchiveMap,
    colouring: Colouring,
    cursor: Place | None,
    size: tuple[int, int],
    window: Window,
    look: Painter,
) -> list[Text]:
    """The map as lines, the largest value of the vertical axis on top."""
    width, height = size
    window.fit(found, cursor, width, height)
    paint = _painting(found, colouring, look, has_room=window.cell_width >= FIGURE_WIDTH)
    labels = _row_labels(found)
    bar = "│" if look.unicode else "|"
    lines = [_heading(found, colouring, look)]
    for row in range(window.bottom + window.rows - 1, window.bottom - 1, -1):
        label = fitted(labels[row], window.margin - 2, "right")
        line = Text.assemble((f"{label} ", DIM), (bar, DIM))
        below = Text.assemble(" " * (window.margin - 1), (bar, DIM))
        for column in range(window.left, window.left + window.columns):
            mark, style = _drawn(found.cells.get((column, row)), paint, look)
            line.append(*_cell(mark, style, window.cell_width, is_here=(column, row) == cursor, look=look))
            below.append(" " * window.cell_width, style)
        lines += [line, below] if window.cell_height == MAX_CELL_HEIGHT else [line]
    lines.append(_scale(found, window))
    lines += [*_about(found, cursor), *_cut(found, window)]
    lines.append(_legend(found, colouring, look))
    return lines


def _row_labels(found: ArchiveMap) -> Sequence[str]:
    if found.y is None:
        return [""]
    return [clean_line(label) for label in found.shape.axes[found.y].labels]


def _heading(found: ArchiveMap, colouring: Colouring, look: Painter) -> Text:
    right, up = ("→", "↑") if look.unicode else (">", "^")
    axes = f"{clean_line(found.shape.axes[found.x].name)} {right}"
    if found.y is not None:
        axes += f"  {clean_line(found.shape.axes[found.y].name)} {up}"
    said = {"age": "age of the best elite", "elites": "elites per cell"}.get(
        colouring.name, f"{colouring.name} of the best elite"
    )
    hidden = [axis.name for place, axis in enumerate(found.shape.axes) if place not in (found.x, found.y)]
    rest = f", best over {clean_line(', '.join(hidden))}" if hidden else ""
    filled = f"{len(found.cells):,} of {found.n_columns * found.n_rows:,} filled"
    return Text.assemble((axes, BOLD), f"  coloured by {said}{rest}", (f"  {filled}", DIM))


def _painting(found: ArchiveMap, colouring: Colouring, look: Painter, *, has_room: bool) -> Painting:
    value_of = colouring.value_of
    if value_of is None:
        names = _operators(found)
        return lambda cell: look.named(names.index(cell.operator))
    values = [value_of(cell) for cell in found.cells.values()]
    low, high = min(values, default=0.0), max(values, default=0.0)
    span = (high / 2 - low / 2) or 1.0

    def paint(cell: MapCell) -> tuple[str, Style]:
        value = value_of(cell)
        mark, style = look.scaled((value / 2 - low / 2) / span if high > low else 1.0)
        return _short(value) if has_room else mark, style

    return paint


def _short(value: float) -> str:
    """A number in five characters, a space where that cannot be; those of one size stand below each other."""
    for digits in ("#.3", ".3", ".2", ".1"):
        text = f"{value:{digits}g}".removesuffix(".").replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
        if len(text) <= FIGURE_WIDTH:
            return text.rjust(FIGURE_WIDTH)
    return " "


def _operators(found: ArchiveMap) -> list[str]:
    """Operators by how many cells are theirs, so that those that matter get colours of their own."""
    counts: dict[str, int] = {}
    for cell in found.cells.values():
        counts[cell.operator] = counts.get(cell.operator, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))


def _drawn(cell: MapCell | None, paint: Painting, look: Painter) -> tuple[str, Style]:
    if cell is None:
        return ("·" if look.unicode else "."), DIM
    return paint(cell)


def _cell(mark: str, style: Style, width: int, *, is_here: bool, look: Painter) -> tuple[str, Style]:
    if not is_here:
        return mark.center(width), style
    style += Style(bold=True, reverse=not look.in_colour, dim=False)
    if width == 1:
        return "X", style
    text = mark.strip()
    if len(text) + 2 <= width:
        return f"[{text.center(width - 2)}]", style
    return f"[{text}".ljust(width)[:width], style + Style(underline=True)


def _scale(found: ArchiveMap, window: Window) -> Text:
    """The labels of the columns, as many as fit without touching."""
    labels = found.shape.axes[found.x].labels
    line, until = " " * window.margin, 0
    for column in range(window.left, window.left + window.columns):
        label = clean_line(labels[column])[:MAX_LABEL]
        start = window.margin + (column - window.left) * window.cell_width
        start += max((window.cell_width - cell_len(label)) // 2, 0)
        if start >= until and start + cell_len(label) <= window.margin + window.columns * window.cell_width + 4:
            line = line.ljust(start) + label
            until = len(line) + 1
    return Text(line, style=DIM)


def _about(found: ArchiveMap, cursor: Place | None) -> list[Text]:
    """Up to three lines: the cell under the cursor, and what the map does not show."""
    note = clean_line(found.shape.note)
    if found.n_unplaced:
        note = f"{note}; {found.n_unplaced:,} elites have no place on these axes".removeprefix("; ")
    notes = [Text(note, style=DIM)] if note else []
    if cursor is None:
        words = "the archive is empty: nothing has been kept yet" if not found.cells else "no cell chosen"
        return [Text(words, style=DIM), *notes]
    place = _position(found, cursor)
    cell = found.cells.get(cursor)
    if cell is None:
        return [Text.assemble((place, BOLD), ": nobody lives here"), Text(), *notes]
    several = "" if cell.n_elites == 1 else f", the best of {cell.n_elites:,} elites"
    return [
        Text.assemble((place, BOLD), f": candidate {cell.candidate}{several}"),
        Text.assemble(
            ("score ", DIM),
            (figure(cell.score), BOLD),
            f"  by {clean_line(cell.operator)}, iteration {cell.iteration:,}, generation {cell.generation:,}",
            f", island {cell.island}" if cell.island else "",
        ),
        *notes,
    ]


def _cut(found: ArchiveMap, window: Window) -> list[Text]:
    """Where the picture lies in a map that is larger than the screen."""
    if window.columns >= found.n_columns and window.rows >= found.n_rows:
        return []
    columns = f"columns {window.left + 1} to {window.left + window.columns} of {found.n_columns}"
    rows = f"rows {window.bottom + 1} to {window.bottom + window.rows} of {found.n_rows}"
    return [Text(f"{columns}, {rows}: the cursor moves the picture", style=DIM)]


def _position(found: ArchiveMap, cursor: Place) -> str:
    column, row = cursor
    parts = [(found.x, column)] + ([] if found.y is None else [(found.y, row)])
    axes = found.shape.axes
    return clean_line(", ".join(f"{axes[axis].name} {axes[axis].labels[place]}" for axis, place in parts))


def _legend(found: ArchiveMap, colouring: Colouring, look: Painter) -> Text:
    if not found.cells:
        return Text()
    if colouring.value_of is None:
        line = Text()
        for place, name in enumerate(_operators(found)[:12]):
            mark, style = look.named(place)
            line.append(f" {mark} ", style).append(f" {clean_line(name)}  ")
        return line
    values = [colouring.value_of(cell) for cell in found.cells.values()]
    words = ("found first", "found last") if colouring.name == "age" else (figure(min(values)), figure(max(values)))
    line = Text.assemble((f"{words[0]} ", DIM))
    for step in range(10):
        mark, style = look.scaled(step / 9)
        line.append(mark * 2 if look.in_colour else mark, style)
    return line.append(f" {words[1]}", DIM)
