"""The curves of the overview: best score over evaluations, and beside it what time brought."""

from collections.abc import Sequence

from rich.text import Text

from evolve.dashboard.palette import BOLD, DIM, WARNING, Painter
from evolve.dashboard.plot import Plot, Point, chart
from evolve.dashboard.standing import Standing

WIDE = 100
GAP = 3


def curve_lines(told: Standing, size: tuple[int, int], look: Painter, *, is_log: bool) -> list[Text]:
    """The best score over evaluations; beside it, where there is room, over time or the QD score."""
    width, height = size
    if not told.curve:
        return _padded([Text("the curve of the best score begins with the first score", style=DIM)], height)
    halves = 2 if width >= WIDE and height >= 6 else 1
    each = (width - GAP * (halves - 1)) // halves, height - 1
    last = told.curve[-1]
    points = [(float(point.evaluations), point.score) for point in told.curve]
    points.append((float(max(told.overview.evaluations, last.evaluations)), last.score))
    left = _drawn("best score", points, each, Plot(x_name="evaluations", is_log=is_log, unicode=look.unicode))
    if halves == 1:
        return _padded(left, height)
    return _padded(_beside(left, _second(told, each, look, is_log=is_log), each[0]), height)


def _second(told: Standing, size: tuple[int, int], look: Painter, *, is_log: bool) -> list[Text]:
    covered = [(point.seconds, point.qd_score) for point in told.pulses if point.qd_score is not None]
    plot = Plot(x_name="s", is_log=is_log, unicode=look.unicode, style=WARNING)
    if len(covered) > 2:
        return _drawn("QD score", covered, size, plot)
    last = told.curve[-1]
    points = [(point.seconds, point.score) for point in told.curve]
    points.append((max(told.overview.seconds, last.seconds), last.score))
    return _drawn("best score over time", points, size, plot)


def _drawn(title: str, points: Sequence[Point], size: tuple[int, int], plot: Plot) -> list[Text]:
    lines = chart(points, size, plot)
    return [Text(title, style=BOLD), *(lines or [Text("(no room for the curve)", style=DIM)])]


def _beside(left: list[Text], right: list[Text], width: int) -> list[Text]:
    lines = []
    for place in range(max(len(left), len(right))):
        line = left[place].copy() if place < len(left) else Text()
        line.pad_right(max(width + GAP - line.cell_len, 0))
        if place < len(right):
            line.append_text(right[place])
        lines.append(line)
    return lines


def _padded(lines: list[Text], height: int) -> list[Text]:
    height = max(height, 0)
    return [*lines[:height], *(Text() for _ in range(height - len(lines)))]
