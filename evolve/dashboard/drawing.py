"""Pictures as text."""

from itertools import pairwise
from math import cos, pi, sin

from rich.text import Text

from evolve.dashboard.palette import ACCENT, BOLD, DIM, Painter
from evolve.dashboard.plot import Plot, Raster, chart
from evolve.view.pictures import Circles, Curve, Drawing, Picture
from evolve.view.text import clean_line

MAX_ROWS = 40


def picture_lines(picture: Picture, width: int, height: int, look: Painter) -> list[Text]:
    """The picture in dots as large as fits, with its title."""
    title = Text(clean_line(picture.title), style=BOLD)
    rows = max(min(height - 3, MAX_ROWS), 4)
    note = Text(clean_line(picture.note), style=DIM)
    if isinstance(picture.shape, Circles):
        return [title, *_circles(picture.shape, width, rows, look), note]
    if isinstance(picture.shape, Drawing):
        return [title, *_drawing(picture.shape, width, rows, look), note]
    return [title, *_curve(picture.shape, width, rows, look), note]


def _drawing(shape: Drawing, width: int, rows: int, look: Painter) -> list[Text]:
    """Points, two dots wide and high, and lines."""
    left, bottom, wide, high = shape.frame()
    raster = Raster(min(width - 2, round(rows * 2 * wide / high)), rows, unicode=look.unicode)
    across, down = (raster.across - 2) / wide, (raster.down - 2) / high

    def place(point: tuple[float, float]) -> tuple[int, int]:
        return round((point[0] - left) * across), round((high - point[1] + bottom) * down)

    for line in shape.lines:
        for start, end in pairwise(line):
            raster.line(*place(start), *place(end))
    for x, y in map(place, shape.points):
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            raster.dot(x + dx, y + dy)
    return [Text(row, style=ACCENT) for row in raster.rows()]


def _circles(shape: Circles, width: int, rows: int, look: Painter) -> list[Text]:
    """Circles in their frame. A character of a terminal is about twice as high as wide, and so is a dot's raster."""
    columns = min(width - 2, round(rows * 2 * shape.width / shape.height))
    raster = Raster(columns, rows, unicode=look.unicode)
    across, down = (raster.across - 1) / shape.width, (raster.down - 1) / shape.height
    corners = [(0, 0), (raster.across - 1, 0), (raster.across - 1, raster.down - 1), (0, raster.down - 1), (0, 0)]
    for start, end in pairwise(corners):
        raster.line(*start, *end)
    for x, y, radius in shape.circles:
        steps = max(round(2 * pi * radius * across * 1.5), 8)
        for step in range(min(steps, 2000)):
            angle = 2 * pi * step / steps
            column = (x + radius * cos(angle)) * across
            raster.dot(round(column), round((shape.height - y - radius * sin(angle)) * down))
    return [Text(row, style=ACCENT) for row in raster.rows()]


def _curve(shape: Curve, width: int, rows: int, look: Painter) -> list[Text]:
    lines = chart(shape.points, (width, rows), Plot(x_name=shape.x_name, steps=False, unicode=look.unicode))
    return lines or [Text("(no room for the curve)", style=DIM)]
