"""Tables that fit the width they get: columns of less importance give way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from evolve.dashboard.palette import BOLD, PLAIN
from evolve.view.text import clean_line

GAP = 2
WIDE = 36
"""What a wide column gets at least before others give way to it."""
MAX_CELL = 400
"""Characters of a cell that are looked at: a detail may be longer than any screen is wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. Those with a higher `rank` disappear first; the one that is `wide` takes what is left."""

    title: str
    align: Literal["left", "right"] = "right"
    rank: int = 1
    is_wide: bool = False
    is_sorted: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One value, cleaned: nothing in it can be obeyed by a terminal, none of it is markup."""

    text: str
    style: Style = PLAIN


def cell(value: object, style: Style = PLAIN) -> Cell:
    """A cell of any text, made safe."""
    return Cell(clean_line(str(value)[:MAX_CELL]), style)


class Layout:
    """Which columns are shown, and how wide."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> None:
        self.columns = columns
        titles = [cell_len(column.title) + (2 if column.is_sorted else 0) for column in columns]
        natural = [max([titles[place], *(cell_len(row[place].text) for row in rows)]) for place in range(len(columns))]
        self.shown = list(range(len(columns)))
        least = [
            max(titles[place], min(natural[place], WIDE)) if column.is_wide else natural[place]
            for place, column in enumerate(columns)
        ]
        while len(self.shown) > 1 and self._needed(least) > width:
            worst = max(self.shown, key=lambda place: (columns[place].rank, place))
            self.shown.remove(worst)
        room = width - self._needed(least)
        self.widths = dict(zip(range(len(columns)), least, strict=True))
        for place in self.shown:
            if columns[place].is_wide:
                self.widths[place] += max(min(room, natural[place] - least[place]), 0)
        if self.shown:
            self.widths[self.shown[0]] = min(self.widths[self.shown[0]], max(width, 1))

    def _needed(self, widths: Sequence[int]) -> int:
        return sum(widths[place] for place in self.shown) + GAP * (len(self.shown) - 1)

    def header(self, *, descending: bool = True, unicode: bool = True) -> Text:
        """The titles, with an arrow at the one that the rows are sorted by."""
        arrow = ("▼" if descending else "▲") if unicode else ("v" if descending else "^")
        cells = [Cell(f"{column.title} {arrow}" if column.is_sorted else column.title) for column in self.columns]
        return self.row(cells, style=BOLD)

    def row(self, cells: Sequence[Cell], *, style: Style = PLAIN) -> Text:
        """One row; texts too long for their column end in an ellipsis."""
        line = Text(no_wrap=True, overflow="crop", end="")
        for number, place in enumerate(self.shown):
            if number:
                line.append(" " * GAP)
            line.append(
                fitted(cells[place].text, self.widths[place], self.columns[place].align), cells[place].style + style
            )
        return line


def fitted(text: str, width: int, align: str = "left") -> str:
    """The text in exactly `width` columns of a terminal."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(width - 1, 0)) + ("…" if width > 0 else "")
    space = " " * (width - length)
    return space + text if align == "right" else text + space
