"""What a program made, drawn: circles, points, lines, or a curve."""

from evolve.report.chart_lines import Line, LineChart, line_chart
from evolve.report.html import Child, Html, number, tag, visible
from evolve.store import CandidateRecord
from evolve.view.pictures import Circles, Curve, Drawing, Picture, picture_of
from evolve.view.run import RunView

SIDE = 300.0
MARGIN = 4.0
DOT = 3.0


def picture(view: RunView, record: CandidateRecord) -> tuple[Child, Html] | None:
    """Caption and drawing of what a candidate made, None where there is nothing to draw.

    Drawn from numbers only: an SVG or HTML that an evaluator or a candidate wrote is never put on the page.
    """
    found = picture_of(view, record)
    if found is None:
        return None
    return visible(f"{found.title}. {found.note}" if found.note else found.title), drawn(found)


def svg_file(view: RunView, record: CandidateRecord) -> str | None:
    """The drawing as a file of its own, or None where there is nothing to draw."""
    found = picture_of(view, record)
    if found is None:
        return None
    shape = found.shape
    content = circles(shape) if isinstance(shape, Circles) else drawing(_in_a_box(shape), found.title)
    opening = content.index(">")
    style = tag("style", _ALONE)
    namespace = ' xmlns="http://www.w3.org/2000/svg"'
    return f"{content[:opening]}{namespace}{content[opening : opening + 1]}{style}{content[opening + 1 :]}\n"


def _in_a_box(shape: Curve | Drawing) -> Drawing:
    """A curve as a line, its two axes stretched to a box twice as wide as high."""
    if isinstance(shape, Drawing):
        return shape
    xs, ys = zip(*shape.points, strict=True)
    wide, high = max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0
    return Drawing(lines=(tuple((2 * (x - min(xs)) / wide, (y - min(ys)) / high) for x, y in shape.points),))


_ALONE = ".shape{fill:#0d948840;stroke:#0d9488} .frame{fill:none;stroke:#555}"


def drawn(found: Picture) -> Html:
    """The SVG of a picture."""
    if isinstance(found.shape, Circles):
        return circles(found.shape)
    return drawing(found.shape, found.title) if isinstance(found.shape, Drawing) else curve(found.shape, found.title)


def drawing(shape: Drawing, title: str) -> Html:
    """Points and lines in a frame, y upwards."""
    left, bottom, wide, high = shape.frame()
    scale = SIDE / max(wide, high)
    width, height = wide * scale, high * scale

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return DOT + MARGIN + (point[0] - left) * scale, DOT + MARGIN + height - (point[1] - bottom) * scale

    lines = [
        tag("polyline", points=" ".join(f"{number(x)},{number(y)}" for x, y in map(place, line)), class_="frame")
        for line in shape.lines
    ]
    dots = [
        tag("circle", tag("title", f"{point[0]:.6g}, {point[1]:.6g}"), cx=x, cy=y, r=DOT, class_="shape")
        for point, (x, y) in zip(shape.points, map(place, shape.points), strict=True)
    ]
    edge = 2 * (MARGIN + DOT)
    return tag(
        "svg",
        tag("title", visible(title)),
        lines,
        dots,
        viewBox=f"0 0 {number(width + edge)} {number(height + edge)}",
        width=width + edge,
        role="img",
        class_="chart",
    )


def circles(shape: Circles) -> Html:
    """Circles in their frame, y upwards."""
    scale = SIDE / max(shape.width, shape.height)
    width, height = shape.width * scale, shape.height * scale
    drawn = [
        tag(
            "circle",
            tag("title", f"x {x:.6g}, y {y:.6g}, radius {radius:.6g}"),
            cx=MARGIN + x * scale,
            cy=MARGIN + height - y * scale,
            r=max(radius * scale, 0.0),
            class_="shape",
        )
        for x, y, radius in shape.circles
    ]
    return tag(
        "svg",
        tag("title", f"{len(shape.circles)} circles"),
        drawn,
        tag("rect", x=MARGIN, y=MARGIN, width=width, height=height, class_="frame"),
        viewBox=f"0 0 {number(width + 2 * MARGIN)} {number(height + 2 * MARGIN)}",
        width=width + 2 * MARGIN,
        role="img",
        class_="chart",
    )


def curve(shape: Curve, title: str) -> Html:
    """A curve on linear axes."""
    chart = LineChart(
        title=title,
        x_label=shape.x_name,
        y_label="",
        lines=[Line(name=title, points=shape.points)],
        width=430,
        height=240,
    )
    return line_chart(chart)
