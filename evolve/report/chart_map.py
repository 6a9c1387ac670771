"""The archive as a heat map: two axes, colours that only get lighter, and the numbers where there is room."""

from collections.abc import Collection, Sequence

from evolve.report.colours import LEVELS, is_dark, level_of
from evolve.report.html import Html, number, tag
from evolve.report.scales import tick_text
from evolve.view.map import ArchiveMap, MapCell

WIDTH = 640.0
LEFT, TOP, BOTTOM, RIGHT = 74.0, 8.0, 46.0, 8.0
CELL_MOST = 40.0
HEIGHT_MOST = 560.0
WRITTEN_FROM = 30.0
"""Cells at least so wide have their score written in them."""
MANY_CELLS = 2500
"""More filled cells than this are drawn without links and titles, or the page would grow too large."""
_LABELS_MOST = 16


def heat_map(shown: ArchiveMap, linked: Collection[int]) -> Html:
    """Draw a map. Candidates in `linked` have a section on the page."""
    across = min((WIDTH - LEFT - RIGHT) / shown.n_columns, CELL_MOST)
    up = min(across if shown.n_rows > 1 else CELL_MOST, HEIGHT_MOST / shown.n_rows)
    size = (across * shown.n_columns, up * shown.n_rows)
    is_many = len(shown.cells) > MANY_CELLS
    return tag(
        "svg",
        tag("title", f"Map of the archive: best score by {_axis(shown, shown.x)} and {_axis(shown, shown.y)}"),
        tag("rect", x=LEFT, y=TOP, width=size[0], height=size[1], class_="ground"),
        _plain_cells(shown, across, up) if is_many else _cells(shown, across, up, linked),
        _x_labels(shown, across, TOP + size[1]),
        _y_labels(shown, up, TOP + size[1]),
        viewBox=f"0 0 {number(LEFT + size[0] + RIGHT)} {number(TOP + size[1] + BOTTOM)}",
        role="group",
        class_="chart",
        width=LEFT + size[0] + RIGHT,
    )


def _axis(shown: ArchiveMap, axis: int | None) -> str:
    return "-" if axis is None else shown.shape.axes[axis].name


def _corner(shown: ArchiveMap, place: tuple[int, int], across: float, up: float) -> tuple[float, float]:
    """The upper left corner of a cell: rows count from below, as on any chart."""
    return LEFT + place[0] * across, TOP + (shown.n_rows - 1 - place[1]) * up


def _level(shown: ArchiveMap, cell: MapCell) -> int:
    return level_of(cell.score, shown.low or 0.0, shown.high or 0.0)


def _cells(shown: ArchiveMap, across: float, up: float, linked: Collection[int]) -> list[Html]:
    parts = []
    for place, cell in sorted(shown.cells.items()):
        x, y = _corner(shown, place, across, up)
        level = _level(shown, cell)
        square = [
            tag("title", _words(shown, place, cell)),
            tag("rect", x=x, y=y, width=across, height=up, class_=f"cell v{level}"),
            _written(cell.score, x + across / 2, y + up / 2 + 3, is_on_dark=is_dark(level))
            if min(across, up * 1.6) >= WRITTEN_FROM
            else None,
        ]
        is_linked = cell.candidate in linked
        parts.append(tag("a", square, href=f"#c{cell.candidate}") if is_linked else tag("g", square))
    return parts


def _written(score: float, x: float, y: float, *, is_on_dark: bool) -> Html:
    text = f"{score:.3g}" if abs(score) < 1000 else tick_text(score)
    return tag("text", text, x=x, y=y, text_anchor="middle", class_="on-dark" if is_on_dark else "on-light")


def _words(shown: ArchiveMap, place: tuple[int, int], cell: MapCell) -> str:
    axes = shown.shape.axes
    where = [f"{axes[shown.x].name} {axes[shown.x].labels[place[0]]}"]
    if shown.y is not None:
        where.append(f"{axes[shown.y].name} {axes[shown.y].labels[place[1]]}")
    more = f", {cell.n_elites} elites" if cell.n_elites > 1 else ""
    return f"{', '.join(where)}: score {cell.score:.6g}, candidate {cell.candidate} by {cell.operator}{more}"


def _plain_cells(shown: ArchiveMap, across: float, up: float) -> list[Html]:
    """One path for each colour: some ten bytes a cell."""
    parts: dict[int, list[str]] = {}
    for place, cell in sorted(shown.cells.items()):
        x, y = _corner(shown, place, across, up)
        parts.setdefault(_level(shown, cell), []).append(
            f"M{number(x)} {number(y)}h{number(across)}v{number(up)}h-{number(across)}z"
        )
    return [tag("path", d="".join(data), class_=f"v{level}") for level, data in sorted(parts.items())]


def _x_labels(shown: ArchiveMap, across: float, bottom: float) -> Html:
    labels = shown.shape.axes[shown.x].labels
    step = -(-len(labels) // min(_LABELS_MOST, max(int(across * len(labels) / 38), 1)))
    parts = [
        tag("text", label[:10], x=LEFT + (place + 0.5) * across, y=bottom + 15, text_anchor="middle")
        for place, label in enumerate(labels)
        if place % step == 0
    ]
    middle = LEFT + across * shown.n_columns / 2
    return tag(
        "g", parts, tag("text", _axis(shown, shown.x), x=middle, y=bottom + 38, text_anchor="middle", class_="name")
    )


def _y_labels(shown: ArchiveMap, up: float, bottom: float) -> Html | None:
    if shown.y is None:
        return None
    labels = shown.shape.axes[shown.y].labels
    step = -(-len(labels) // max(int(up * len(labels) / 16), 1))
    parts = [
        tag("text", label[:8], x=LEFT - 6, y=bottom - (place + 0.5) * up + 4, text_anchor="end")
        for place, label in enumerate(labels)
        if place % step == 0
    ]
    turn = f"translate(13 {number(bottom - up * shown.n_rows / 2)}) rotate(-90)"
    return tag("g", parts, tag("text", _axis(shown, shown.y), transform=turn, text_anchor="middle", class_="name"))


def colour_legend(low: float, high: float, name: str = "score") -> Html:
    """The colours in order, with what they stand for."""
    width, height = 12.0, 12.0
    boxes = [
        tag("rect", x=place * width, y=0, width=width, height=height, class_=f"v{place}") for place in range(LEVELS)
    ]
    texts: Sequence[Html] = (
        tag("text", f"{low:.6g}", x=0, y=height + 14),
        tag("text", name, x=width * LEVELS / 2, y=height + 14, text_anchor="middle"),
        tag("text", f"{high:.6g}", x=width * LEVELS, y=height + 14, text_anchor="end"),
    )
    return tag("svg", boxes, texts, viewBox=f"0 0 {number(width * LEVELS)} 30", class_="legend", role="img", width=240)
