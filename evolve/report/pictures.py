"""What a program made, drawn: circles of a packing, a curve of errors."""

from evolve.report.chart_lines import Line, LineChart, line_chart
from evolve.report.html import Child, Html, number, tag, visible
from evolve.store import CandidateRecord
from evolve.view.pictures import Circles, Curve, picture_of
from evolve.view.run import RunView

SIDE = 300.0
MARGIN = 4.0


def picture(view: RunView, record: CandidateRecord) -> tuple[Child, Html] | None:
    """Caption and drawing of what a candidate made, None where there is nothing to draw.

    Drawn from numbers only: an SVG or HTML that an evaluator or a candidate wrote is never put on the page.
    """
    found = picture_of(view, record)
    if found is None:
        return None
    drawn = circles(found.shape) if isinstance(found.shape, Circles) else curve(found.shape, found.title)
    return visible(f"{found.title}. {found.note}" if found.note else found.title), drawn


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
