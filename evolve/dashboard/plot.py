"""Curves and bars as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log10

from rich.style import Style
from rich.text import Text

from evolve.dashboard.palette import ACCENT, DIM, PLAIN
from evolve.view.figures import figure

Point = tuple[float, float]

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE = 0x2800
SPARKS = "▁▂▃▄▅▆▇█"
ASCII_SPARKS = "_.-~=+*#"
FULL, EMPTY = "█", "░"
ASCII_FULL, ASCII_EMPTY = "#", "."


class Raster:
    """A picture of dots, two across and four down in a character; in ASCII one in a character."""

    def __init__(self, width: int, height: int, *, unicode: bool = True) -> None:
        self.width, self.height = max(width, 1), max(height, 1)
        self._unicode = unicode
        self.across, self.down = (self.width * 2, self.height * 4) if unicode else (self.width, self.height)
        self._masks = [[0] * self.width for _ in range(self.height)]

    def dot(self, x: int, y: int) -> None:
        """Set a dot, counted from the upper left corner; outside nothing happens."""
        if not (0 <= x < self.across and 0 <= y < self.down):
            return
        if self._unicode:
            self._masks[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        else:
            self._masks[y][x] = 1

    def line(self, x0: int, y0: int, x1: int, y1: int) -> None:
        """Set the dots of a straight line."""
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            self.dot(round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps))

    def rows(self) -> list[str]:
        """The picture, top row first."""
        if not self._unicode:
            return ["".join("*" if mask else " " for mask in row) for row in self._masks]
        return ["".join(chr(_BRAILLE + mask) if mask else " " for mask in row) for row in self._masks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """How a curve is drawn: with `steps` a value holds until the next point, as a best score does."""

    x_name: str
    steps: bool = True
    is_log: bool = False
    unicode: bool = True
    style: Style = ACCENT


def chart(points: Sequence[Point], size: tuple[int, int], plot: Plot) -> list[Text]:
    """A curve with its scales in lines of `size` (width, height), the last one for the horizontal scale."""
    width, height = size
    points = [point for point in points if isfinite(point[0]) and isfinite(point[1])]
    if not points or height < 3 or width < 24:
        return []
    low, high = min(y for _, y in points), max(y for _, y in points)
    labels = [figure(high), figure(low)]
    margin = max(len(label) for label in labels) + 1
    raster = Raster(width - margin - 1, height - 1, unicode=plot.unicode)
    _trace(raster, _on_log_scale(points) if plot.is_log else points, low, high, steps=plot.steps)
    bar = "│" if plot.unicode else "|"
    lines = []
    for place, row in enumerate(raster.rows()):
        label = labels[0] if place == 0 else labels[1] if place == raster.height - 1 and high > low else ""
        lines.append(Text.assemble((f"{label:>{margin - 1}} ", DIM), (bar, DIM), (row, plot.style)))
    first, last = figure(_round(points[0][0])), f"{figure(_round(points[-1][0]))} {plot.x_name}"
    middle = " (logarithmic scale) " if plot.is_log else ""
    gap = width - margin - 1 - len(first) - len(last)
    lines.append(Text(" " * (margin + 1) + first + middle.center(max(gap, 1)) + last, style=DIM))
    return lines


def _on_log_scale(points: Sequence[Point]) -> list[Point]:
    """The points by the logarithm of x; what comes before the first positive one is left out."""
    return [(log10(x), y) for x, y in points if x > 0.0] or list(points)


def _round(value: float) -> float | int:
    return round(value) if abs(value) >= 10 else round(value, 2)


def _trace(raster: Raster, points: Sequence[Point], low: float, high: float, *, steps: bool) -> None:
    first, last = points[0][0], points[-1][0]
    span_x, span_y = (last - first) or 1.0, (high / 2 - low / 2) or 1.0
    before: tuple[int, int] | None = None
    for x, y in points:
        column = round((x - first) / span_x * (raster.across - 1))
        row = round((1 - (y / 2 - low / 2) / span_y) * (raster.down - 1)) if high > low else raster.down // 2
        if before is None:
            raster.dot(column, row)
        elif steps:
            raster.line(*before, column, before[1])
            raster.line(column, before[1], column, row)
        else:
            raster.line(*before, column, row)
        before = column, row


def spark(values: Sequence[float | None], width: int, *, unicode: bool = True) -> str:
    """The values as a line of small bars, averaged where there are more than `width`; a space where none is known."""
    marks = SPARKS if unicode else ASCII_SPARKS
    groups = _grouped(values, width)
    known = [value for value in groups if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    return "".join(" " if value is None else marks[round((value - low) / span * 7)] for value in groups)


def _grouped(values: Sequence[float | None], width: int) -> list[float | None]:
    if len(values) <= width:
        return list(values)
    groups: list[float | None] = []
    for place in range(width):
        part = values[place * len(values) // width : (place + 1) * len(values) // width]
        known = [value for value in part if value is not None]
        groups.append(sum(known) / len(known) if known else None)
    return groups


def bar(share: float, width: int, *, unicode: bool = True, style: Style = PLAIN) -> Text:
    """A bar that is full at a share of 1."""
    filled = round(min(max(share, 0.0), 1.0) * width)
    full, empty = (FULL, EMPTY) if unicode else (ASCII_FULL, ASCII_EMPTY)
    return Text.assemble((full * filled, style), (empty * (width - filled), DIM))
