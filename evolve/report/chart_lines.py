"""Line charts as SVG: axes, round ticks, steps or lines with points, and levels to compare with."""

from collections.abc import Sequence
from dataclasses import dataclass

from evolve.report.html import Html, number, tag
from evolve.report.scales import Scale, scale_over, tick_text

LEFT, RIGHT, TOP, BOTTOM = 62.0, 14.0, 14.0, 44.0
LABEL_APART = 13.0
N_STYLES = 7
N_MARKS = 150
_NEAR = 1.5
"""A level farther from the lines than so many times their range would flatten them: it is named, not drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points in order of x. `style` numbers a colour and a dash, `links` names elements of the page by point."""

    name: str
    points: Sequence[tuple[float, float]]
    style: int = 0
    is_step: bool = False
    has_marks: bool = False
    is_strong: bool = False
    titles: Sequence[str] = ()
    links: Sequence[str | None] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A value to compare with, drawn as a horizontal line."""

    name: str
    value: float
    style: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChart:
    """What is drawn, and how the axes are called. `title` is for readers who cannot see it."""

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    levels: Sequence[Level] = ()
    log_x: bool = False
    log_y: bool = False
    width: float = 640.0
    height: float = 300.0
    y_floor: float | None = None
    x_ticks: Sequence[float] | None = None


def line_chart(chart: LineChart) -> Html:
    """Draw a chart."""
    across = scale_over([x for line in chart.lines for x, _ in line.points], LEFT, chart.width - RIGHT, log=chart.log_x)
    values = [y for line in chart.lines for _, y in line.points if chart.y_floor is None or y >= chart.y_floor]
    levels = near_levels(chart.levels, values)
    bottom = chart.height - BOTTOM
    up = scale_over([*values, *(level.value for level in levels)], bottom, TOP, log=chart.log_y, margin=0.06)
    return tag(
        "svg",
        tag("title", chart.title),
        _x_axis(chart, across, bottom),
        _y_axis(chart, up),
        _levels(levels, up, chart.width),
        [_line(line, across, up) for line in chart.lines],
        viewBox=f"0 0 {number(chart.width)} {number(chart.height)}",
        role="group",
        class_="chart",
    )


def near_levels(levels: Sequence[Level], values: Sequence[float]) -> list[Level]:
    """The levels that can be drawn beside the values without flattening them."""
    if not values:
        return list(levels)
    low, high = min(values), max(values)
    room = _NEAR * ((high - low) or abs(high) or 1.0)
    return [level for level in levels if low - room <= level.value <= high + room]


def _x_axis(chart: LineChart, across: Scale, bottom: float) -> Html:
    parts = [tag("line", x1=LEFT, x2=chart.width - RIGHT, y1=bottom, y2=bottom, class_="axis")]
    for value in across.ticks(6) if chart.x_ticks is None else chart.x_ticks:
        x = across.place(value)
        parts.append(tag("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, class_="axis"))
        parts.append(tag("text", tick_text(value), x=x, y=bottom + 17, text_anchor="middle"))
    middle = (LEFT + chart.width - RIGHT) / 2
    parts.append(tag("text", chart.x_label, x=middle, y=chart.height - 6, text_anchor="middle", class_="name"))
    return tag("g", parts)


def _y_axis(chart: LineChart, up: Scale) -> Html:
    parts = []
    for value in up.ticks(5):
        y = up.place(value)
        parts.append(tag("line", x1=LEFT, x2=chart.width - RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", tick_text(value), x=LEFT - 6, y=y + 4, text_anchor="end"))
    place = f"translate(13 {number((up.start + up.end) / 2)}) rotate(-90)"
    parts.append(tag("text", chart.y_label, transform=place, text_anchor="middle", class_="name"))
    return tag("g", parts)


def _levels(levels: Sequence[Level], up: Scale, width: float) -> Html:
    parts = []
    taken = -1e9
    for level in sorted(levels, key=lambda each: up.place(each.value)):
        y = up.place(level.value)
        parts.append(tag("line", x1=LEFT, x2=width - RIGHT, y1=y, y2=y, class_=f"line s{level.style % N_STYLES}"))
        label = max(y - 4, taken + LABEL_APART)
        taken = label
        text = f"{level.name} {level.value:.6g}"
        parts.append(tag("text", text, x=LEFT + 6, y=label, class_=f"halo f{level.style % N_STYLES}"))
    return tag("g", parts)


def _line(line: Line, across: Scale, up: Scale) -> Html:
    places = [(across.place(x), up.place(y)) for x, y in line.points]
    style = line.style % N_STYLES
    parts = [
        tag(
            "path",
            d=path_of(places, is_step=line.is_step),
            class_=f"line s{style}{' strong' if line.is_strong else ''}",
        )
    ]
    if line.has_marks and len(places) <= N_MARKS:
        parts += [_mark(line, index, place, style) for index, place in enumerate(places) if _is_marked(line, index)]
    return tag("g", parts)


def _is_marked(line: Line, index: int) -> bool:
    """Whether a point stands for something; titles, where there are some, say which."""
    return not line.titles or index < len(line.titles)


def _mark(line: Line, index: int, place: tuple[float, float], style: int) -> Html:
    title = line.titles[index] if index < len(line.titles) else None
    mark = tag(
        "circle", None if title is None else tag("title", title), cx=place[0], cy=place[1], r=3, class_=f"dot f{style}"
    )
    link = line.links[index] if index < len(line.links) else None
    return mark if link is None else tag("a", mark, href=f"#{link}")


def path_of(places: Sequence[tuple[float, float]], *, is_step: bool = False) -> str:
    """The data of an SVG path through the places; a step keeps its height until the next place."""
    if not places:
        return ""
    parts = [f"M{number(places[0][0])} {number(places[0][1])}"]
    for x, y in places[1:]:
        parts.append(f"H{number(x)}V{number(y)}" if is_step else f"L{number(x)} {number(y)}")
    return "".join(parts)
