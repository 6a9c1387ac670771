"""How the best score rose: against evaluations, seconds and dollars, beside what was known before."""

from collections.abc import Callable, Sequence

from evolve.report.chart_lines import Level, Line, LineChart, line_chart, near_levels
from evolve.report.gathered import CurvePoint, Gathered
from evolve.report.html import Html, tag
from evolve.report.parts import drawing, section
from evolve.view.figures import figure
from evolve.view.history import pulses

LOG_FROM = 30.0
"""An axis that spans more than this is logarithmic: most improvements come early."""
_FLAT = 6.0


def progress(gathered: Gathered) -> Html | None:
    """The charts of the best score so far, and of what the archive holds."""
    if not gathered.curve:
        return None
    calls = gathered.overview.calls or {}
    spent = float(calls.get("cost_usd") or 0.0)
    small = [_best_so_far(gathered, "seconds", lambda point: point.seconds, gathered.overview.seconds)]
    if spent > 0:
        small.append(_best_so_far(gathered, "US dollars", lambda point: point.cost_usd, spent))
    small += _archive_growth(gathered)
    large = _best_so_far(gathered, "evaluations", lambda point: point.evaluations, gathered.overview.evaluations)
    return section(
        "progress",
        "Progress",
        drawing(large, _caption(gathered), scrolls=True),
        tag("div", [drawing(chart, None) for chart in small], class_="pair"),
    )


def _best_so_far(gathered: Gathered, what: str, x_of: Callable[[CurvePoint], float], end: float) -> Html:
    is_large = what == "evaluations"
    curve = gathered.curve
    points = [(float(x_of(point)), point.score) for point in curve]
    last = max(float(end), points[-1][0])
    first = min((x for x, _ in points if x > 0), default=last)
    is_log = first > 0 and last / first > LOG_FROM
    shown = [(max(x, first) if is_log else x, y) for x, y in points]
    links = [f"c{point.candidate}" if point.candidate in gathered.linked else None for point in curve]
    titles = [
        f"candidate {point.candidate}: score {point.score:.6g} after {figure(x_of(point))} {what}" for point in curve
    ]
    line = Line(
        name="best score",
        points=[*shown, (last, points[-1][1])],
        is_step=True,
        has_marks=is_large,
        titles=titles,
        links=[*links, None],
    )
    chart = LineChart(
        title=f"Best score against {what}",
        x_label=what + (" (log scale)" if is_log else ""),
        y_label="best score",
        lines=[line],
        levels=_known(gathered),
        log_x=is_log,
        y_floor=floor_of([point.score for point in curve]),
        width=720 if is_large else 430,
        height=330 if is_large else 250,
    )
    return line_chart(chart)


def floor_of(scores: Sequence[float]) -> float | None:
    """Where the chart begins if the first scores lie so far below all others that they would flatten them."""
    if len(scores) < 3:
        return None
    later = sorted(scores)[len(scores) // 4 :]
    height = later[-1] - later[0]
    return later[0] - height if height > 0 and later[0] - min(scores) > _FLAT * height else None


def _known(gathered: Gathered) -> list[Level]:
    known = gathered.view.known
    value = None if known is None else known.get("value")
    return [Level(name="known before:", value=float(value))] if isinstance(value, int | float) else []


def _caption(gathered: Gathered) -> Html:
    known, words = gathered.view.known, ["Best score so far; every point is an improvement."]
    if known is not None:
        levels = _known(gathered)
        source = " ".join(str(known[key]) for key in ("kind", "source", "year") if known.get(key))
        drawn = near_levels(levels, [point.score for point in gathered.curve])
        where = "" if drawn else " (too far from the curve to be drawn)"
        words.append(f"Known before: {figure(known.get('value'))}{where}: {source}.")
    floor = floor_of([point.score for point in gathered.curve])
    if floor is not None:
        words.append(f"Scores below {floor:.4g}, at the beginning, lie on the lower border.")
    return tag("span", " ".join(words))


def _archive_growth(gathered: Gathered) -> list[Html]:
    """How much of the archive was filled, where the run kept a history."""
    known = [point for point in pulses(gathered.view) if point.coverage is not None]
    if len(known) < 3:
        return []
    line = Line(
        name="cells filled", points=[(point.seconds, 100.0 * (point.coverage or 0.0)) for point in known], style=0
    )
    chart = LineChart(
        title="Cells filled against seconds",
        x_label="seconds",
        y_label="cells filled, %",
        lines=[line],
        width=430,
        height=250,
    )
    return [line_chart(chart)]
